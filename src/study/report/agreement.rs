//! Agreement of readers with each other, on clips that at least two of them read, and with themselves.

use super::readings::{Counted, Reading, Readings};
use super::resample::{DRAWS, Draws, interval};
use crate::statistics::agreement::{fleiss_kappa, gwet_ac1, percent_agreement};
use crate::statistics::kappa::{Weights, cohen_kappa};
use crate::statistics::krippendorff::{Scale, krippendorff_alpha};
use crate::statistics::proportion::Interval;
use serde::Serialize;

/// Pairs of more readers have no intervals: their hundreds take long and nobody reads them.
const MOST_READERS: usize = 30;

/// How alike the answers are. All but `clips` are None where no clip is shared, and where a figure is not
/// defined: all beyond chance where all answers are the same. Intervals by resamples of clips; None where all
/// resamples are alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// Read by at least two readers.
    pub clips: usize,
    /// Share of pairs of readers that agree on a clip, averaged over clips, in 0..1.
    pub percent: Option<f64>,
    pub percent_low: Option<f64>,
    pub percent_high: Option<f64>,
    /// Fleiss' kappa. None unless every shared clip has the same number of answers.
    pub fleiss: Option<f64>,
    pub fleiss_low: Option<f64>,
    pub fleiss_high: Option<f64>,
    /// Krippendorff's, of names, with answers missing.
    pub alpha: Option<f64>,
    pub alpha_low: Option<f64>,
    pub alpha_high: Option<f64>,
    /// Gwet's.
    pub ac1: Option<f64>,
    pub ac1_low: Option<f64>,
    pub ac1_high: Option<f64>,
    /// Every two readers who share a clip.
    pub pairs: Vec<Pair>,
    /// Every reader who answered a clip twice.
    pub repeated: Vec<Repeated>,
}

/// Two readers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    pub a: String,
    pub b: String,
    /// That both answered.
    pub clips: usize,
    /// Share that both answered alike, in 0..1.
    pub percent: Option<f64>,
    pub percent_low: Option<f64>,
    pub percent_high: Option<f64>,
    /// Cohen's.
    pub kappa: Option<f64>,
    pub kappa_low: Option<f64>,
    pub kappa_high: Option<f64>,
}

/// One reader, the first answer against that of the repeat.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Repeated {
    pub reader: String,
    /// Repeats where both were answered.
    pub clips: usize,
    pub percent: Option<f64>,
    pub percent_low: Option<f64>,
    pub percent_high: Option<f64>,
    /// Cohen's.
    pub kappa: Option<f64>,
    pub kappa_low: Option<f64>,
    pub kappa_high: Option<f64>,
}

/// Two answers on one clip; true for fake.
type Both = (bool, bool);

/// A figure and its interval.
type Figure = (Option<f64>, Option<Interval>);

pub(super) fn of(readings: &Readings, plan_sha256: &str, level: f64) -> Agreement {
    let fake = |r: &Reading| r.call().map(|call| call > 0.0);
    let (_, rows) = readings.table(|_| true, fake);
    let read = |row: &Vec<Option<bool>>| row.iter().flatten().count();
    let shared: Vec<_> = rows.into_iter().filter(|row| read(row) > 1).collect();
    let [percent, fleiss, alpha, ac1] =
        together(&shared, Draws::new(plan_sha256, "agreement"), level);
    let low = |figure: Figure| figure.1.map(|i| i.low);
    let high = |figure: Figure| figure.1.map(|i| i.high);
    Agreement {
        clips: shared.len(),
        percent: percent.0,
        percent_low: low(percent),
        percent_high: high(percent),
        fleiss: fleiss.0,
        fleiss_low: low(fleiss),
        fleiss_high: high(fleiss),
        alpha: alpha.0,
        alpha_low: low(alpha),
        alpha_high: high(alpha),
        ac1: ac1.0,
        ac1_low: low(ac1),
        ac1_high: high(ac1),
        pairs: pairs(readings, &shared, plan_sha256, level),
        repeated: repeated(readings, plan_sha256, level),
    }
}

/// Percent, Fleiss, alpha and AC1, all of the same draws.
fn together(shared: &[Vec<Option<bool>>], mut draws: Draws, level: f64) -> [Figure; 4] {
    let found = four(shared.iter());
    if shared.is_empty() {
        return [(None, None); 4];
    }
    let mut drawn: [Vec<Option<f64>>; 4] = Default::default();
    for _ in 0..DRAWS {
        let places = draws.places(shared.len());
        let figures = four(places.iter().filter_map(|place| shared.get(*place)));
        for (all, figure) in drawn.iter_mut().zip(figures) {
            all.push(figure);
        }
    }
    let mut figures = [(None, None); 4];
    for ((figure, value), drawn) in figures.iter_mut().zip(found).zip(&drawn) {
        *figure = (value, value.and_then(|_| interval(drawn, level)));
    }
    figures
}

fn four<'r>(clips: impl Iterator<Item = &'r Vec<Option<bool>>>) -> [Option<f64>; 4] {
    let (mut counts, mut observers) = (Vec::new(), Vec::new());
    for (place, row) in clips.enumerate() {
        let of = |wanted: bool| row.iter().flatten().filter(|fake| **fake == wanted).count() as u64;
        counts.push(vec![of(false), of(true)]);
        observers.resize(row.len().max(observers.len()), vec![None; place]);
        for (observer, answer) in observers.iter_mut().zip(row) {
            observer.push(answer.map(|fake| f64::from(u8::from(fake))));
        }
    }
    [
        percent_agreement(&counts),
        fleiss_kappa(&counts),
        krippendorff_alpha(&observers, Scale::Nominal),
        gwet_ac1(&counts),
    ]
}

fn pairs(
    readings: &Readings,
    shared: &[Vec<Option<bool>>],
    plan_sha256: &str,
    level: f64,
) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let names: Vec<&str> = readings.readers.iter().map(|r| r.name).collect();
    for (i, a) in names.iter().enumerate() {
        for (j, b) in names.iter().enumerate().skip(i + 1) {
            let both = |row: &Vec<Option<bool>>| (*row.get(i)?).zip(*row.get(j)?);
            let both: Vec<Both> = shared.iter().filter_map(both).collect();
            if both.is_empty() {
                continue;
            }
            let draws = Draws::new(plan_sha256, &format!("pair {a} {b}"));
            let draws = (names.len() <= MOST_READERS).then_some(draws);
            let (percent, kappa) = of_two(&both, draws, level);
            pairs.push(Pair {
                a: (*a).to_owned(),
                b: (*b).to_owned(),
                clips: both.len(),
                percent: percent.0,
                percent_low: percent.1.map(|i| i.low),
                percent_high: percent.1.map(|i| i.high),
                kappa: kappa.0,
                kappa_low: kappa.1.map(|i| i.low),
                kappa_high: kappa.1.map(|i| i.high),
            });
        }
    }
    pairs
}

fn repeated(readings: &Readings, plan_sha256: &str, level: f64) -> Vec<Repeated> {
    let of_reader = |(index, reader): (usize, &Counted)| {
        let first = |clip| readings.of_reader(index).find(|r| r.clip == clip)?.call();
        let again = readings.repeats.iter().filter(|r| r.reader == index);
        let both: Vec<Both> = again
            .filter_map(|r| Some((first(r.clip)? > 0.0, r.call()? > 0.0)))
            .collect();
        if both.is_empty() {
            return None;
        }
        let draws = Draws::new(plan_sha256, &format!("repeats {}", reader.name));
        let (percent, kappa) = of_two(&both, Some(draws), level);
        Some(Repeated {
            reader: reader.name.to_owned(),
            clips: both.len(),
            percent: percent.0,
            percent_low: percent.1.map(|i| i.low),
            percent_high: percent.1.map(|i| i.high),
            kappa: kappa.0,
            kappa_low: kappa.1.map(|i| i.low),
            kappa_high: kappa.1.map(|i| i.high),
        })
    };
    readings
        .readers
        .iter()
        .enumerate()
        .filter_map(of_reader)
        .collect()
}

/// Percent and Cohen's kappa.
fn of_two(both: &[Both], draws: Option<Draws>, level: f64) -> (Figure, Figure) {
    let table = |places: &mut dyn Iterator<Item = &Both>| {
        let mut table = vec![vec![0_u64; 2]; 2];
        for (a, b) in places {
            let cell = table
                .get_mut(usize::from(*a))
                .and_then(|row| row.get_mut(usize::from(*b)));
            if let Some(cell) = cell {
                *cell += 1;
            }
        }
        let kappa = cohen_kappa(&table, Weights::Simple).map(|k| k.kappa);
        let diagonal = table.iter().enumerate().filter_map(|(i, row)| row.get(i));
        let n: u64 = table.iter().flatten().sum();
        let alike = (n > 0).then(|| diagonal.sum::<u64>() as f64 / n as f64);
        (alike, kappa)
    };
    let (percent, kappa) = table(&mut both.iter());
    let Some(mut draws) = draws else {
        return ((percent, None), (kappa, None));
    };
    let drawn = (0..DRAWS).map(|_| {
        let places = draws.places(both.len());
        table(&mut places.iter().filter_map(|place| both.get(*place)))
    });
    let (percents, kappas): (Vec<_>, Vec<_>) = drawn.unzip();
    let of = |value: Option<f64>, drawn: &[Option<f64>]| {
        (value, value.and_then(|_| interval(drawn, level)))
    };
    (of(percent, &percents), of(kappa, &kappas))
}
