use super::*;
use crate::edm::Preset;
use crate::ef::EfPercent;
use crate::engine::Owner;
use crate::engine::device::OpenDevice;
use crate::engine::job::Ladder;
use crate::hearts::simulated_heart;
use crate::media::region::{Anatomy, Square};
use crossbeam_channel::unbounded;
use std::path::Path;

pub(super) fn tiny() -> CascadeSource {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/merged_tiny_2scm");
    CascadeSource::Folder(folder)
}

fn mouth() -> (Mouth, Receiver<Event>) {
    let (events, heard) = unbounded();
    let wake = Box::new(|| {});
    (Mouth { events, wake }, heard)
}

/// On what says that it is a GPU, with a regressor that fails there: it makes three channels of what its
/// network takes one of. Opened again, on the CPU, it is sound.
fn on_a_failing_gpu(mouth: &Mouth) -> Worker<'_> {
    let mut models = Models::open(OpenDevice::pretended_gpu(), tiny(), None).unwrap();
    models.regressor.spec.normalisation = Some(Default::default());
    Worker {
        pace: Pace::calibrate(&models.device.device).unwrap(),
        models,
        cache: Cache::default(),
        batches: VecDeque::new(),
        mouth,
    }
}

pub(super) fn on_the_cpu(mouth: &Mouth) -> Worker<'_> {
    let mut worker = on_a_failing_gpu(mouth);
    worker.models = Models::open(OpenDevice::cpu(None), tiny(), None).unwrap();
    worker
}

pub(super) const fn id(number: u64) -> JobId {
    JobId {
        number,
        owner: Owner::Explore,
    }
}

pub(super) fn request(ef: f64) -> Request {
    let heart = simulated_heart(0).unwrap();
    let anatomy = Anatomy::from_frame(&heart.frame, &Square::centred(112, 112).into()).unwrap();
    Request {
        preset: Preset::Preview,
        ..Request::new(Arc::new(anatomy), EfPercent::new(ef).unwrap())
    }
}

fn clip() -> Box<Video> {
    Box::new(Video {
        channels: 1,
        frames: 16,
        height: 112,
        width: 112,
        data: vec![0.3; 16 * 112 * 112],
    })
}

/// What is said of a command, but for progress.
fn said(worker: &mut Worker<'_>, heard: &Receiver<Event>, command: Command) -> Vec<Event> {
    worker.obey(command);
    let told = |e: &Event| !matches!(e, Event::Progress { .. } | Event::Climbing { .. });
    heard.try_iter().filter(told).collect()
}

#[test]
fn a_gpu_that_fails_is_left_for_the_cpu_by_every_kind_of_job() {
    let go = Interrupt::new;
    let job = Job {
        counterfactual: request(30.0),
        factual: None,
        confirmed: true,
    };
    let ladder = Ladder {
        request: request(30.0),
        efs: [20.0, 50.0].map(|ef| EfPercent::new(ef).unwrap()).to_vec(),
        confirmed: true,
    };
    let commands = [
        Command::Run(id(1), Box::new(job), go()),
        Command::Ladder(id(1), Box::new(ladder), go()),
        Command::Measure(id(1), clip(), TimeBase::Beat, go()),
    ];
    for command in commands {
        let (mouth, heard) = mouth();
        let mut worker = on_a_failing_gpu(&mouth);
        let said = said(&mut worker, &heard, command);
        let moved = said.iter().position(|e| matches!(e, Event::Moved { .. }));
        let Event::Moved { device, why } = &said[moved.unwrap()] else {
            unreachable!()
        };
        assert!(device.starts_with("CPU") && why.starts_with("The GPU failed ("));
        // The window begins anew when it hears that: what goes on must not be begun anew.
        assert!(
            !said.iter().any(|e| matches!(e, Event::Ready { .. })),
            "{said:?}"
        );
        match said.last() {
            Some(Event::Done { job }) if *job == id(1) => {}
            Some(Event::Measured { id: job, result }) if *job == id(1) => {
                assert!(result.is_ok(), "{result:?}")
            }
            other => panic!("{other:?}"),
        }
        assert!(worker.models.device.is_cpu());
    }
}

#[test]
fn what_the_cpu_cannot_do_either_fails_with_its_reason() {
    let (mouth, heard) = mouth();
    let mut worker = on_a_failing_gpu(&mouth);
    // Two channels are no picture.
    let odd = Video {
        channels: 2,
        data: vec![0.3; 2 * 16 * 112 * 112],
        ..*clip()
    };
    let command = Command::Measure(id(5), Box::new(odd), TimeBase::Beat, Interrupt::new());
    match said(&mut worker, &heard, command).last() {
        Some(Event::Measured { id: job, result }) if *job == id(5) => assert!(result.is_err()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_panic_costs_one_job() {
    let (mouth, heard) = mouth();
    let mut worker = on_the_cpu(&mouth);
    let ended = worker.attempt(&Interrupt::new(), |_| -> Result<(), String> {
        std::panic::panic_any("a bolt broke")
    });
    let Err(Ended::Failed(why)) = ended else {
        panic!("it did not fail");
    };
    assert!(why.contains("a bolt broke"), "{why}");
    let command = Command::Measure(id(2), clip(), TimeBase::Beat, Interrupt::new());
    let said = said(&mut worker, &heard, command);
    assert!(
        matches!(
            &said[..],
            [Event::Measured {
                id: job,
                result: Ok(_)
            }] if *job == id(2)
        ),
        "{said:?}"
    );
}

#[test]
fn a_result_that_goes_takes_its_mark_with_it() {
    let (mouth, heard) = mouth();
    let mut worker = on_the_cpu(&mouth);
    let run = |ef: f64| {
        let job = Job {
            counterfactual: request(ef),
            factual: None,
            confirmed: true,
        };
        Command::Run(id(1), Box::new(job), Interrupt::new())
    };
    said(&mut worker, &heard, run(20.0));
    said(&mut worker, &heard, run(40.0));
    worker.cache.hold(1);
    let said = said(&mut worker, &heard, run(60.0));
    let forgotten = said.iter().filter_map(|e| match e {
        Event::Forgotten(request) => Some(request.ef.get()),
        _ => None,
    });
    assert_eq!(forgotten.collect::<Vec<_>>(), [20.0, 40.0]);
    // Its own result came first: a mark that is set by it stays.
    assert!(matches!(said[1], Event::Finished { .. }), "{said:?}");
    assert!(matches!(said.last(), Some(Event::Done { .. })));
}

#[test]
fn a_cancelled_command_ends_as_cancelled_and_nothing_else_is_said() {
    let (mouth, heard) = mouth();
    let mut worker = on_a_failing_gpu(&mouth);
    let set = || {
        let interrupt = Interrupt::new();
        interrupt.set();
        interrupt
    };
    let command = Command::Measure(id(3), clip(), TimeBase::Beat, set());
    let measured = said(&mut worker, &heard, command);
    assert!(
        matches!(&measured[..], [Event::Cancelled { job }] if *job == id(3)),
        "{measured:?}"
    );
    let before = worker.models.cascade.identity.clone();
    for command in [
        Command::Cascade(CascadeSource::Folder("tests/pixel_cascade".into()), set()),
        Command::Regressor(None, set()),
    ] {
        match &said(&mut worker, &heard, command)[..] {
            [Event::Ready { .. }] => {} // the one inside the program is opened at once
            [Event::Notice(text)] => assert!(text.contains("stopped"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(worker.models.cascade.identity, before);
}
