//! A ladder: the same heart at several EFs, as one batch of the network.

use super::{Turn, Worker};
use crate::engine::ASK_FIRST_SECONDS;
use crate::engine::job::Ladder;
use crate::engine::messages::{Event, JobId};
use crate::nn::Interrupt;
use std::sync::Arc;

impl Worker<'_> {
    pub(super) fn climb(&mut self, id: JobId, ladder: &Ladder, interrupt: &Interrupt) {
        let ending = self.attempt(interrupt, |worker| worker.try_climb(id, ladder, interrupt));
        self.end(id, ending);
    }

    /// What is in the cache is not made again.
    fn try_climb(
        &mut self,
        id: JobId,
        ladder: &Ladder,
        interrupt: &Interrupt,
    ) -> Result<Event, String> {
        if !ladder.confirmed {
            let rungs = ladder.efs.iter().map(|&ef| ladder.rung(ef));
            let seconds = rungs.map(|rung| self.expected(&rung)).sum();
            if seconds > ASK_FIRST_SECONDS {
                return Ok(Event::AskFirst { job: id, seconds });
            }
        }
        self.mouth.say(Event::Started { job: id });
        interrupt.check().map_err(|e| e.to_string())?;
        let mut rungs = Vec::with_capacity(ladder.efs.len());
        let mut missing = Vec::new();
        for &ef in &ladder.efs {
            let known = self.cache.get(&self.key(&ladder.rung(ef)));
            if known.is_none() {
                missing.push(ef);
            }
            rungs.push(known);
        }
        let (models, mouth, pace) = (&self.models, self.mouth, &mut self.pace);
        let mut turn = Turn::default();
        let mut report = |r: &crate::engine::Report| {
            let due = turn.is_due();
            let previews = due.then(|| r.shown().unwrap_or_default());
            mouth.mention(Event::Climbing {
                job: id,
                fraction: r.fraction,
                seconds_left: r.seconds_left,
                previews: previews.unwrap_or_default(),
            });
        };
        let made = crate::engine::ladder(
            models,
            &ladder.request,
            &missing,
            pace,
            interrupt,
            &mut report,
        );
        let mut made = made.map_err(|e| e.to_string())?.into_iter().map(Arc::new);
        let mut gone = Vec::new();
        for (rung, &ef) in rungs.iter_mut().zip(&ladder.efs) {
            if rung.is_none()
                && let Some(made) = made.next()
            {
                gone.extend(self.keep(&ladder.rung(ef), made.clone()));
                *rung = Some(made);
            }
        }
        let rungs: Option<Vec<_>> = rungs.into_iter().collect();
        let rungs = rungs.ok_or("a rung was not made")?;
        self.mouth.say(Event::Rungs { job: id, rungs });
        self.forgotten(gone);
        Ok(Event::Done { job: id })
    }
}
