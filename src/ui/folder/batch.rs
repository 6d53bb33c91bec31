//! One EF of each recording that was chosen, made in the background.

use super::card::first_anatomy;
use crate::engine::{Batch, Engine, Event, JobId, Owner, Request};
use crate::media::region::Anatomy;
use crate::text::duration;
use crate::ui::projector::Wake;
use crate::ui::task::{Progress, Reporter, Task};
use std::path::PathBuf;
use std::sync::Arc;

/// A card's number and what the networks get of it.
type Read = Vec<(usize, Arc<Anatomy>)>;

#[derive(Default)]
pub(super) struct Making {
    work: Work,
}

#[derive(Default)]
enum Work {
    #[default]
    None,
    /// The recordings' first frames are read.
    Reading {
        task: Task<Read>,
        alike: Alike,
        ef: f64,
        chosen: usize,
    },
    Made {
        job: JobId,
        /// The card of each request.
        cards: Vec<usize>,
        ef: f64,
        chosen: usize,
        done: usize,
        progress: Progress,
    },
}

/// The request of an anatomy.
pub(super) type Alike = Box<dyn Fn(Arc<Anatomy>) -> Request>;

/// What came of it.
pub(super) enum Came {
    /// A cine of a card's recording, at an EF in percent.
    Cine(usize, f64),
    /// No more is made of this EF: so many of those that were chosen.
    End { ef: f64, made: usize, chosen: usize },
}

impl Making {
    /// Begins: `alike` says all but the anatomy, `ef` in percent is its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn begin(
        &mut self,
        chosen: Vec<(usize, PathBuf)>,
        alike: Alike,
        ef: f64,
        wake: &Wake,
    ) -> Result<(), String> {
        let n = chosen.len();
        let task = Task::start("anatomies", wake, move |reporter: &Reporter| {
            let mut read = Read::new();
            for (k, (card, path)) in chosen.iter().enumerate() {
                if !reporter.report("Reading the recordings", k as f64 / n.max(1) as f64) {
                    break;
                }
                let anatomy = first_anatomy(path);
                read.extend(anatomy.map(|(anatomy, _)| (*card, anatomy)));
            }
            read
        })?;
        self.work = Work::Reading {
            task,
            alike,
            ef,
            chosen: n,
        };
        Ok(())
    }

    /// No more is made; what is made stays.
    pub fn cancel(&mut self, engine: &Engine) {
        match std::mem::take(&mut self.work) {
            Work::Made { job, .. } => engine.cancel_batch(job),
            Work::Reading { task, .. } => task.stop(),
            Work::None => {}
        }
    }

    /// Hands on what was read. A sentence where that is impossible.
    pub fn pursue(&mut self, engine: &mut Engine) -> Option<String> {
        let Work::Reading { task, .. } = &self.work else {
            return None;
        };
        let outcome = task.take()?;
        let Work::Reading {
            alike, ef, chosen, ..
        } = std::mem::take(&mut self.work)
        else {
            return None;
        };
        let read = match outcome {
            Ok(read) if read.is_empty() => {
                return Some("None of the chosen recordings can be read any more.".into());
            }
            Ok(read) => read,
            Err(why) => return Some(why),
        };
        let requests = read.into_iter();
        let requests = requests.map(|(card, anatomy)| (card, alike(anatomy)));
        let (cards, requests) = requests.unzip();
        let batch = Batch {
            requests,
            ..Batch::default()
        };
        self.work = Work::Made {
            job: engine.queue(Owner::Folder, batch),
            cards,
            ef,
            chosen,
            done: 0,
            progress: Progress::default(),
        };
        None
    }

    /// Takes one of the worker's events.
    pub fn hear(&mut self, event: &Event) -> Option<Came> {
        let Work::Made {
            job: own,
            cards,
            ef,
            chosen,
            done,
            progress,
        } = &mut self.work
        else {
            return None;
        };
        match event {
            Event::Batching {
                job,
                fraction,
                seconds_left,
            } if job == own => {
                let left = duration(*seconds_left);
                progress.what = format!("{done} of {}, {left} left", cards.len());
                progress.share = *fraction;
                None
            }
            Event::Made {
                job,
                index,
                result: Ok(_),
            } if job == own => {
                *done += 1;
                cards.get(*index).map(|card| Came::Cine(*card, *ef))
            }
            Event::Done { job } | Event::Cancelled { job } | Event::Failed { job, .. }
                if job == own =>
            {
                let (ef, made, chosen) = (*ef, *done, *chosen);
                self.work = Work::None;
                Some(Came::End { ef, made, chosen })
            }
            Event::Stopped(_) => {
                self.work = Work::None;
                None
            }
            _ => None,
        }
    }

    pub fn progress(&self) -> Option<Progress> {
        match &self.work {
            Work::None => None,
            Work::Reading { task, .. } => Some(task.progress()),
            Work::Made { progress, .. } => Some(progress.clone()),
        }
    }
}
