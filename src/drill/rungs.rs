//! The rungs around a case: the same heart somewhat lower and higher, and as it was guessed.

use super::case::{self as set, Case, RANGE, Recipe};
use super::sampler::Source;
use super::set::simulated;

/// Points below and above a case.
const STEPS: [f64; 4] = [-10.0, -5.0, 5.0, 10.0];
/// How far a rung of a set may be from where it is looked for.
const NEAR: f64 = 2.0;

/// A rung beside a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    pub role: Role,
    pub case: Case,
}

/// What a rung is to the case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// About so many points from it.
    Step(f64),
    /// The heart that was guessed.
    Guessed,
}

/// The same heart five and ten points lower and higher, and at the guess, by EF; those that there are. Of simulated
/// hearts each within 5 to 90 %, of a set's clips the nearest rung within two points.
pub fn around(case: &Case, guess_percent: Option<u32>, source: &Source) -> Vec<Rung> {
    let steps = STEPS.map(|by| (Role::Step(by), case.ef_percent + by));
    let guess = guess_percent.map(|g| (Role::Guessed, f64::from(g)));
    let wanted = steps.into_iter().chain(guess);
    let found = wanted.filter_map(|(role, ef)| {
        let case = at(case, ef, source)?;
        Some(Rung { role, case })
    });
    found.collect()
}

/// The case's heart at an EF in percent; none where it cannot be had.
pub fn at(case: &Case, ef_percent: f64, source: &Source) -> Option<Case> {
    match (&case.recipe, source) {
        (Recipe::Simulated { seed }, _) => {
            let ef_percent = (10.0 * ef_percent).round() / 10.0;
            let may = RANGE.contains(&ef_percent);
            may.then(|| simulated(*seed, ef_percent, case.quality))
        }
        (Recipe::Clip { .. }, Source::Set(set)) => {
            let ladder = set.ladders.iter().find(|l| l.ladder == case.ladder)?;
            let off = |r: &&set::Rung| (r.ef_percent - ef_percent).abs();
            let near = ladder.rungs.iter().filter(|r| off(r) <= NEAR);
            let nearest = near.min_by(|a, b| off(a).total_cmp(&off(b)))?;
            Some(ladder.case(nearest))
        }
        (Recipe::Clip { .. }, Source::BuiltIn { .. }) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::case::{Ladder, Rung as SetRung, Truth};
    use crate::drill::set::{CaseSet, FORMAT, VERSION};
    use crate::phantom::Quality;

    #[test]
    fn a_simulated_heart_has_every_rung_within_the_range() {
        let case = simulated(7, 82.0, Quality::Poor);
        let source = Source::built_in(Quality::Poor);
        let rungs = around(&case, Some(52), &source);
        let efs: Vec<f64> = rungs.iter().map(|r| r.case.ef_percent).collect();
        assert_eq!(efs, [72.0, 77.0, 87.0, 52.0]);
        assert_eq!(rungs[3].role, Role::Guessed);
        assert!(rungs.iter().all(|r| r.case.quality == Quality::Poor));
    }

    #[test]
    fn a_sets_clips_have_the_rungs_that_there_are() {
        let rung = |ef: u32| SetRung {
            case: format!("c{ef}"),
            ef_percent: f64::from(ef),
            recipe: Recipe::Clip {
                pixels_sha256: format!("{ef}"),
            },
        };
        let set = CaseSet {
            format: FORMAT.into(),
            version: VERSION,
            name: String::new(),
            truth: Truth::Measured,
            truth_source: "x".into(),
            truth_error_points: 3.0,
            ladders: vec![Ladder {
                ladder: "l".into(),
                quality: Quality::Good,
                rungs: [30, 36, 41, 60].map(rung).to_vec(),
            }],
        };
        let case = set.cases().nth(2).unwrap();
        let rungs = around(&case, Some(59), &Source::Set(set));
        let names: Vec<&str> = rungs.iter().map(|r| r.case.case.as_str()).collect();
        assert_eq!(names, ["c30", "c36", "c60"]);
    }
}
