//! Following the slider: what is kept from one EF to the next changes nothing, and what the slider
//! rests on is seen sharp before the run is over.

use crate::common::alone;
use echoif::edm::{Preset, Seed};
use echoif::ef::EfPercent;
use echoif::engine::{
    CascadeSource, DeviceChoice, Engine, Event, Job, Models, OpenDevice, Owner, Pace, Report,
    Request, generate,
};
use echoif::hearts::simulated_heart;
use echoif::media::region::{Anatomy, Square};
use echoif::nn::Interrupt;
use std::sync::Arc;
use std::time::Duration;

fn request(heart: usize, ef: f64, seed: u64) -> Request {
    let heart = simulated_heart(heart).unwrap();
    let anatomy = Anatomy::from_frame(&heart.frame, &Square::centred(112, 112).into()).unwrap();
    Request {
        anatomy: Arc::new(anatomy),
        ef: EfPercent::new(ef).unwrap(),
        preset: Preset::Balanced,
        seed: Seed(seed),
        best_of: 1,
        guidance: None,
        outline: None,
        leaflets: false,
        calibration: None,
    }
}

fn pixels() -> CascadeSource {
    CascadeSource::Folder(crate::common::pixel_cascade())
}

fn models() -> Models {
    Models::open(OpenDevice::cpu(None), pixels(), None).unwrap()
}

/// The cine's values, and the first estimate's.
fn made(models: &Models, request: &Request) -> (Vec<f32>, Vec<f32>) {
    let mut pace = Pace::calibrate(&models.device.device).unwrap();
    let mut first = None;
    let mut hear = |r: &Report| {
        first.get_or_insert_with(|| r.denoised.flatten_all().unwrap().to_vec1().unwrap());
    };
    let made = generate(models, request, &mut pace, &Interrupt::new(), &mut hear).unwrap();
    (made.cine.video.data.clone(), first.unwrap())
}

#[test]
fn what_is_kept_from_the_last_ef_changes_nothing() {
    let _alone = alone();
    let (fresh, dragged) = (models(), models());
    // Another EF before, then another seed, another heart, and back.
    made(&dragged, &request(0, 60.0, 1));
    for (heart, ef, seed) in [(0, 30.0, 1), (0, 30.0, 2), (1, 45.0, 2), (0, 70.0, 1)] {
        let wanted = request(heart, ef, seed);
        let alone = made(&fresh, &wanted);
        let followed = made(&dragged, &wanted);
        assert!(alone == followed, "heart {heart}, EF {ef}, seed {seed}");
        // The fresh one must not follow, either.
        made(&fresh, &request(2, 20.0, 99));
    }
}

#[test]
fn the_slider_at_rest_shows_a_sharp_estimate_before_the_cine() {
    let _alone = alone();
    let mut engine = Engine::start(DeviceChoice::Cpu, pixels(), || {}).unwrap();
    let long = Duration::from_secs(120);
    assert!(matches!(engine.wait(long), Some(Event::Ready { .. })));
    // A run knows how fast the machine is from those before it; a busy one may be too slow for once.
    let seen = [40.0, 25.0, 45.0, 30.0, 50.0, 35.0].into_iter().any(|ef| {
        let id = engine.submit(
            Owner::Explore,
            Job {
                counterfactual: request(0, ef, 0),
                factual: None,
                confirmed: true,
            },
        );
        let mut heights = Vec::new();
        loop {
            match engine.wait(long).expect("the worker answers") {
                Event::Progress {
                    job, at, preview, ..
                } if job == id => {
                    heights.extend(preview.map(|cine| (at.stage, cine.video.height)));
                }
                Event::Done { job } if job == id => break,
                Event::Failed { why, .. } => panic!("{why}"),
                _ => {}
            }
        }
        let Some(sharp) = heights.iter().position(|&seen| seen == (0, 112)) else {
            return false;
        };
        assert!(heights[..sharp].contains(&(0, 28)), "{heights:?}");
        // What is sharp is not followed by what is not.
        assert!(
            heights[sharp..].iter().all(|(_, h)| *h == 112),
            "{heights:?}"
        );
        true
    });
    assert!(seen, "no sharp estimate in six runs");
}
