//! In which order a list is read, and what is read twice.

use crate::study::plan::{Kind, Trial};
use crate::study::secret::Random;

/// Trials between the first time a clip is read and the second.
pub const APART: usize = 20;

/// The trials of one reader from a list of identifiers: in any order alike (balanced blocks could be
/// counted), with `repeats` of them once more, at least [`APART`] trials later. `None` where the list is too
/// short for that.
pub fn trials(
    mut clips: Vec<String>,
    practice: &[String],
    repeats: usize,
    block: usize,
    random: &mut Random,
) -> Option<Vec<Trial>> {
    random.shuffle(&mut clips);
    let n = clips.len();
    // Places of clips that have room for a repeat behind them.
    let mut early: Vec<usize> = (0..n.saturating_sub(APART - 1)).collect();
    if repeats > early.len() {
        return None;
    }
    random.shuffle(&mut early);
    // Before which place of the list each is read again: what stands between only moves it further away.
    let mut again: Vec<(usize, usize)> = early
        .into_iter()
        .take(repeats)
        .map(|first| (first + APART + random.below(n + 1 - first - APART), first))
        .collect();
    again.sort_unstable();
    let mut scored = Vec::with_capacity(n + repeats);
    let mut waiting = again.into_iter().peekable();
    for place in 0..=n {
        while let Some((_, first)) = waiting.next_if(|(before, _)| *before == place) {
            scored.push((clips.get(first)?.clone(), Kind::Repeat));
        }
        if let Some(clip) = clips.get(place) {
            scored.push((clip.clone(), Kind::Scored));
        }
    }
    let practice = practice
        .iter()
        .map(|clip| (clip.clone(), Kind::Practice, 0));
    let scored = scored.into_iter().enumerate();
    let scored = scored.map(|(i, (clip, kind))| (clip, kind, 1 + i / block.max(1)));
    let trial = |(i, (clip, kind, block))| Trial {
        trial: i + 1,
        clip,
        kind,
        block,
    };
    Some(practice.chain(scored).enumerate().map(trial).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::secret::Secret;
    use std::collections::BTreeMap;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("{i:016x}")).collect()
    }

    fn made(n: usize, repeats: usize, seed: u8) -> Option<Vec<Trial>> {
        let mut random = Secret::new([seed; 32]).random("order");
        trials(names(n), &names(2), repeats, 25, &mut random)
    }

    #[test]
    fn repeats_are_far_from_the_first_reading() {
        for seed in 0..40 {
            for (n, repeats) in [(21, 2), (30, 11), (100, 20), (100, 81), (40, 0)] {
                let trials = made(n, repeats, seed).unwrap();
                assert_eq!(trials.len(), n + repeats + 2);
                assert!(trials.iter().zip(1..).all(|(t, i)| t.trial == i));
                let mut first = BTreeMap::new();
                let mut again = 0;
                for trial in &trials {
                    match trial.kind {
                        Kind::Practice => assert_eq!(trial.block, 0),
                        Kind::Scored => {
                            assert_eq!(first.insert(trial.clip.clone(), trial.trial), None);
                        }
                        Kind::Repeat => {
                            assert!(trial.trial - first[&trial.clip] >= APART);
                            again += 1;
                        }
                    }
                }
                assert_eq!((first.len(), again), (n, repeats));
                let last = trials.last().unwrap().block;
                assert_eq!(last, (n + repeats).div_ceil(25));
            }
        }
    }

    #[test]
    fn a_list_too_short_for_its_repeats_is_refused() {
        assert!(made(20, 1, 0).is_some());
        assert_eq!(made(20, 2, 0), None);
        assert_eq!(made(10, 1, 0), None);
    }

    #[test]
    fn every_place_is_as_likely_for_a_clip() {
        let place = |seed| {
            let mut random = Secret::new([seed; 32]).random("order");
            let trials = trials(names(4), &[], 0, 25, &mut random).unwrap();
            trials.iter().position(|t| t.clip.ends_with('0')).unwrap()
        };
        let mut counts = [0; 4];
        (0..=255).for_each(|seed| counts[place(seed)] += 1);
        // Expected 64, standard deviation 7.
        assert!(counts.iter().all(|n| (40..90).contains(n)), "{counts:?}");
    }
}
