//! What a design can show, in words.

use crate::statistics::proportion::{binomial_power, trials_for_equivalence, wilson_half_width};
use crate::statistics::two_way::{Design, PlannedPrecision};

/// Of the intervals and tests.
pub const LEVEL: f64 = 0.95;
/// An accuracy that the power is said for.
pub const TRUTH: f64 = 0.6;
/// Of the test for equivalence.
pub const POWER: f64 = 0.8;

/// A design, and what it is assumed that readers and clips are like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assumed {
    pub readers: usize,
    /// Of a reader.
    pub trials: usize,
    /// Standard deviation of the readers' true accuracies.
    pub reader_sd: f64,
    /// Variance of the clips' true accuracies, of all readers together.
    pub case_variance: f64,
    /// Around 0.5, within which readers count as no better than chance.
    pub margin: f64,
}

impl Assumed {
    /// With readers and clips as they usually are.
    pub fn usual(readers: usize, trials: usize, margin: f64) -> Self {
        Self {
            readers,
            trials,
            reader_sd: 0.05,
            case_variance: 0.05,
            margin,
        }
    }
}

/// What a design can show. Shares, in 0..1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// Of one reader's accuracy.
    pub wilson_half_width: f64,
    /// Of the mean of all readers, who and whose clips come by chance. None for one reader, or one trial.
    pub mrmc: Option<PlannedPrecision>,
    /// To tell an accuracy of [`TRUTH`] from chance.
    pub power: f64,
    /// Trials that show equivalence to chance.
    pub equivalence_n: u64,
}

/// Why nothing can be said of a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PowerError {
    #[error("a reader has one trial at least")]
    Trials,
    #[error("the margin of equivalence is above 0 and below 0.5")]
    Margin,
    #[error(
        "the readers' SD and the clips' variance are 0 or more, and not more than an answer varies: SD squared \
         and variance together are at most 0.25"
    )]
    Variance,
}

/// What a design can show where readers guess.
///
/// # Errors
/// When there is nothing to read, or what is assumed cannot be.
pub fn power(assumed: &Assumed) -> Result<Power, PowerError> {
    let Assumed {
        readers, trials, ..
    } = *assumed;
    let n = trials as u64;
    let design = Design {
        readers,
        trials,
        reader_sd: assumed.reader_sd,
        case_variance: assumed.case_variance,
        p: 0.5,
    };
    let mrmc = design.precision(LEVEL);
    // One reader alone says nothing about others.
    if mrmc.is_none() && readers > 1 && trials > 1 {
        return Err(PowerError::Variance);
    }
    Ok(Power {
        wilson_half_width: wilson_half_width(n, LEVEL).ok_or(PowerError::Trials)?,
        mrmc,
        power: binomial_power(n, TRUTH, 1.0 - LEVEL).ok_or(PowerError::Trials)?,
        equivalence_n: trials_for_equivalence(assumed.margin, 1.0 - LEVEL, POWER)
            .ok_or(PowerError::Margin)?,
    })
}

/// Readers whose result says something about others.
pub const FEW: usize = 5;

/// What has to be known of a design before it is read.
pub fn warnings(readers: usize) -> Vec<String> {
    let mut all = Vec::new();
    if readers < FEW {
        let who = match readers {
            1 => "this reader".to_owned(),
            n => format!("these {n} readers"),
        };
        all.push(format!(
            "The result will speak of {who} alone: with under {FEW} readers, how they differ is hardly known."
        ));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_design_shows_what_the_statistics_say() {
        let found = power(&Assumed::usual(3, 100, 0.1)).unwrap();
        assert!((found.mrmc.unwrap().half_width - 0.1309).abs() < 5e-5);
        assert_eq!(found.equivalence_n, 215);
        let one = power(&Assumed::usual(1, 100, 0.1)).unwrap();
        assert!(one.mrmc.is_none());
        for (readers, trials, margin, why) in [
            (3, 0, 0.1, PowerError::Trials),
            (3, 100, 0.5, PowerError::Margin),
        ] {
            assert_eq!(power(&Assumed::usual(readers, trials, margin)), Err(why));
        }
        let wild = Assumed {
            reader_sd: 0.6,
            ..Assumed::usual(3, 100, 0.1)
        };
        assert_eq!(power(&wild), Err(PowerError::Variance));
    }

    #[test]
    fn few_readers_are_warned_of() {
        assert!(warnings(1)[0].contains("this reader alone"));
        assert!(warnings(4)[0].contains("these 4 readers alone"));
        assert!(warnings(5).is_empty());
    }
}
