//! *Which is lower?*: two clips side by side, whose difference in EF the [staircase](super::staircase) chooses.
//!
//! A pure function of what there is to draw from, a seed and the answers, the same on every machine.

mod nearest;
mod of_class;

pub use of_class::{OfClass, of_class};

use super::case::{Case, OUTER};
use super::profile::Compared;
use super::sampler::{Source, random_of};
use super::set::simulated;
use super::staircase::{LEVELS, Noticeable, Staircase, TRIALS};
use nearest::{Pool, Wanted};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Trials between two of one heart, at least, where there are enough hearts.
const APART: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Left,
    Right,
}

/// Two cases side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub left: Case,
    pub right: Case,
    /// The difference that is shown, in EF points, above 0.
    pub points: f64,
    /// Where the lower EF is.
    pub lower: Side,
}

impl Pair {
    pub fn case(&self, side: Side) -> &Case {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
}

/// Pairs, one after the other, until enough is known of the trainee.
pub struct Pairs {
    source: Source,
    /// Of a set.
    pool: Pool,
    random: ChaCha8Rng,
    staircase: Staircase,
    different_hearts: bool,
    /// EF points by which the truth itself is off, SD: no smaller difference is asked about.
    truth_error_points: f64,
    /// The hearts of the last trials.
    last: VecDeque<[usize; 2]>,
}

impl Pairs {
    /// `different_hearts`: the two cases are of different hearts, which is harder. `truth_error_points` is an SD.
    pub fn new(source: Source, seed: u64, different_hearts: bool, truth_error_points: f64) -> Self {
        let text = format!("{} {seed} lower {different_hearts}", source.sha256());
        Self {
            pool: match &source {
                Source::BuiltIn { .. } => Pool::default(),
                Source::Set(set) => Pool::of(set),
            },
            random: random_of(&text),
            source,
            staircase: Staircase::new(),
            different_hearts,
            truth_error_points,
            last: VecDeque::new(),
        }
    }

    /// The same, gone on with where it was left: `answered` are its trials so far, in their order.
    pub fn resumed(
        source: Source,
        seed: u64,
        different_hearts: bool,
        truth_error_points: f64,
        answered: &[&Compared],
    ) -> Self {
        let mut pairs = Self::new(source, seed, different_hearts, truth_error_points);
        for trial in answered {
            // Chance goes on as it did; what is learnt is what was kept.
            let _ = pairs.ask();
            pairs.staircase.learn(trial.points, trial.right_answer);
        }
        pairs
    }

    /// Trials that were answered.
    pub fn trials(&self) -> usize {
        self.staircase.trials()
    }

    /// Whether enough is known, or as much was asked as a sitting gives.
    pub fn is_done(&self) -> bool {
        self.staircase.is_done()
    }

    /// What is known of the trainee so far.
    pub fn noticeable(&self) -> Noticeable {
        self.staircase.noticeable()
    }

    /// The pair that comes next; none when enough is known, and where the source has no pair whose truth can be
    /// told apart.
    pub fn ask(&mut self) -> Option<Pair> {
        if self.is_done() {
            return None;
        }
        let level = self.level()?;
        // A small set has one heart again sooner.
        let mut apart = (0..=APART).rev();
        let (hearts, [low, high], points) = apart.find_map(|apart| self.drawn(level, apart))?;
        self.last.push_back(hearts);
        if self.last.len() > APART {
            self.last.pop_front();
        }
        // A coin each time: whoever counts the sides learns nothing of the next.
        let (left, right, lower) = match below(&mut self.random, 2) {
            0 => (low, high, Side::Left),
            _ => (high, low, Side::Right),
        };
        Some(Pair {
            left,
            right,
            points,
            lower,
        })
    }

    /// Learns what was said of a pair: of the difference that was shown, whichever was wanted.
    pub fn answered(&mut self, pair: &Pair, said: Side) {
        self.staircase.learn(pair.points, said == pair.lower);
    }

    /// The difference that is wanted, in points; none where the truth is too far off for all of them.
    fn level(&self) -> Option<f64> {
        let may_ask = |level: &f64| *level >= self.truth_error_points;
        let next = Some(self.staircase.next()).filter(may_ask);
        next.or_else(|| LEVELS.into_iter().find(may_ask))
    }

    /// Two cases, the lower one first, of which hearts, and their difference; of hearts that the last so many
    /// trials did not show.
    fn drawn(&mut self, level: f64, apart: usize) -> Option<([usize; 2], [Case; 2], f64)> {
        let recent: Vec<usize> = self
            .last
            .iter()
            .rev()
            .take(apart)
            .flatten()
            .copied()
            .collect();
        let random = &mut self.random;
        match &self.source {
            Source::BuiltIn { hearts, quality } => {
                let hearts = 0..*hearts as usize;
                let mut hearts: Vec<usize> = hearts.filter(|h| !recent.contains(h)).collect();
                let mut heart = || {
                    let place = below(random, hearts.len());
                    (place < hearts.len()).then(|| hearts.swap_remove(place))
                };
                let low = heart()?;
                let high = match self.different_hearts {
                    true => heart()?,
                    false => low,
                };
                // In tenths of a point, so that the difference is exactly the level; the mean of both is even over
                // what the level leaves of the range.
                let tenths = |points: f64| (10.0 * points).round() as usize;
                let ([from, to], step) = (OUTER.map(tenths), tenths(level));
                let ef = from + below(random, (to - from).checked_sub(step)? + 1);
                let case = |heart: usize, ef| simulated(heart as u64, ef as f64 / 10.0, *quality);
                let cases = [case(low, ef), case(high, ef + step)];
                Some(([low, high], cases, level))
            }
            Source::Set(set) => {
                let wanted = Wanted {
                    level,
                    least: self.truth_error_points,
                    different_hearts: self.different_hearts,
                    recent: &recent,
                };
                let [low, high] = self.pool.nearest(&wanted, |n| below(random, n))?;
                let case = |at: nearest::At| {
                    let ladder = set.ladders.get(at.heart)?;
                    Some(ladder.case(ladder.rungs.get(at.rung)?))
                };
                let cases = [case(low)?, case(high)?];
                Some(([low.heart, high.heart], cases, low.points_to(high)))
            }
        }
    }
}

/// The last sitting that had trials enough to say something, in the order of its trials; empty where none had.
pub fn last_sitting(compared: &[Compared]) -> Vec<&Compared> {
    let mut trials: BTreeMap<&str, usize> = BTreeMap::new();
    for trial in compared {
        *trials.entry(&trial.run).or_default() += 1;
    }
    let is_enough = |c: &&Compared| {
        trials
            .get(c.run.as_str())
            .is_some_and(|n| n >= TRIALS.start())
    };
    let last = compared.iter().rfind(is_enough);
    let of_last = |c: &&Compared| last.is_some_and(|last| last.run == c.run);
    compared.iter().filter(of_last).collect()
}

/// What the [last sitting](last_sitting) shows; none where there is none.
pub fn noticeable_of(compared: &[Compared]) -> Option<Noticeable> {
    let trials = last_sitting(compared).into_iter();
    Staircase::replayed(trials.map(|c| (c.points, c.right_answer)))
}

/// Any of 0..n, all alike.
fn below(random: &mut ChaCha8Rng, n: usize) -> usize {
    (random.next_u64() % n.max(1) as u64) as usize
}

#[cfg(test)]
mod tests;
