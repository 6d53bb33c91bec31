//! Whether a plan can be followed. What was sealed is trusted no more than what lay open: the sizes in it
//! decide how much memory and time a session takes.

use super::{BARS, Kind, Plan, Presentation, Reading, Trial};
use crate::study::hex::is_hex;
use std::collections::BTreeSet;

const MOST_READERS: usize = 200;
const MOST_TRIALS: usize = 20_000;
/// Bytes of a text that readers are shown.
const MOST_TEXT: usize = 64 << 10;
/// Bytes of a clip.
const MOST_CLIP: usize = 256 << 20;
/// Nothing on screen comes and goes more than three times a second (WCAG 2.3.1).
const SHORTEST_LOOP_MS: f64 = 1000.0 / 3.0;

impl Plan {
    /// What no plan has, in words that follow "this plan cannot be used".
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let rules = [
            (
                is_hex(&self.study, 16),
                "the study's identifier is not 16 hexadecimal digits",
            ),
            (
                is_hex(&self.key_commitment, 64),
                "what it says of its key is no SHA-256",
            ),
            (
                self.title.len() <= MOST_TEXT && self.program.len() <= MOST_TEXT,
                "its title is too long",
            ),
            (
                self.answering_is_sound(),
                "no answer could be given as it says",
            ),
            (
                (1..=MOST_TRIALS).contains(&self.session.block)
                    && self.session.break_s <= 24 * 60 * 60
                    && self.session.max_pause_h <= 366 * 24,
                "its blocks, breaks or pauses are of no length that a session has",
            ),
            (
                self.shares_are_sound(),
                "its shares do not add up to the whole",
            ),
            (
                self.analysis.level > 0.0
                    && self.analysis.level < 1.0
                    && self.analysis.equivalence_margin > 0.0
                    && self.analysis.equivalence_margin < 0.5,
                "its level is not between 0 and 1, or its margin not between 0 and 0.5",
            ),
            (
                [
                    &self.texts.instruction,
                    &self.texts.consent,
                    &self.texts.debrief,
                ]
                .iter()
                .all(|text| text.len() <= MOST_TEXT),
                "its texts are too long to be read",
            ),
            (
                (1..=MOST_READERS).contains(&self.readers.len()),
                "it has no readers, or more than 200",
            ),
        ];
        if let Some((_, why)) = rules.into_iter().find(|(holds, _)| !holds) {
            return Err(why);
        }
        self.presentation.check()?;
        let mut names = BTreeSet::new();
        for reading in &self.readers {
            // Logs are named after readers, on file systems that know no capitals, too.
            if !names.insert(reading.reader.to_ascii_lowercase()) {
                return Err("two of its readers have one name");
            }
            reading.check()?;
        }
        Ok(())
    }

    fn answering_is_sound(&self) -> bool {
        let answer = &self.answer;
        let limit = answer.time_limit_s;
        let least = f64::from(answer.min_view_ms) / 1000.0;
        (answer.confidence == 0 || (2..=9).contains(&answer.confidence))
            && answer.min_view_ms <= 60_000
            && limit.is_none_or(|limit| limit > least && limit <= 3600.0)
    }

    fn shares_are_sound(&self) -> bool {
        let s = &self.shares;
        let all = [s.real, s.factual, s.counterfactual];
        all.iter().all(|share| (0.0..=1.0).contains(share))
            && (all.iter().sum::<f64>() - 1.0).abs() < 1e-6
    }
}

impl Presentation {
    fn check(&self) -> Result<(), &'static str> {
        let bytes = self
            .frames
            .checked_mul(self.height)
            .and_then(|n| n.checked_mul(self.width));
        let sizes = bytes.is_some_and(|n| (1..=MOST_CLIP).contains(&n))
            && (2..=256).contains(&self.levels)
            && (16..=4096).contains(&self.points);
        if !sizes {
            return Err("its clips are of a size that no clip has");
        }
        let rates = (0.1..=240.0).contains(&self.fps) && self.loop_gap_ms <= 10_000;
        if !rates {
            return Err("its clips are of a rate that no clip has");
        }
        if self.loop_ms() < SHORTEST_LOOP_MS {
            return Err("its clips are so short that they would flash: they need longer gaps");
        }
        Ok(())
    }
}

impl Reading {
    /// Blocks of the trials that count, without practice.
    pub fn blocks(&self) -> usize {
        self.trials.last().map_or(0, |t| t.block)
    }

    fn check(&self) -> Result<(), &'static str> {
        let name = &self.reader;
        let letters = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !letters || name.is_empty() || name.len() > 32 {
            return Err("a reader's name is not of letters and digits");
        }
        if !(1..=MOST_TRIALS).contains(&self.trials.len()) {
            return Err("a reader has no trials, or more than 20000");
        }
        let (mut scored, mut practised) = (BTreeSet::new(), BTreeSet::new());
        let mut block = 0;
        for (
            i,
            Trial {
                trial,
                clip,
                kind,
                block: of,
            },
        ) in self.trials.iter().enumerate()
        {
            if *trial != i + 1 || !is_hex(clip, 16) {
                return Err("its trials are not numbered from 1, or name no clips");
            }
            let clip = clip.as_str();
            let practice = *kind == Kind::Practice;
            if practice != (*of == 0) || !(*of == block || *of == block + 1) {
                return Err("its blocks are not numbered from 1, with practice before them");
            }
            block = *of;
            let in_place = match kind {
                Kind::Practice => {
                    practised.insert(clip);
                    true
                }
                Kind::Scored => clip != BARS && scored.insert(clip),
                Kind::Repeat => scored.contains(clip),
            };
            if !in_place {
                return Err("a reader is shown a clip twice that is no repeat, or a repeat once");
            }
        }
        if scored.iter().any(|clip| practised.contains(clip)) {
            return Err("a clip of practice counts in another trial");
        }
        Ok(())
    }
}
