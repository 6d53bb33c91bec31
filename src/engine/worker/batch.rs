//! What nobody waits for: made a request at a time, between what persons ask for.

use super::{Ended, Worker};
use crate::engine::generate::{Sampling, configuration, generate_as};
use crate::engine::job::{Batch, Generated};
use crate::engine::messages::{Event, JobId};
use crate::nn::Interrupt;
use std::sync::Arc;

/// A batch that is being made or waits to be.
pub(super) struct Waiting {
    id: JobId,
    batch: Batch,
    /// Stops it for good, or has it make room for what was asked for since.
    interrupt: Interrupt,
    started: bool,
}

impl Waiting {
    pub(super) fn new(id: JobId, batch: Batch, interrupt: Interrupt) -> Self {
        Self {
            id,
            batch,
            interrupt,
            started: false,
        }
    }

    /// Takes back that it was to make room. Whoever asks for something sends that first and raises the flag
    /// then: what is not seen after this interrupts the next request.
    pub(super) fn resume(&self) {
        self.interrupt.resume();
    }
}

impl Worker<'_> {
    /// Says of the batches that were stopped that they were.
    pub(super) fn leave_stopped(&mut self) {
        let mouth = self.mouth;
        self.batches.retain(|waiting| {
            let stopped = waiting.interrupt.is_stopped();
            if stopped {
                mouth.say(Event::Cancelled { job: waiting.id });
            }
            !stopped
        });
    }

    /// One more request of the batch that was asked for first.
    pub(super) fn go_on(&mut self) {
        let Some(mut waiting) = self.batches.pop_front() else {
            return;
        };
        let job = waiting.id;
        if !waiting.started {
            waiting.started = true;
            self.mouth.say(Event::Started { job });
        }
        let Some(index) = waiting.batch.missing().next() else {
            self.mouth.say(Event::Done { job });
            return;
        };
        let made = self.attempt(&waiting.interrupt, |worker| {
            worker.try_request(&waiting, index)
        });
        let result = match made {
            Ok(made) => Some(Ok(made)),
            // What a request cannot do costs that request.
            Err(Ended::Failed(why)) => Some(Err(why)),
            // It made room or was stopped, which is seen before the next one.
            Err(Ended::Cancelled) => None,
        };
        if let Some(result) = result {
            waiting.batch.done.insert(index);
            self.mouth.say(Event::Made { job, index, result });
        }
        self.batches.push_front(waiting);
    }

    /// What is in the cache is not made again. Nothing is put there: it holds what a person looks at, and a
    /// long batch would drive that out.
    fn try_request(&mut self, waiting: &Waiting, index: usize) -> Result<Arc<Generated>, String> {
        let Waiting {
            id: job,
            batch,
            interrupt,
            ..
        } = waiting;
        let request = &batch.requests[index];
        if let Some(known) = self.cache.get(&self.key(request)) {
            return Ok(known);
        }
        let (all, before) = (batch.requests.len() as f64, batch.done.len() as f64);
        let later = batch.missing().skip(1);
        let later: f64 = later.map(|i| self.expected(&batch.requests[i])).sum();
        let (models, mouth, pace) = (&self.models, self.mouth, &mut self.pace);
        let mut report = |r: &crate::engine::Report| {
            mouth.mention(Event::Batching {
                job: *job,
                fraction: (before + r.fraction) / all,
                seconds_left: r.seconds_left + later,
            });
        };
        let config = configuration(models, request);
        let how = Sampling {
            config: &config,
            sharpen: false,
            // What is kept for a slider stays the slider's.
            followed: false,
        };
        let made = generate_as(models, request, how, pace, interrupt, &mut report);
        made.map(Arc::new).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{id, on_the_cpu, request, tiny};
    use super::*;
    use crate::edm::Seed;
    use crate::ef::EfPercent;
    use crate::engine::messages::{Command, Mouth};
    use crate::engine::{CascadeSource, DeviceChoice, Engine, Job, Ladder, Owner};
    use crossbeam_channel::{Receiver, Sender, unbounded};
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn batch(efs: &[f64], done: &[usize]) -> Batch {
        Batch {
            requests: efs.iter().map(|&ef| request(ef)).collect(),
            done: done.iter().copied().collect(),
        }
    }

    fn job(ef: f64) -> Job {
        Job {
            counterfactual: request(ef),
            factual: None,
            confirmed: true,
        }
    }

    /// An event in two words; `None` for progress.
    fn short(event: &Event) -> Option<String> {
        Some(match event {
            Event::Progress { .. } | Event::Climbing { .. } | Event::Batching { .. } => {
                return None;
            }
            Event::Started { job } => format!("started {}", job.number),
            Event::Finished { job, .. } => format!("finished {}", job.number),
            Event::Rungs { job, .. } => format!("rungs {}", job.number),
            Event::Made { job, index, result } => {
                let ok = if result.is_ok() { "" } else { " not" };
                format!("made {} {index}{ok}", job.number)
            }
            Event::Done { job } => format!("done {}", job.number),
            Event::Cancelled { job } => format!("cancelled {}", job.number),
            other => panic!("{other:?}"),
        })
    }

    /// What a worker says until it has nothing more to do. `at_progress` is called with the channel of its
    /// commands whenever it says anything, with how often that was.
    fn said(
        worker: impl for<'a> FnOnce(&'a Mouth) -> Worker<'a>,
        asked: Vec<Command>,
        at_word: impl Fn(usize, &Sender<Command>) + Send + 'static,
    ) -> Vec<Event> {
        let (commands, receiver) = unbounded();
        for command in asked {
            commands.send(command).unwrap();
        }
        let (events, heard): (_, Receiver<Event>) = unbounded();
        let (words, sender) = (AtomicUsize::new(0), commands.clone());
        let wake = Box::new(move || at_word(words.fetch_add(1, Ordering::Relaxed), &sender));
        let mouth = Mouth { events, wake };
        let mut worker = worker(&mouth);
        while !(receiver.is_empty() && worker.batches.is_empty()) {
            assert!(worker.turn(&receiver));
        }
        heard.try_iter().collect()
    }

    fn words(events: &[Event]) -> Vec<String> {
        events.iter().filter_map(short).collect()
    }

    #[test]
    fn a_run_interrupts_a_request_which_is_made_afterwards() {
        let interrupt = Interrupt::new();
        let asked = Command::Batch(id(1), batch(&[20.0, 40.0, 60.0], &[]), interrupt.clone());
        let events = said(on_the_cpu, vec![asked], move |word, commands| {
            // The first is that it has started, the second that its first request goes on.
            if word == 1 {
                let run = Command::Run(id(2), Box::new(job(30.0)), Interrupt::new());
                commands.send(run).unwrap();
                interrupt.supersede();
            }
        });
        assert!(matches!(events[1], Event::Batching { .. }), "{events:?}");
        assert_eq!(
            words(&events),
            [
                "started 1",
                "started 2",
                "finished 2",
                "done 2",
                "made 1 0",
                "made 1 1",
                "made 1 2",
                "done 1"
            ]
        );
        let fractions = events.iter().filter_map(|e| match e {
            Event::Batching {
                fraction,
                seconds_left,
                ..
            } => Some((*fraction, *seconds_left)),
            _ => None,
        });
        let fractions: Vec<_> = fractions.collect();
        assert!(
            fractions
                .iter()
                .all(|(f, s)| *f <= 1.0 + 1e-9 && *s > -1e-9)
        );
        assert!(fractions.last().unwrap().0 > 0.99, "{fractions:?}");
        // What was interrupted is what it would have been.
        let again = said(
            on_the_cpu,
            vec![Command::Run(id(3), Box::new(job(20.0)), Interrupt::new())],
            |_, _| {},
        );
        let alone = again.iter().find_map(|e| match e {
            Event::Finished { result, .. } => Some(result.cine.video.clone()),
            _ => None,
        });
        let made = events.iter().find_map(|e| match e {
            Event::Made {
                index: 0, result, ..
            } => Some(result.as_ref().unwrap().cine.video.clone()),
            _ => None,
        });
        assert!(alone.is_some() && alone == made);
    }

    #[test]
    fn a_cancelled_batch_stops_within_a_request_or_before_its_first() {
        let (first, second) = (Interrupt::new(), Interrupt::new());
        let asked = vec![
            Command::Batch(id(1), batch(&[20.0, 40.0], &[]), first.clone()),
            Command::Batch(id(2), batch(&[20.0], &[]), second.clone()),
        ];
        let events = said(on_the_cpu, asked, move |word, _| {
            if word == 1 {
                second.set();
                first.set();
            }
        });
        assert_eq!(words(&events), ["started 1", "cancelled 1", "cancelled 2"]);
    }

    #[test]
    fn batches_come_after_what_persons_ask_for_and_in_their_own_order() {
        let ladder = Ladder {
            request: request(30.0),
            efs: [20.0, 50.0].map(|ef| EfPercent::new(ef).unwrap()).to_vec(),
            confirmed: true,
        };
        let go = Interrupt::new;
        let asked = vec![
            // One of its requests is the run's, which need not be made again.
            Command::Batch(id(1), batch(&[10.0, 30.0, 50.0], &[0]), go()),
            Command::Run(id(2), Box::new(job(30.0)), go()),
            Command::Batch(id(3), batch(&[10.0, 30.0], &[1, 0]), go()),
            Command::Ladder(id(4), Box::new(ladder), go()),
            Command::Batch(id(5), batch(&[70.0], &[]), go()),
        ];
        let events = said(on_the_cpu, asked, |_, _| {});
        assert_eq!(
            words(&events),
            [
                "started 2",
                "finished 2",
                "done 2",
                "started 4",
                "rungs 4",
                "done 4",
                "started 1",
                "made 1 1",
                "made 1 2",
                "done 1",
                "started 3",
                "done 3",
                "started 5",
                "made 5 0",
                "done 5"
            ]
        );
        let run = events.iter().find_map(|e| match e {
            Event::Finished { result, .. } => Some(result.clone()),
            _ => None,
        });
        let known = events.iter().find_map(|e| match e {
            Event::Made { result, .. } => result.clone().ok(),
            _ => None,
        });
        assert!(Arc::ptr_eq(&run.unwrap(), &known.unwrap()));
    }

    #[test]
    fn a_request_that_fails_costs_itself_alone() {
        fn failing(mouth: &Mouth) -> Worker<'_> {
            let mut worker = on_the_cpu(mouth);
            // It makes three channels of what its network takes one of.
            worker.models.regressor.spec.normalisation = Some(Default::default());
            worker
        }
        let asked = Command::Batch(id(1), batch(&[20.0, 40.0], &[]), Interrupt::new());
        let events = said(failing, vec![asked], |_, _| {});
        let expected = ["started 1", "made 1 0 not", "made 1 1 not", "done 1"];
        assert_eq!(words(&events), expected);
    }

    const LONG: Duration = Duration::from_secs(120);

    /// Through the handle and a thread: whenever a run comes, each request is made once.
    #[test]
    fn whenever_a_run_comes_each_request_is_made_once() {
        let mut engine = Engine::start(DeviceChoice::Cpu, tiny(), || {}).unwrap();
        let seeds = 0..6;
        let requests = seeds.map(|seed| crate::engine::Request {
            seed: Seed(seed),
            ..request(40.0)
        });
        let queued = Batch {
            requests: requests.collect(),
            done: BTreeSet::from([4]),
        };
        let queued = engine.queue(Owner::Study, queued);
        let (mut made, mut runs, mut ended) = (Vec::new(), Vec::new(), 0);
        let mut over = false;
        while !over || ended < runs.len() {
            let event = engine.wait(LONG).unwrap();
            match event.owner() {
                Some(Owner::Study) => assert!(!matches!(event, Event::Finished { .. })),
                Some(Owner::Explore) => assert!(!matches!(event, Event::Made { .. })),
                _ => {}
            }
            match event {
                Event::Batching { .. } if runs.len() < 4 => {
                    let ef = 50.0 + runs.len() as f64;
                    runs.push(engine.submit(Owner::Explore, job(ef)));
                }
                Event::Made { index, .. } => made.push(index),
                Event::Done { job } | Event::Cancelled { job } if runs.contains(&job) => ended += 1,
                Event::Done { job } if job == queued => over = true,
                _ => {}
            }
        }
        assert_eq!(made, [0, 1, 2, 3, 5]);
        assert_eq!(runs.len(), 4);
        assert!(runs.is_sorted() && runs[0] > queued);
    }

    #[test]
    fn a_batch_ends_when_it_is_cancelled_or_another_cascade_is_opened_alone() {
        let mut engine = Engine::start(DeviceChoice::Cpu, tiny(), || {}).unwrap();
        let mut made_until = |stop: &dyn Fn(&Engine, JobId)| {
            let queued = engine.queue(Owner::Study, batch(&[20.0; 200], &[]));
            let mut made = 0;
            loop {
                match engine.wait(LONG).unwrap() {
                    Event::Made { .. } => {
                        made += 1;
                        match made {
                            2 => engine.cancel_all(),
                            4 => stop(&engine, queued),
                            _ => {}
                        }
                    }
                    Event::Cancelled { job } if job == queued => return made,
                    Event::Done { .. } => panic!("it was not stopped"),
                    _ => {}
                }
            }
        };
        for stop in [
            &(|engine: &Engine, queued| engine.cancel_batch(queued)) as &dyn Fn(&Engine, JobId),
            &|engine: &Engine, _| engine.open_cascade(CascadeSource::Builtin),
        ] {
            let made = made_until(stop);
            assert!((4..150).contains(&made), "{made}");
        }
    }
}
