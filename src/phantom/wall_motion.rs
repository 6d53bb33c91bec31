//! Regional wall motion: how much of the contraction each segment takes part in.

use super::maths::split;

/// A segment of the wall as an apical four-chamber view shows it (Cerqueira et al., Circulation 2002: segments 3,
/// 9, 14, 16, 12 and 6 of seventeen).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    serde::Serialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Segment {
    BasalSeptal,
    MidSeptal,
    ApicalSeptal,
    ApicalLateral,
    MidLateral,
    BasalLateral,
}

/// Of each segment how far it comes in, as a share of how far the whole wall would: 1 is normal, 0.5 hypokinetic,
/// 0 akinetic, below 0 dyskinetic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WallMotion([f64; 6]);

impl Default for WallMotion {
    /// All alike.
    fn default() -> Self {
        Self([1.0; 6])
    }
}

impl WallMotion {
    /// The shares that a segment can have.
    pub const RANGE: std::ops::RangeInclusive<f64> = -0.5..=1.5;

    /// The same with one segment's share, brought into [`Self::RANGE`]; one that is no number counts as 1.
    #[must_use]
    pub fn with(mut self, segment: Segment, share: f64) -> Self {
        let share = if share.is_nan() { 1.0 } else { share };
        self.0[segment as usize] = share.clamp(*Self::RANGE.start(), *Self::RANGE.end());
        self
    }

    /// A segment's share.
    pub fn of(&self, segment: Segment) -> f64 {
        self.0[segment as usize]
    }

    pub(super) fn is_uniform(&self) -> bool {
        *self == Self::default()
    }

    /// The share of a place of the septal or the lateral wall at `s` of the length from the apex: that of a segment
    /// at its middle, and between two middles linear.
    fn at(&self, lateral: bool, s: f64) -> f64 {
        let [
            basal_septal,
            mid_septal,
            apical_septal,
            apical_lateral,
            mid_lateral,
            basal_lateral,
        ] = self.0;
        let wall = match lateral {
            true => [apical_lateral, mid_lateral, basal_lateral],
            false => [apical_septal, mid_septal, basal_septal],
        };
        let place = (3.0 * s - 0.5).clamp(0.0, 2.0);
        let (segment, further) = split(place as f32);
        match segment {
            0 => wall[0] + f64::from(further) * (wall[1] - wall[0]),
            1 => wall[1] + f64::from(further) * (wall[2] - wall[1]),
            _ => wall[2],
        }
    }
}

/// What the cavity's half width is at one moment, as a share of that at end-diastole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Inward {
    motion: WallMotion,
    /// The share where the wall moves as a whole.
    across: f64,
    /// By how much a segment of share 1 has come in.
    depth: f64,
}

/// No wall meets the other one.
const LEAST: f64 = 0.08;

impl Inward {
    pub(super) fn new(motion: WallMotion, across: f64) -> Self {
        Self {
            motion,
            across,
            depth: 1.0 - across,
        }
    }

    /// For the septal or the lateral wall at `s` of the length from the apex.
    pub(super) fn at(&self, lateral: bool, s: f64) -> f64 {
        match self.motion.is_uniform() {
            true => self.across,
            false => (1.0 - self.motion.at(lateral, s) * self.depth).max(LEAST),
        }
    }

    /// Comes in until `left` of the volume is left, which `volume` tells as a share of that at end-diastole; as far
    /// as walls can where that is not far enough. Walls that move as a whole have it already.
    pub(super) fn fit(&mut self, left: f64, volume: impl Fn(Self) -> f64) {
        if self.motion.is_uniform() {
            return;
        }
        let (mut near, mut far) = (0.0, 1.0 - LEAST);
        // Halved until a double tells no more.
        for _ in 0..50 {
            self.depth = 0.5 * (near + far);
            match volume(*self) > left {
                true => near = self.depth,
                false => far = self.depth,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray as _;

    #[test]
    fn a_share_is_that_of_the_segment_at_its_middle() {
        let shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        let motion = Segment::VARIANTS
            .iter()
            .zip(shares)
            .fold(WallMotion::default(), |m, (s, share)| m.with(*s, share));
        for (lateral, s, share) in [
            (false, 5.0 / 6.0, 0.1),
            (false, 0.5, 0.2),
            (false, 1.0 / 6.0, 0.3),
            (true, 1.0 / 6.0, 0.4),
            (true, 0.5, 0.5),
            (true, 5.0 / 6.0, 0.6),
            (true, 2.0 / 3.0, 0.55),
            (true, 1.3, 0.6),
            (false, -0.2, 0.3),
        ] {
            assert!(
                (motion.at(lateral, s) - share).abs() < 1e-6,
                "{lateral} {s}"
            );
        }
        let out = WallMotion::default().with(Segment::MidLateral, -7.0);
        assert_eq!(out.of(Segment::MidLateral), -0.5);
        assert!(
            WallMotion::default()
                .with(Segment::MidLateral, f64::NAN)
                .is_uniform()
        );
    }
}
