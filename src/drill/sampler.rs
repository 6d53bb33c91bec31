//! Which cases come in which order: a pure function of what there is to draw from, a seed and options, the same
//! on every machine.

use super::case::{Band, Case, Rung};
use super::set::{CaseSet, simulated};
use crate::hash::sha256;
use crate::phantom::Quality;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use std::collections::{BTreeSet, VecDeque};
use strum::IntoEnumIterator;

/// Cases between two of one heart, at least, where there are so many hearts.
const APART: usize = 4;
/// Cards of a deck of bands, by which shares are kept.
const DECK: usize = 20;

/// What cases are drawn from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Simulated hearts of any EF to a tenth of a point.
    BuiltIn {
        hearts: u64,
        quality: Quality,
    },
    Set(CaseSet),
}

/// Hearts of the built-in source.
pub const BUILT_IN_HEARTS: u64 = 200;
/// What the built-in source draws with: another value where the same seed would show another heart.
const BUILT_IN: &str = "echoif built-in hearts 1";

impl Source {
    pub fn built_in(quality: Quality) -> Self {
        Self::BuiltIn {
            hearts: BUILT_IN_HEARTS,
            quality,
        }
    }

    /// What tells one source from another.
    pub fn sha256(&self) -> String {
        match self {
            Self::BuiltIn { hearts, quality } => {
                sha256(format!("{BUILT_IN}, {hearts}, {}", quality.name()).as_bytes())
            }
            Self::Set(set) => set.sha256(),
        }
    }

    /// How many cases a sitting gets at most, of bands with a share and without those that were seen; none where there
    /// are more than anybody asks for.
    pub fn there(&self, shares: [f64; Band::COUNT], seen: &BTreeSet<&str>) -> Option<usize> {
        let Self::Set(set) = self else {
            return None;
        };
        let bands: BTreeSet<Band> = cards(shares).into_iter().collect();
        let rungs = set.ladders.iter().flat_map(|l| &l.rungs);
        let is_there =
            |r: &&Rung| bands.contains(&Band::of(r.ef_percent)) && !seen.contains(r.case.as_str());
        Some(rungs.filter(is_there).count())
    }

    fn hearts(&self) -> usize {
        match self {
            Self::BuiltIn { hearts, .. } => *hearts as usize,
            Self::Set(set) => set.ladders.len(),
        }
    }

    /// The case of a heart nearest to an EF within a band that was not shown before; none where it has none there.
    fn case(
        &self,
        heart: usize,
        band: Band,
        ef_percent: f64,
        shown: &BTreeSet<String>,
    ) -> Option<Case> {
        match self {
            Self::BuiltIn { quality, .. } => {
                let (seed, ef_percent) = (heart as u64, (10.0 * ef_percent).round() / 10.0);
                let case = simulated(seed, ef_percent, *quality);
                (!shown.contains(&case.case)).then_some(case)
            }
            Self::Set(set) => {
                let ladder = set.ladders.get(heart)?;
                let in_band = ladder
                    .rungs
                    .iter()
                    .filter(|r| Band::of(r.ef_percent) == band && !shown.contains(&r.case));
                let off = |ef: f64| (ef - ef_percent).abs();
                let rung =
                    in_band.min_by(|a, b| off(a.ef_percent).total_cmp(&off(b.ef_percent)))?;
                Some(ladder.case(rung))
            }
        }
    }
}

/// Numbers by chance that follow from a text.
pub(super) fn random_of(text: &str) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (byte, digit) in key.iter_mut().zip(sha256(text.as_bytes()).bytes()) {
        *byte = digit;
    }
    ChaCha8Rng::from_seed(key)
}

/// Draws cases, one after the other, none twice: a clip that is seen again is recognised, not read.
pub struct Sampler {
    source: Source,
    random: ChaCha8Rng,
    /// Cards of bands, by share.
    cards: Vec<Band>,
    bands: Vec<Band>,
    hearts: Vec<usize>,
    /// The hearts of the last cases.
    last: VecDeque<usize>,
    shown: BTreeSet<String>,
}

impl Sampler {
    /// `shares` of the five bands, in their order; they need not add up to 1.
    pub fn new(source: Source, seed: u64, shares: [f64; Band::COUNT]) -> Self {
        Self {
            // Another source draws another order from the same seed.
            random: random_of(&format!("{} {seed} {shares:?}", source.sha256())),
            source,
            cards: cards(shares),
            bands: Vec::new(),
            hearts: Vec::new(),
            last: VecDeque::new(),
            shown: BTreeSet::new(),
        }
    }

    /// All bands alike.
    pub fn even(source: Source, seed: u64) -> Self {
        Self::new(source, seed, [1.0; Band::COUNT])
    }

    fn below(&mut self, n: usize) -> usize {
        (self.random.next_u64() % n.max(1) as u64) as usize
    }

    fn shuffled<T>(&mut self, mut items: Vec<T>) -> Vec<T> {
        for i in (1..items.len()).rev() {
            let j = self.below(i + 1);
            items.swap(i, j);
        }
        items
    }

    /// An EF of a band, all alike, in percent.
    fn ef(&mut self, band: Band) -> f64 {
        let (low, high) = band.drawn();
        let tenths = (10.0 * (high - low)).round() as usize;
        low + self.below(tenths + 1) as f64 / 10.0
    }

    /// Takes from the hearts that are left the first that may come, with a case in this band.
    fn take_heart(&mut self, band: Band, ef_percent: f64, apart: usize) -> Option<Case> {
        let may_come = |heart: &usize| !self.last.iter().rev().take(apart).any(|l| l == heart);
        let found = self.hearts.iter().enumerate().find_map(|(i, heart)| {
            let case = self.source.case(*heart, band, ef_percent, &self.shown);
            Some((i, case.filter(|_| may_come(heart))?))
        });
        let (i, case) = found?;
        let heart = self.hearts.remove(i);
        self.shown.insert(case.case.clone());
        self.last.push_back(heart);
        if self.last.len() > APART {
            self.last.pop_front();
        }
        Some(case)
    }

    fn draw(&mut self, apart: usize) -> Option<Case> {
        if self.bands.is_empty() {
            let cards = self.cards.clone();
            self.bands = self.shuffled(cards);
        }
        // Every heart comes once before any comes twice.
        if self.hearts.is_empty() {
            self.hearts = self.shuffled((0..self.source.hearts()).collect());
        }
        for i in 0..self.bands.len() {
            let Some(&band) = self.bands.get(i) else {
                continue;
            };
            let ef_percent = self.ef(band);
            if let Some(case) = self.take_heart(band, ef_percent, apart) {
                self.bands.remove(i);
                return Some(case);
            }
        }
        None
    }
}

impl Iterator for Sampler {
    type Item = Case;

    /// None where no case is left.
    fn next(&mut self) -> Option<Case> {
        // A set may lack a band: then the cards that are left go; then the hearts that are left; and at its end
        // hearts come nearer to each other.
        for apart in (0..=APART).rev() {
            let found = self
                .draw(apart)
                .or_else(|| {
                    self.bands.clear();
                    self.draw(apart)
                })
                .or_else(|| {
                    self.hearts.clear();
                    self.draw(apart)
                });
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// Cards of a deck, by the largest remainders.
fn cards(shares: [f64; Band::COUNT]) -> Vec<Band> {
    let sum: f64 = shares.iter().map(|s| s.max(0.0)).sum();
    let wanted = shares.map(|s| match sum > 0.0 {
        true => DECK as f64 * s.max(0.0) / sum,
        false => (DECK / Band::COUNT) as f64,
    });
    let mut counts = wanted.map(|w| w.floor() as usize);
    let mut rest: Vec<usize> = (0..Band::COUNT).collect();
    let left = |i: &usize| wanted.get(*i).map_or(0.0, |w| w.fract());
    rest.sort_by(|a, b| left(b).total_cmp(&left(a)));
    let missing = DECK.saturating_sub(counts.iter().sum());
    for i in rest.into_iter().take(missing) {
        if let Some(count) = counts.get_mut(i) {
            *count += 1;
        }
    }
    let each = Band::iter().zip(counts);
    each.flat_map(|(band, n)| std::iter::repeat_n(band, n))
        .collect()
}

/// What tells one list of cases from another.
pub fn sha256_of(cases: &[Case]) -> String {
    let lines: Vec<String> = cases
        .iter()
        .map(|c| format!("{} {} {}\n", c.case, c.ladder, c.ef_percent))
        .collect();
    sha256(lines.concat().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::set::Simulated;
    use std::collections::BTreeMap;

    fn built_in(seed: u64, n: usize) -> Vec<Case> {
        let source = Source::built_in(Quality::Good);
        Sampler::even(source, seed).take(n).collect()
    }

    #[test]
    fn the_same_cases_everywhere() {
        assert_eq!(built_in(7, 40), built_in(7, 40));
        assert_ne!(built_in(7, 40), built_in(8, 40));
        // On another machine and in another version, too.
        assert_eq!(
            sha256_of(&built_in(7, 1000))[..16].to_owned(),
            "d5d8e8c65b9a3828"
        );
    }

    #[test]
    fn shares_are_kept_and_hearts_are_far_apart() {
        let cases = built_in(1, 1000);
        let mut of_band: BTreeMap<Band, usize> = BTreeMap::new();
        for case in &cases {
            *of_band.entry(case.band()).or_default() += 1;
        }
        assert!(
            of_band.values().all(|n| (170..=230).contains(n)),
            "{of_band:?}"
        );
        for five in cases.windows(5) {
            let hearts: BTreeSet<_> = five.iter().map(|c| &c.ladder).collect();
            assert_eq!(hearts.len(), 5);
        }
        let first: BTreeSet<_> = cases[..200].iter().map(|c| &c.ladder).collect();
        assert_eq!(first.len(), 200, "every heart once before any twice");
        // Even within a band: the mean of each lies in its middle.
        for band in Band::iter() {
            let efs = cases
                .iter()
                .filter(|c| c.band() == band)
                .map(|c| c.ef_percent);
            let (low, high) = band.drawn();
            let mean = crate::statistics::mean(efs);
            assert!(
                (mean - (low + high) / 2.0).abs() < 0.12 * (high - low),
                "{band:?} {mean}"
            );
        }
    }

    #[test]
    fn a_set_gives_what_it_has() {
        let set = CaseSet::simulated(&Simulated {
            hearts: 6,
            efs: vec![20.0, 35.0, 45.0],
            quality: Quality::Good,
            seed: 1,
        });
        let shares = [0.0, 1.0, 1.0, 0.0, 0.0];
        let source = Source::Set(set.clone());
        let cases: Vec<Case> = Sampler::new(source.clone(), 3, shares).collect();
        assert_eq!(cases.len(), 12, "each once");
        let seen = BTreeSet::from(["h0001-200", "h0001-350", "h0099-350"]);
        let there = [BTreeSet::new(), seen].map(|seen| source.there(shares, &seen));
        assert_eq!(there, [Some(12), Some(11)]);
        let built_in = Source::built_in(Quality::Good);
        assert_eq!(built_in.there(shares, &BTreeSet::new()), None);
        assert!(cases.iter().all(|c| c.ef_percent > 30.0));
        for five in cases[..8].windows(5) {
            let hearts: BTreeSet<_> = five.iter().map(|c| &c.ladder).collect();
            assert_eq!(hearts.len(), 5);
        }
        // Bands that it lacks are passed over; one heart alone comes as long as it has cases.
        let one = CaseSet {
            ladders: set.ladders[..1].to_vec(),
            ..set
        };
        assert_eq!(Sampler::even(Source::Set(one.clone()), 1).count(), 3);
        let none = Sampler::new(Source::Set(one), 1, [0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(none.take(9).count(), 0);
    }

    #[test]
    fn a_deck_keeps_the_shares() {
        let count = |shares| {
            let deck = cards(shares);
            assert_eq!(deck.len(), DECK);
            Band::iter()
                .map(|b| deck.iter().filter(|c| **c == b).count())
                .collect::<Vec<_>>()
        };
        assert_eq!(count([1.0; 5]), [4; 5]);
        assert_eq!(count([0.0; 5]), [4; 5]);
        assert_eq!(count([0.1, 0.1, 0.1, 0.1, 0.6]), [2, 2, 2, 2, 12]);
        assert_eq!(count([1.0, 1.0, 1.0, 0.0, 0.0]), [7, 7, 6, 0, 0]);
    }
}
