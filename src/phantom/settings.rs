//! How strongly tissue echoes, and what the machine makes of it.

use super::random::{Purpose, Random};

/// How good the picture of a heart is. The heart is the same.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    strum::EnumString,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Quality {
    /// Clear borders, no shadows to speak of, little noise.
    #[default]
    Good,
    /// Some shadows and noise.
    Medium,
    /// Shadows across the walls, noise within the cavity, little contrast.
    Poor,
}

impl Quality {
    /// From good to poor.
    pub const ALL: [Self; 3] = [Self::Good, Self::Medium, Self::Poor];

    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Medium => "medium",
            Self::Poor => "poor",
        }
    }

    /// One of three values.
    fn pick(self, [good, medium, poor]: [f64; 3]) -> f64 {
        match self {
            Self::Good => good,
            Self::Medium => medium,
            Self::Poor => poor,
        }
    }
}

/// A span of beams that loses its echoes behind a rib or lung.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shadow {
    /// Its middle, from -1 (the first beam) to 1 (the last one).
    pub(super) middle: f64,
    /// Half its width, in the same measure.
    pub(super) width: f64,
    /// The share that is lost.
    pub(super) lost: f64,
}

/// Amplitudes are shares of the brightest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) blood: f64,
    pub(super) muscle: f64,
    pub(super) pericardium: f64,
    pub(super) valve: f64,
    pub(super) surroundings: f64,
    pub(super) atrial_wall: f64,
    /// Decibels that the picture spans, and what is added before.
    pub(super) dynamic_range: f64,
    pub(super) gain: f64,
    /// Exponent of the tone curve.
    pub(super) gamma: f64,
    /// Loss of amplitude by 1/e in `1 / attenuation` cm.
    pub(super) attenuation: f64,
    /// Noise that does not belong to any tissue.
    pub(super) noise: f64,
    /// Sigma of the beam, in cm along it and in radians across.
    pub(super) blur_along: f64,
    pub(super) blur_across: f64,
    pub(super) shadows: Vec<Shadow>,
    /// What is lost at the outermost beams.
    pub(super) edge: f64,
    /// How much walls along the beam echo less than those across it.
    pub(super) anisotropy: f64,
    /// Clutter just below the probe.
    pub(super) near_field: f64,
    /// None of a machine that shows envelopes as they are.
    pub(super) compounding: Option<Compounding>,
}

/// What today's machines make of echoes before they show them, and what makes their pictures uneven.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Compounding {
    /// Sigma of what looks from several directions and at several frequencies are averaged over: in cm along the beam,
    /// in radians across: speckle has less contrast.
    pub(super) along: f64,
    pub(super) across: f64,
    /// Decibels that somebody's hand at the controls adds at five depths, and that ribs and contact take from five beams.
    pub(super) by_depth: [f64; 5],
    pub(super) by_beam: [f64; 5],
    /// How uneven walls are, and what is around the heart: exponents of the unevenness.
    pub(super) walls: f64,
    pub(super) around: f64,
    /// Behind the heart lungs and liver are bright.
    pub(super) behind: f64,
}

impl Compounding {
    pub(super) fn drawn(seed: u64, quality: Quality) -> Self {
        let mut random = Random::new(seed, Purpose::Compounding);
        let mut u = |low, high| random.within(low, high);
        let by_hand = quality.pick([3.0, 4.0, 5.0]);
        Self {
            along: u(0.01, 0.03),
            across: u(0.25, 0.7) * std::f64::consts::PI / 180.0,
            by_depth: std::array::from_fn(|_| u(-by_hand, by_hand)),
            by_beam: std::array::from_fn(|_| u(-2.0 * by_hand, 1.0)),
            walls: u(0.6, 0.9),
            around: u(1.2, 1.8),
            behind: u(1.0, 4.0),
        }
    }
}

impl Settings {
    /// Of the seed. The quality changes the range, shadows and noise, in steps.
    pub(super) fn drawn(seed: u64, quality: Quality) -> Self {
        let mut random = Random::new(seed, Purpose::Settings);
        let mut u = |low, high| random.within(low, high);
        let mut settings = Self {
            blood: u(0.002, 0.010),
            muscle: u(0.12, 0.32),
            pericardium: u(0.5, 1.6),
            valve: u(0.35, 1.0),
            surroundings: u(0.03, 0.12),
            atrial_wall: u(0.10, 0.30),
            dynamic_range: u(36.0, 44.0) * quality.pick([1.0, 1.1, 1.3]),
            gain: u(-1.0, 5.0) + quality.pick([0.0, -0.5, -3.0]),
            gamma: u(1.0, 1.5),
            attenuation: u(0.0, 0.04),
            noise: u(0.0, 0.004) + quality.pick([0.0, 0.03, 0.12]),
            blur_along: u(0.035, 0.07),
            blur_across: u(0.55, 1.1) * std::f64::consts::PI / 180.0,
            shadows: Vec::new(),
            edge: u(0.02, 0.2),
            anisotropy: u(0.3, 1.2) * quality.pick([0.5, 1.0, 1.2]),
            near_field: u(0.05, 0.4) * quality.pick([0.6, 1.0, 1.0]),
            compounding: None,
        };
        // As many are drawn for each quality, so that those of a better one are among those of a poorer one.
        let count = (u(0.0, 2.0) + quality.pick([0.0, 1.0, 3.0])) as usize;
        let deeper = quality.pick([0.3, 0.85, 1.2]);
        settings.shadows = (0..5)
            .map(|_| Shadow {
                middle: u(-1.0, 1.0),
                width: u(0.06, 0.18),
                lost: (u(0.4, 0.85) * deeper).min(0.95),
            })
            .collect();
        settings.shadows.truncate(count);
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_poorer_is_poorer_in_each() {
        for seed in 0..100 {
            let [good, medium, poor] = Quality::ALL.map(|q| Settings::drawn(seed, q));
            for (better, worse) in [(&good, &medium), (&medium, &poor)] {
                assert!(better.dynamic_range < worse.dynamic_range);
                assert!(better.noise < worse.noise);
                assert!(better.shadows.len() < worse.shadows.len() || better.shadows.is_empty());
                assert_eq!((better.blood, better.muscle), (worse.blood, worse.muscle));
                for (a, b) in better.shadows.iter().zip(&worse.shadows) {
                    assert!(a.middle == b.middle && a.lost < b.lost);
                }
            }
        }
    }
}
