//! The worker: supersedes, cancels, caches, asks first.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

mod common;

use echoif::edm::{Preset, Seed};
use echoif::ef::EfPercent;
use echoif::engine::{
    CascadeSource, DeviceChoice, Engine, Event, Generated, Job, JobId, Part, Request,
};
use echoif::hearts::simulated_heart;
use echoif::media::region::{Anatomy, Square};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(120);

fn engine() -> Engine {
    // Of two stages and several evaluations: there is something to supersede.
    let pixels = CascadeSource::Folder(common::pixel_cascade());
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
    let mut engine = engine();
    let id = engine.submit(job(30.0));
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
    assert!(made.provenance.measured_ef_percent < factual.provenance.measured_ef_percent);
    assert_eq!((made.cine.video.frames, made.cine.video.height), (16, 112));

    let start = Instant::now();
    let id = engine.submit(job(30.0));
    let again = hear(&engine, id);
    assert!(again.finished.iter().all(|(_, _, cached)| *cached));
    assert_eq!(again.finished[0].1.cine.video, made.cine.video);
    assert!(
        start.elapsed() < Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );

    // Another EF: the factual cine is there already.
    let id = engine.submit(job(65.0));
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
    let mut engine = engine();
    let first = engine.submit(job(30.0));
    std::thread::sleep(Duration::from_millis(300));
    let start = Instant::now();
    let second = engine.submit(job(65.0));
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
        .map(|ef| engine.submit(job(f64::from(ef))))
        .collect();
    let mut cancelled = 0;
    for id in &ids[..9] {
        cancelled += usize::from(matches!(hear(&engine, *id).ending, Event::Cancelled { .. }));
    }
    assert_eq!(cancelled, 9);
    let last = hear(&engine, ids[9]);
    assert_eq!(last.finished[0].1.provenance.requested_ef_percent, 29.0);

    let id = engine.submit(job(77.0));
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
    let mut engine = engine();
    let mut long = job(30.0);
    // Hundreds of cines take minutes on any processor.
    long.counterfactual.best_of = 5_000;
    let id = engine.submit(long);
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
    let id = engine.submit(job(30.0));
    let done = hear(&engine, id);
    assert!(
        matches!(done.ending, Event::Done { .. }),
        "{:?}",
        done.ending
    );
    assert_eq!(done.finished[0].1.cine.video.channels, 3);
}
