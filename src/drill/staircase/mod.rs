//! *Which is lower?*: the difference in EF that a trainee just tells, by [QUEST+](quest).

mod observers;
mod quest;

pub use observers::{Recovery, Simulated, recovery};

use quest::Quest;

/// Differences between two rungs, in EF points.
pub const LEVELS: [f64; 18] = [
    1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, 16.0, 20.0, 25.0, 30.0,
    40.0,
];
/// Of [`LEVELS`], the first that is shown: 16 points.
const FIRST: usize = 13;
/// Values of alpha, 40^(i/40) points.
const ALPHAS: usize = 41;
const SLOPES: [f64; 5] = [1.0, 1.5, 2.0, 3.0, 4.0];
const LAPSES: [f64; 2] = [0.02, 0.06];
/// Trials at least and at most.
pub const TRIALS: std::ops::RangeInclusive<usize> = 30..=60;
/// The interval spans at most this factor when it is enough.
const ENOUGH: f64 = 2.5;
/// A just-noticeable difference above it cannot be told within the levels.
const MEASURABLE: f64 = 25.0;
const INTERVAL: [f64; 2] = [0.025, 0.975];

/// Who tells smaller differences, and how surely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observer {
    /// Points; with the slope, how the share of right answers grows with the difference.
    pub alpha: f64,
    pub slope: f64,
    /// Share of trials in which the answer is guessed whatever is shown, twice over.
    pub lapse: f64,
}

impl Observer {
    /// The probability of a right answer to a difference of so many points:
    /// `0.5 + (0.5 - lapse)(1 - exp(-(d/alpha)^slope))`.
    pub fn right(&self, points: f64) -> f64 {
        let told = 1.0 - (-(points / self.alpha).powf(self.slope)).exp();
        0.5 + (0.5 - self.lapse) * told
    }

    /// The difference that is told in 75 % of trials, in points.
    pub fn noticeable(&self) -> f64 {
        let share = 0.25 / (0.5 - self.lapse);
        self.alpha * (-(1.0 - share).ln()).powf(1.0 / self.slope)
    }
}

/// A trainee's just-noticeable difference, in points.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Noticeable {
    /// Median.
    pub value: f64,
    /// 95 % interval.
    pub low: f64,
    pub high: f64,
}

impl Noticeable {
    /// Whether it lies where the levels can tell.
    pub fn is_measurable(&self) -> bool {
        self.value <= MEASURABLE
    }
}

impl std::fmt::Display for Noticeable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.is_measurable() {
            true => write!(
                f,
                "{:.1} points ({:.1} to {:.1})",
                self.value, self.low, self.high
            ),
            false => f.write_str("not measurable in this range"),
        }
    }
}

/// A staircase on its way.
#[derive(Clone, Debug)]
pub struct Staircase {
    observers: Vec<Observer>,
    /// Places of observers, by their just-noticeable difference.
    order: Vec<usize>,
    quest: Quest,
    trials: usize,
}

impl Default for Staircase {
    fn default() -> Self {
        Self::new()
    }
}

impl Staircase {
    pub fn new() -> Self {
        let alpha = |i: usize| 40f64.powf(i as f64 / (ALPHAS - 1) as f64);
        let mut observers = Vec::with_capacity(ALPHAS * SLOPES.len() * LAPSES.len());
        for i in 0..ALPHAS {
            for slope in SLOPES {
                for lapse in LAPSES {
                    let alpha = alpha(i);
                    observers.push(Observer {
                        alpha,
                        slope,
                        lapse,
                    });
                }
            }
        }
        let right = |level: usize, observer: usize| {
            let points = LEVELS.get(level).copied().unwrap_or_default();
            observers.get(observer).map_or(0.5, |o| o.right(points))
        };
        let quest = Quest::new(LEVELS.len(), observers.len(), right);
        let noticeable: Vec<f64> = observers.iter().map(Observer::noticeable).collect();
        let of = |i: usize| noticeable.get(i).copied().unwrap_or(f64::INFINITY);
        let mut order: Vec<usize> = (0..observers.len()).collect();
        order.sort_by(|a, b| of(*a).total_cmp(&of(*b)));
        Self {
            observers,
            order,
            quest,
            trials: 0,
        }
    }

    /// What trials show: each the difference that was shown, in points, and whether the answer was right. None for
    /// fewer than a sitting has at least.
    pub fn replayed(trials: impl IntoIterator<Item = (f64, bool)>) -> Option<Noticeable> {
        let mut staircase = Self::new();
        for (points, is_right) in trials {
            staircase.learn(points, is_right);
        }
        (staircase.trials >= *TRIALS.start()).then(|| staircase.noticeable())
    }

    pub fn trials(&self) -> usize {
        self.trials
    }

    /// The difference that is to be shown next, in points.
    pub fn next(&self) -> f64 {
        let level = match self.trials {
            0 => FIRST,
            _ => self.quest.next(),
        };
        LEVELS.get(level).copied().unwrap_or_default()
    }

    /// Learns from an answer. `points` is the difference that was shown; where it is none of [`LEVELS`], it is
    /// learnt from as the nearest of them.
    pub fn learn(&mut self, points: f64, is_right: bool) {
        let distance = |level: usize| {
            LEVELS
                .get(level)
                .map_or(f64::INFINITY, |l| (l - points).abs())
        };
        let nearest = (0..LEVELS.len()).min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        if let Some(level) = nearest {
            self.quest.learn(level, is_right);
        }
        self.trials += 1;
    }

    /// What is known of the trainee.
    pub fn noticeable(&self) -> Noticeable {
        let [low, high] = INTERVAL;
        Noticeable {
            value: self.quantile(0.5),
            low: self.quantile(low),
            high: self.quantile(high),
        }
    }

    /// The smallest just-noticeable difference up to which the posterior has this share.
    fn quantile(&self, share: f64) -> f64 {
        let posterior = self.quest.posterior();
        let mut sum = 0.0;
        for &place in &self.order {
            sum += posterior.get(place).copied().unwrap_or_default();
            if sum >= share {
                return self
                    .observers
                    .get(place)
                    .map_or(f64::NAN, Observer::noticeable);
            }
        }
        let last = self
            .order
            .last()
            .and_then(|&place| self.observers.get(place));
        last.map_or(f64::NAN, Observer::noticeable)
    }

    /// Whether enough is known, or as much as a sitting gives.
    pub fn is_done(&self) -> bool {
        let known = self.noticeable();
        self.trials >= *TRIALS.end()
            || (self.trials >= *TRIALS.start() && known.high <= ENOUGH * known.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The levels that another implementation of the same grids shows.
    #[test]
    fn the_drills_own_sequence() {
        let mut staircase = Staircase::new();
        let mut shown = Vec::new();
        for answer in "CCCCCICCCICCICCCCCIC".chars() {
            let points = staircase.next();
            shown.push(points);
            assert!(!staircase.is_done());
            staircase.learn(points, answer == 'C');
        }
        let levels = [
            16.0, 6.0, 5.0, 4.0, 3.0, 3.0, 6.0, 5.0, 5.0, 4.0, 7.0, 6.0, 6.0, 8.0, 8.0, 7.0, 6.0,
            6.0, 5.0, 8.0,
        ];
        assert_eq!(shown, levels);
        let known = staircase.noticeable();
        assert!((known.value - 4.819_502_075_8).abs() < 1e-6, "{known:?}");
        assert!((known.low - 1.756_152_997_8).abs() < 1e-6, "{known:?}");
        assert!((known.high - 13.884_526_748_6).abs() < 1e-6, "{known:?}");
        assert!(known.is_measurable());
    }

    #[test]
    fn a_difference_between_levels_is_learnt_from_as_the_nearest() {
        let (mut between, mut level) = (Staircase::new(), Staircase::new());
        between.learn(15.1, true);
        level.learn(16.0, true);
        assert_eq!(between.noticeable(), level.noticeable());
        assert_eq!(between.next(), level.next());
    }

    #[test]
    fn an_observer_tells_their_noticeable_difference_in_three_of_four() {
        let observer = Observer {
            alpha: 6.0,
            slope: 2.0,
            lapse: 0.02,
        };
        assert!((observer.noticeable() - 5.1464).abs() < 1e-4);
        assert!((observer.right(observer.noticeable()) - 0.75).abs() < 1e-12);
        assert!((observer.right(0.0) - 0.5).abs() < 1e-12);
    }
}
