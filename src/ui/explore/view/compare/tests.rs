use super::*;
use crate::clip::{Clip, Video};
use crate::hearts::simulated_heart;
use crate::media::{Kind, Opened};
use crate::metrics::beat::Grays;
use crate::recording::Recording;
use crate::ui::source::{Origin, Source};
use std::sync::Arc;

#[test]
fn a_difference_is_gray_where_there_is_none_and_says_its_sign() {
    assert_eq!(signed(100, 100, 8.0), [45; 3]);
    assert_eq!(signed(0, 255, 1.0), [255, 150, 40]);
    assert_eq!(signed(255, 0, 1.0), [60, 140, 255]);
    let [weak, strong] = [1.0, 4.0].map(|gain| signed(50, 80, gain));
    assert!(strong[0] > weak[0] && weak[0] > weak[2] && strong[0] - strong[2] > 60);
    let [red, _, blue] = signed(80, 50, 4.0);
    assert!(blue > red + 60);
}

/// A clip that begins with a simulated heart, whose second frame has one level everywhere.
fn clip(level: u8) -> Source {
    let mut first = simulated_heart(0).unwrap().frame;
    if let Pixels::Rgb(rgb) = &first.pixels {
        first.pixels = Pixels::Gray(rgb.chunks(3).map(|p| p[0]).collect());
    }
    let second = Frame {
        pixels: Pixels::Gray(vec![level; first.width * first.height]),
        ..first.clone()
    };
    let clip = Clip {
        frames: vec![first, second],
        rate: None,
        beat_normalised: false,
    };
    let recording = Recording::of_clip(clip).unwrap();
    Source::prepare(Opened::new(recording, Kind::Gif), Origin::File(Kind::Gif)).unwrap()
}

#[test]
fn frames_that_a_mask_or_another_recording_changes_are_other_pictures() {
    let mut explore = Explore::new(Default::default(), Arc::new(|| {}));
    let grays = |level: f32| {
        Some(Arc::new(Grays::of(&Video {
            channels: 1,
            frames: 2,
            height: SIDE,
            width: SIDE,
            data: vec![level; 2 * SIDE * SIDE],
        })))
    };
    explore.put_source(clip(200));
    assert!(explore.source_key(1).is_none());
    explore.view.take(grays(0.75));
    let shown = explore.source_key(1).unwrap();
    assert_eq!(explore.source_key(1), Some(shown));
    // What is masked is black in the anatomy: that stays the same, and the other frames do not.
    explore.view.take(None);
    assert!(explore.source_key(1).is_none());
    explore.view.take(grays(0.0));
    let masked = explore.source_key(1).unwrap();
    assert_ne!(masked, shown);
    // Another recording whose first frame is the same.
    let before = explore.case.source.as_ref().unwrap().anatomy.sha256.clone();
    explore.put_source(clip(90));
    let after = &explore.case.source.as_ref().unwrap().anatomy.sha256;
    assert_eq!(*after, before);
    explore.view.take(grays(0.25));
    let other = explore.source_key(1).unwrap();
    assert!(other != masked && other != shown);
}
