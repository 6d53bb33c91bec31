//! The readings that count, each with what its clip is.

use super::{ReaderAbout, ReportError, Response, Study};
use crate::statistics::mrmc;
use crate::study::key::{Class, ClipTruth};
use crate::study::plan::{Kind, Trial};
use crate::study::record::Answer;
use std::collections::{BTreeMap, BTreeSet};

/// What a reader made of a clip.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// Place in [`Readings::readers`].
    pub reader: usize,
    /// Place in [`Readings::clips`].
    pub clip: usize,
    pub class: Class,
    /// How surely fake: + confidence for fake, - for real; where no confidence was asked for, 1 and 0. None
    /// where there is no answer, or none with confidence.
    pub rating: Option<f64>,
    pub response: &'a Response,
}

impl Reading<'_> {
    /// 1 for fake, 0 for real.
    pub fn call(&self) -> Option<f64> {
        self.response
            .answer
            .map(|answer| f64::from(u8::from(answer == Answer::Fake)))
    }

    pub fn correct(&self) -> Option<bool> {
        let answer = self.response.answer?;
        Some((answer == Answer::Fake) == self.class.is_fake())
    }

    /// In seconds. None for a clip that was shown before, and without an answer.
    pub fn response_s(&self) -> Option<f64> {
        let timed = self.response.attempt == 1 && self.response.answer.is_some();
        Some(self.response.rt_ms / 1000.0).filter(|s| timed && s.is_finite())
    }
}

/// A reader with a trial that counts.
pub(super) struct Counted<'a> {
    pub name: &'a str,
    /// Scored trials of their list.
    pub trials: usize,
}

/// The readings of a study, by reader and trial.
pub(super) struct Readings<'a> {
    /// In the order of the plan.
    pub readers: Vec<Counted<'a>>,
    /// By identifier.
    pub clips: Vec<&'a ClipTruth>,
    /// The heart that each of them shows, numbered from 1 through the key: what the key calls it may say more
    /// than a table should.
    pub hearts: Vec<usize>,
    pub scored: Vec<Reading<'a>>,
    pub repeats: Vec<Reading<'a>>,
    /// Of the confidence that ratings are made of; 0 where they are bare answers.
    pub steps: u8,
}

/// Of several answers how many are right.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub correct: u64,
    pub n: u64,
    pub missing: u64,
}

impl Tally {
    pub fn of<'r>(readings: impl Iterator<Item = &'r Reading<'r>>) -> Self {
        readings.fold(Self::default(), |sum, reading| match reading.correct() {
            Some(correct) => Self {
                correct: sum.correct + u64::from(correct),
                n: sum.n + 1,
                ..sum
            },
            None => Self {
                missing: sum.missing + 1,
                ..sum
            },
        })
    }

    /// None without an answer.
    pub fn share(self) -> Option<f64> {
        (self.n > 0).then(|| self.correct as f64 / self.n as f64)
    }

    /// As the formulas take it.
    pub fn counts(self) -> (u64, u64) {
        (self.correct, self.n)
    }
}

impl<'a> Readings<'a> {
    pub fn of(study: &'a Study) -> Result<Self, ReportError> {
        let abouts = abouts(study)?;
        let truths: BTreeMap<&str, &ClipTruth> = study
            .key
            .clips
            .iter()
            .map(|c| (c.clip.as_str(), c))
            .collect();
        let mut responses = BTreeMap::new();
        for response in &study.responses {
            let reading = study.plan.readers.get(response.reader);
            let name = || reading.map_or("a reader", |r| &r.reader).to_owned();
            let about = reading.and_then(|r| abouts.get(r.reader.as_str()));
            let (Some(reading), Some(about)) = (reading, about) else {
                return Err(ReportError::Reader(name()));
            };
            let trial = response.trial;
            let planned = trial
                .checked_sub(1)
                .and_then(|place| reading.trials.get(place));
            if !planned.is_some_and(|planned| is_of(response, planned)) {
                return Err(ReportError::Trial {
                    reader: name(),
                    trial,
                });
            }
            if response.kind != Kind::Practice && !about.withdrawn {
                let place = (response.reader, trial);
                if responses.insert(place, response).is_some() {
                    return Err(ReportError::Twice {
                        reader: name(),
                        trial,
                    });
                }
            }
        }
        let used: BTreeSet<&str> = responses.values().map(|r| r.clip.as_str()).collect();
        let clips = used.iter().map(|clip| {
            let truth = truths.get(clip).copied();
            truth.ok_or_else(|| ReportError::Clip((*clip).to_owned()))
        });
        let clips = clips.collect::<Result<Vec<_>, _>>()?;
        let mut numbers = BTreeMap::new();
        for truth in &study.key.clips {
            let next = numbers.len() + 1;
            numbers.entry(truth.anatomy.as_str()).or_insert(next);
        }
        let hearts = clips
            .iter()
            .filter_map(|clip| numbers.get(clip.anatomy.as_str()).copied());
        let hearts = hearts.collect();

        let steps = study.plan.answer.confidence;
        let confidence = |r: &Response| r.confidence.filter(|c| (1..=steps).contains(c));
        let rated = responses.values().any(|r| confidence(r).is_some());
        let mut readers = Vec::new();
        let (mut scored, mut repeats) = (Vec::new(), Vec::new());
        for (index, reading) in study.plan.readers.iter().enumerate() {
            let of_reader = || responses.range((index, 0)..(index + 1, 0)).map(|(_, r)| *r);
            if !of_reader().any(|r| r.kind == Kind::Scored) {
                continue;
            }
            let trials = reading
                .trials
                .iter()
                .filter(|t| t.kind == Kind::Scored)
                .count();
            for response in of_reader() {
                let Ok(clip) = clips.binary_search_by(|c| c.clip.as_str().cmp(&response.clip))
                else {
                    continue;
                };
                let Some(truth) = clips.get(clip) else {
                    continue;
                };
                let sign = response.answer.map(|answer| match answer {
                    Answer::Fake => 1.0,
                    Answer::Real if rated => -1.0,
                    Answer::Real => 0.0,
                });
                let weight = if rated {
                    confidence(response).map(f64::from)
                } else {
                    Some(1.0)
                };
                let reading = Reading {
                    reader: readers.len(),
                    clip,
                    class: truth.class,
                    rating: sign.zip(weight).map(|(sign, weight)| sign * weight),
                    response,
                };
                match response.kind {
                    Kind::Scored => scored.push(reading),
                    Kind::Repeat => repeats.push(reading),
                    Kind::Practice => {}
                }
            }
            readers.push(Counted {
                name: &reading.reader,
                trials,
            });
        }
        if !scored.iter().any(|r| r.response.answer.is_some()) {
            return Err(ReportError::NoAnswers);
        }
        Ok(Self {
            readers,
            clips,
            hearts,
            scored,
            repeats,
            steps: if rated { steps } else { 0 },
        })
    }

    /// Of scored trials, one row per clip of the classes wanted and one column per reader, with the classes
    /// of the rows.
    pub fn table<T: Clone>(
        &self,
        wanted: impl Fn(Class) -> bool,
        value: impl Fn(&Reading) -> Option<T>,
    ) -> (Vec<Class>, Vec<Vec<Option<T>>>) {
        let mut rows = vec![vec![None; self.readers.len()]; self.clips.len()];
        for reading in &self.scored {
            let cell = rows
                .get_mut(reading.clip)
                .and_then(|row| row.get_mut(reading.reader));
            if let Some(cell) = cell {
                *cell = value(reading);
            }
        }
        let clips = self.clips.iter().zip(rows);
        let of = clips.filter(|(clip, row)| wanted(clip.class) && row.iter().any(Option::is_some));
        of.map(|(clip, row)| (clip.class, row)).unzip()
    }

    /// The same for the U-statistic: fake is positive.
    pub fn cases(
        &self,
        wanted: impl Fn(Class) -> bool,
        value: impl Fn(&Reading) -> Option<f64>,
    ) -> Option<mrmc::Readings> {
        let (classes, rows) = self.table(wanted, value);
        let column = |reader| rows.iter().map(|row| *row.get(reader)?).collect();
        let readers = (0..self.readers.len()).map(column).collect();
        mrmc::Readings::new(classes.into_iter().map(Class::is_fake).collect(), readers)
    }

    pub fn of_reader(&self, reader: usize) -> impl Iterator<Item = &Reading<'a>> {
        self.scored.iter().filter(move |r| r.reader == reader)
    }

    pub fn of_class(&self, class: Class) -> impl Iterator<Item = &Reading<'a>> {
        self.scored.iter().filter(move |r| r.class == class)
    }

    /// Of generated clips, or of real ones.
    pub fn of_fakes(&self, fake: bool) -> impl Iterator<Item = &Reading<'a>> {
        self.scored
            .iter()
            .filter(move |r| r.class.is_fake() == fake)
    }
}

fn is_of(response: &Response, planned: &Trial) -> bool {
    planned.trial == response.trial
        && planned.clip == response.clip
        && planned.kind == response.kind
}

/// What the logs say, by reader of the plan.
fn abouts<'a>(study: &'a Study) -> Result<BTreeMap<&'a str, &'a ReaderAbout>, ReportError> {
    let planned: BTreeSet<&str> = study
        .plan
        .readers
        .iter()
        .map(|r| r.reader.as_str())
        .collect();
    let mut all = BTreeMap::new();
    for about in &study.readers {
        if !planned.contains(about.reader.as_str()) {
            return Err(ReportError::Reader(about.reader.clone()));
        }
        if all.insert(about.reader.as_str(), about).is_some() {
            return Err(ReportError::TwoLogs(about.reader.clone()));
        }
    }
    Ok(all)
}
