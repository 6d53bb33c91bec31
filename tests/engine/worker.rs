//! The worker: supersedes, cancels, caches, asks first.

use crate::common::alone;
use echoif::clip::{FrameRate, Video};
use echoif::edm::{Preset, Seed};
use echoif::ef::EfPercent;
use echoif::engine::{
    CascadeSource, DeviceChoice, Engine, Event, Generated, Job, JobId, Ladder, Owner, Part, Request,
};
use echoif::hearts::simulated_heart;
use echoif::measure::TimeBase;
use echoif::media::region::{Anatomy, Square};
use echoif::provenance::SCHEMA;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(120);

fn engine() -> Engine {
    // Of two stages and several evaluations: there is something to supersede.
    let pixels = CascadeSource::Folder(crate::common::pixel_cascade());
    let engine = Engine::start(DeviceChoice::Cpu, pixels, || {}).unwrap();
    match engine.wait(LONG) {
        Some(Event::Ready { .. }) => engine,
        other => panic!("{other:?}"),
    }
}

fn job(ef: f64) -> Job {
    let heart = simulated_heart(0).unwrap();
    let anatomy = Anatomy::from_frame(&heart.frame, &Square::centred(112, 112).into()).unwrap();
    Job {
        counterfactual: Request {
            anatomy: Arc::new(anatomy),
            ef: EfPercent::new(ef).unwrap(),
            preset: Preset::Balanced,
            seed: Seed(0),
            best_of: 1,
            guidance: None,
            outline: None,
            leaflets: false,
            calibration: None,
        },
        factual: Some(heart.ef),
        confirmed: false,
    }
}

/// Everything that is said until a job ends.
struct Heard {
    finished: Vec<(Part, Arc<Generated>, bool)>,
    progress: usize,
    previews: usize,
    ending: Event,
}

fn hear(engine: &Engine, id: JobId) -> Heard {
    let (mut finished, mut progress, mut previews) = (Vec::new(), 0, 0);
    loop {
        match engine.wait(LONG).expect("the worker answers") {
            Event::Finished {
                job,
                part,
                result,
                cached,
            } if job == id => finished.push((part, result, cached)),
            Event::Progress {
                job,
                preview,
                fraction,
                seconds_left,
                at,
                ..
            } if job == id => {
                assert!((0.0..=1.0 + 1e-9).contains(&fraction) && seconds_left >= -1e-9);
                assert!(at.stage < at.stages && at.step < at.steps);
                progress += 1;
                previews += usize::from(preview.is_some());
            }
            ending @ (Event::Done { job }
            | Event::Cancelled { job }
            | Event::AskFirst { job, .. }
            | Event::Failed { job, .. })
                if job == id =>
            {
                return Heard {
                    finished,
                    progress,
                    previews,
                    ending,
                };
            }
            _ => {}
        }
    }
}

#[test]
fn a_job_gives_both_cines_and_the_same_again_at_once() {
    let _alone = alone();
    let mut engine = engine();
    let id = engine.submit(Owner::Explore, job(30.0));
    let first = hear(&engine, id);
    assert!(
        matches!(first.ending, Event::Done { .. }),
        "{:?}",
        first.ending
    );
    assert_eq!(first.finished.len(), 2);
    assert_eq!(
        (first.finished[0].0, first.finished[1].0),
        (Part::Counterfactual, Part::Factual)
    );
    assert!(first.finished.iter().all(|(_, _, cached)| !cached));
    assert!(
        first.progress >= 10 && first.previews >= 2,
        "{} {}",
        first.progress,
        first.previews
    );
    let (made, factual) = (&first.finished[0].1, &first.finished[1].1);
    assert_eq!(made.provenance.seed, factual.provenance.seed);
    assert_eq!(made.provenance.evaluations, 7);
    // The preset, spelled out.
    let stages = &made.provenance.stages;
    assert_eq!((made.provenance.schema, stages.len()), (SCHEMA, 2));
    assert_eq!(stages.iter().map(|s| s.steps).sum::<usize>(), 7);
    for (stage, &guidance) in stages.iter().zip(&made.provenance.guidance) {
        let how = (stage.solver.as_str(), stage.arithmetic.as_str());
        assert_eq!((how, stage.guidance), (("dpm++2m", "f32"), guidance));
        assert_eq!((stage.sigmas.len(), stage.s_churn), (stage.steps, 0.0));
        assert!(stage.sigmas.is_sorted_by(|a, b| a > b) && stage.sigmas[0] > 1.0);
        assert_eq!(stage.guided.is_some(), guidance != 1.0);
    }
    assert!(made.provenance.measured_ef_percent < factual.provenance.measured_ef_percent);
    assert_eq!((made.cine.video.frames, made.cine.video.height), (16, 112));

    let start = Instant::now();
    let id = engine.submit(Owner::Explore, job(30.0));
    let again = hear(&engine, id);
    assert!(again.finished.iter().all(|(_, _, cached)| *cached));
    assert_eq!(again.finished[0].1.cine.video, made.cine.video);
    assert!(
        start.elapsed() < Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );

    // Another EF: the factual cine is there already.
    let id = engine.submit(Owner::Explore, job(65.0));
    let other = hear(&engine, id);
    assert_eq!(
        other
            .finished
            .iter()
            .map(|(_, _, c)| *c)
            .collect::<Vec<_>>(),
        [false, true]
    );
}

#[test]
fn a_newer_job_supersedes_and_cancel_stops() {
    let _alone = alone();
    let mut engine = engine();
    let first = engine.submit(Owner::Explore, job(30.0));
    std::thread::sleep(Duration::from_millis(300));
    let start = Instant::now();
    let second = engine.submit(Owner::Explore, job(65.0));
    assert!(matches!(
        hear(&engine, first).ending,
        Event::Cancelled { .. }
    ));
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    let done = hear(&engine, second);
    assert_eq!(done.finished[0].1.provenance.requested_ef_percent, 65.0);

    // Of many at once, only the newest is made.
    let ids: Vec<JobId> = (20..30)
        .map(|ef| engine.submit(Owner::Explore, job(f64::from(ef))))
        .collect();
    let mut cancelled = 0;
    for id in &ids[..9] {
        cancelled += usize::from(matches!(hear(&engine, *id).ending, Event::Cancelled { .. }));
    }
    assert_eq!(cancelled, 9);
    let last = hear(&engine, ids[9]);
    assert_eq!(last.finished[0].1.provenance.requested_ef_percent, 29.0);

    let id = engine.submit(Owner::Explore, job(77.0));
    std::thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    engine.cancel();
    assert!(matches!(hear(&engine, id).ending, Event::Cancelled { .. }));
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_long_run_asks_first_and_a_bad_cascade_leaves_the_old_one() {
    let _alone = alone();
    let mut engine = engine();
    let mut long = job(30.0);
    // Hundreds of cines take minutes on any processor.
    long.counterfactual.best_of = 5_000;
    let id = engine.submit(Owner::Explore, long);
    let Event::AskFirst { seconds, .. } = hear(&engine, id).ending else {
        panic!("it did not ask");
    };
    assert!(seconds > 120.0);

    engine.open_cascade(CascadeSource::Folder("/nonexistent".into()));
    match engine.wait(LONG) {
        Some(Event::OpenFailed(why)) => assert!(why.contains("config.yaml"), "{why}"),
        other => panic!("{other:?}"),
    }
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/merged_tiny_2scm");
    engine.open_cascade(CascadeSource::Folder(tiny));
    match engine.wait(LONG) {
        Some(Event::Ready { cascade, .. }) => {
            assert_eq!(cascade.identity.name, "merged_tiny_2scm");
            assert!(!cascade.builtin);
        }
        other => panic!("{other:?}"),
    }
    let id = engine.submit(Owner::Explore, job(30.0));
    let done = hear(&engine, id);
    assert!(
        matches!(done.ending, Event::Done { .. }),
        "{:?}",
        done.ending
    );
    assert_eq!(done.finished[0].1.cine.video.channels, 3);
}

fn tiny() -> PathBuf {
    crate::common::fixtures().join("merged_tiny_2scm")
}

fn clip(frames: usize) -> Video {
    Video {
        channels: 1,
        frames,
        height: 112,
        width: 112,
        data: vec![0.3; frames * 112 * 112],
    }
}

/// Holds the worker at its next word, so that what is asked meanwhile is all there when it goes on.
#[derive(Default)]
struct Gate {
    shut: Mutex<bool>,
    changed: Condvar,
    reached: AtomicBool,
}

impl Gate {
    fn pass(&self) {
        let mut shut = self.shut.lock().unwrap();
        while *shut {
            self.reached.store(true, Ordering::SeqCst);
            shut = self.changed.wait(shut).unwrap();
        }
    }

    fn set(&self, shut: bool) {
        *self.shut.lock().unwrap() = shut;
        self.changed.notify_all();
    }

    /// Has the worker say something, the answer to this measurement at the latest, and holds it there.
    fn hold(&self, engine: &mut Engine) -> JobId {
        self.reached.store(false, Ordering::SeqCst);
        self.set(true);
        let id = engine.measure(Owner::Explore, clip(1), TimeBase::Beat);
        while !self.reached.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        id
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Run,
    Ladder,
    Measure,
    Cascade,
    Regressor,
}

/// How a command ended: its number where it has one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Done(JobId),
    Cancelled(JobId),
    Measured(JobId),
    Ready,
}

#[test]
fn every_order_of_three_commands_is_kept_and_only_what_is_superseded_is_dropped() {
    let _alone = alone();
    use Kind::{Cascade, Ladder as Climb, Measure, Regressor, Run};
    let gate = Arc::new(Gate::default());
    let passing = gate.clone();
    let cascade = CascadeSource::Folder(tiny());
    let mut engine = Engine::start(DeviceChoice::Cpu, cascade, move || passing.pass()).unwrap();
    while !matches!(engine.wait(LONG), Some(Event::Ready { .. })) {}
    let kinds = [Run, Climb, Measure, Cascade, Regressor];
    let orders = kinds
        .iter()
        .flat_map(|a| kinds.iter().map(move |b| (*a, *b)))
        .flat_map(|(a, b)| kinds.iter().map(move |c| [a, b, *c]));
    for order in orders {
        let held = gate.hold(&mut engine);
        let mut expected = Vec::new();
        for (i, kind) in order.into_iter().enumerate() {
            let newer = |later: &Kind| *later != Measure;
            let dropped = order[i + 1..].iter().any(newer);
            let made = |id| match dropped {
                true => Ending::Cancelled(id),
                false => Ending::Done(id),
            };
            let mut job = job(30.0);
            (job.factual, job.confirmed) = (None, true);
            job.counterfactual.preset = Preset::Preview;
            expected.push(match kind {
                Run => made(engine.submit(Owner::Explore, job)),
                Climb => made(engine.climb(
                    Owner::Explore,
                    Ladder {
                        request: job.counterfactual,
                        efs: [25.0, 60.0].map(|ef| EfPercent::new(ef).unwrap()).to_vec(),
                        confirmed: true,
                    },
                )),
                Measure => {
                    Ending::Measured(engine.measure(Owner::Explore, clip(1), TimeBase::Beat))
                }
                Cascade => {
                    engine.open_cascade(CascadeSource::Folder(tiny()));
                    Ending::Ready
                }
                Regressor => {
                    engine.open_regressor(None);
                    Ending::Ready
                }
            });
        }
        gate.set(false);
        let mut heard = Vec::new();
        while heard.len() < expected.len() {
            heard.extend(match engine.wait(LONG).expect("the worker answers") {
                Event::Done { job } => Some(Ending::Done(job)),
                Event::Cancelled { job } => Some(Ending::Cancelled(job)),
                Event::Measured { id, .. } if id != held => Some(Ending::Measured(id)),
                Event::Ready { .. } => Some(Ending::Ready),
                Event::Failed { why, .. } => panic!("{order:?}: {why}"),
                _ => None,
            });
        }
        assert_eq!(heard, expected, "{order:?}");
    }
}

#[test]
fn a_measurement_is_cancelled_and_the_next_one_is_made() {
    let _alone = alone();
    let mut engine = engine();
    let rate = TimeBase::Rate(FrameRate::new(8.0).unwrap());
    let long = engine.measure(Owner::Explore, clip(3000), rate);
    std::thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    engine.cancel_measuring();
    let short = engine.measure(Owner::Explore, clip(16), TimeBase::Beat);
    match engine.wait(LONG) {
        Some(Event::Cancelled { job }) => assert_eq!(job, long),
        other => panic!("{other:?}"),
    }
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    match engine.wait(LONG) {
        Some(Event::Measured { id, result }) => assert!(id == short && result.is_ok()),
        other => panic!("{other:?}"),
    }
}

/// A named pipe that nobody writes to: a file on a network drive that is gone.
#[cfg(unix)]
#[test]
fn closing_waits_neither_for_loading_nor_for_measuring() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("regressor.ckpt");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for loading in [true, false] {
        let mut engine = engine();
        if loading {
            engine.open_regressor(Some((pipe.clone(), None)));
        } else {
            let rate = TimeBase::Rate(FrameRate::new(8.0).unwrap());
            engine.measure(Owner::Explore, clip(3000), rate);
        }
        std::thread::sleep(Duration::from_millis(100));
        let start = Instant::now();
        drop(engine);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(1), "loading {loading}: {took:?}");
    }
}
