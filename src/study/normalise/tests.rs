use super::*;
use crate::clip::{Frame, Pixels};
use crate::media::Kind;
use crate::recording::FrameReader;
use crate::study::levels::{Histogram, cut, levels};
use crate::study::secret::Secret;
use std::sync::Arc;

/// Frames of noise in a sector; the first pixel of the middle row is the frame's number.
struct Drawn {
    side: usize,
    border: u8,
    step: u8,
}

impl FrameReader for Drawn {
    fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
        let side = self.side;
        let pixels = (0..side * side).map(|p| {
            let (x, y) = (
                (p % side) as f64 / side as f64,
                (p / side) as f64 / side as f64,
            );
            let inside = (x - 0.5).abs() < 0.1 + 0.4 * y && x.hypot(y) < 1.2 && y > 0.02 && y < 0.9;
            let noise = (p as u64 + 977 * i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
            let level = (30.0 + 0.7 * noise as f64 * (1.0 - 0.3 * y)) as u8;
            if inside {
                level / self.step * self.step
            } else {
                self.border
            }
        });
        Ok(Arc::new(Frame {
            width: side,
            height: side,
            pixels: Pixels::Gray(pixels.collect()),
        }))
    }
}

fn opened(side: usize, frames: usize, fps: f64, border: u8, step: u8) -> Opened {
    let reader = Drawn { side, border, step };
    let recording = Recording::new(frames, FrameRate::new(fps), Box::new(reader)).unwrap();
    Opened::new(recording, Kind::Gif)
}

fn shown(surveys: &[Survey], rate: Option<f64>) -> Result<Common, NotAlike> {
    let surveys: Vec<&Survey> = surveys.iter().collect();
    let (sector, _) = sector_of_all(&surveys)?;
    common(&surveys, &sector, rate, 2.0)
}

fn random(n: u8) -> Random {
    Secret::new([n; 32]).random("window")
}

#[test]
fn clips_of_all_kinds_come_out_alike() {
    let sources = [
        opened(112, 64, 32.0, 0, 1),
        opened(112, 120, 50.0, 94, 1),
        opened(300, 100, 60.0, 0, 1),
        opened(112, 90, 40.0, 0, 4),
    ];
    let surveys: Vec<Survey> = sources
        .iter()
        .map(|o| Survey::of(o, 60.0).unwrap())
        .collect();
    let common = shown(&surveys, None).unwrap();
    // 100 frames at 60 a second last 1.67 s.
    assert_eq!((common.fps, common.frames, common.side), (32.0, 53, 112));
    let mut clips: Vec<Vec<u8>> = sources
        .iter()
        .zip(&surveys)
        .map(|(o, s)| s.take(o, &common, &mut random(1)).unwrap())
        .collect();
    let histograms: Vec<_> = clips
        .iter()
        .map(|c| Histogram::of(c, &common.sector))
        .collect();
    let levels = levels(&histograms);
    assert_eq!(levels, 64);
    for clip in &mut clips {
        cut(clip, levels);
        assert_eq!(clip.len(), 53 * 112 * 112);
        let frames: Vec<&[u8]> = clip.chunks_exact(112 * 112).collect();
        assert!(
            frames.windows(2).all(|pair| pair[0] != pair[1]),
            "a frame twice"
        );
        let outside = frames.iter().flat_map(|f| f.iter().zip(&common.sector));
        assert!(
            outside
                .filter(|(_, inside)| !**inside)
                .all(|(v, _)| *v == 0)
        );
        let used: std::collections::BTreeSet<&u8> = clip.iter().collect();
        assert!(used.len() <= levels);
    }
}

#[test]
fn windows_begin_by_chance_and_loops_at_any_phase() {
    let long = opened(112, 200, 50.0, 0, 1);
    let survey = Survey::of(&long, 60.0).unwrap();
    let common = shown(std::slice::from_ref(&survey), Some(25.0)).unwrap();
    assert_eq!((common.fps, common.frames), (25.0, 50));
    let starts: std::collections::BTreeSet<usize> = (0..200)
        .map(|n| {
            let places = survey.places(&common, &mut random(n));
            assert!(places.windows(2).all(|p| p[1] - p[0] == 2) && places[49] < 200);
            places[0]
        })
        .collect();
    assert!(starts.len() > 60 && starts.contains(&0), "{starts:?}");

    let mut beat = opened(112, 16, 16.0, 0, 1);
    beat.recording.beat_normalised = true;
    let looped = Survey::of(&beat, 90.0).unwrap();
    assert_eq!((looped.fps, looped.seconds()), (24.0, f64::INFINITY));
    let places = looped.places(&common_of(&looped), &mut random(1));
    assert!(places.windows(2).all(|p| (p[0] + 1) % 16 == p[1]));
    let phases: std::collections::BTreeSet<usize> = (0..200)
        .map(|n| looped.places(&common_of(&looped), &mut random(n))[0])
        .collect();
    assert_eq!(phases.len(), 16);
}

fn common_of(survey: &Survey) -> Common {
    shown(std::slice::from_ref(survey), None).unwrap()
}

/// Every frame twice.
struct Padded(Drawn);

impl FrameReader for Padded {
    fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
        self.0.read(i / 2)
    }
}

#[test]
fn frames_that_repeat_are_not_counted() {
    let reader = Padded(Drawn {
        side: 112,
        border: 0,
        step: 1,
    });
    let recording = Recording::new(80, FrameRate::new(50.0), Box::new(reader)).unwrap();
    let padded = Opened::new(recording, Kind::Gif);
    let mut survey = Survey::of(&padded, 60.0).unwrap();
    let sector = survey.sector.clone();
    survey.settle(&padded, &sector).unwrap();
    assert_eq!(
        (survey.fps, survey.seconds(), survey.steps.len()),
        (25.0, 1.6, 40)
    );
    let clip = survey
        .take(&padded, &common_of(&survey), &mut random(1))
        .unwrap();
    let frames: Vec<&[u8]> = clip.chunks_exact(112 * 112).collect();
    assert_eq!(frames.len(), 40);
    assert!(frames.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn who_costs_the_others_sector_is_named() {
    let mut surveys: Vec<Survey> = (0..3)
        .map(|_| Survey::of(&opened(112, 64, 32.0, 0, 1), 60.0).unwrap())
        .collect();
    let costly = |surveys: &[Survey]| {
        let surveys: Vec<&Survey> = surveys.iter().collect();
        sector_of_all(&surveys).unwrap().1
    };
    assert!(costly(&surveys).is_empty());
    surveys[1].sector[40 * SIDE..60 * SIDE].fill(false);
    let found = costly(&surveys);
    assert!(
        matches!(found[..], [(1, share)] if share > 0.1),
        "{found:?}"
    );
    surveys[2].sector.fill(false);
    assert!(matches!(
        shown(&surveys, None),
        Err(NotAlike::Sector { .. })
    ));
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let survey = |o: &Opened| Survey::of(o, 60.0);
    assert_eq!(
        survey(&opened(112, 1, 32.0, 0, 1)).err(),
        Some(Unfit::Still)
    );
    assert_eq!(
        survey(&opened(12, 9, 32.0, 0, 1)).err(),
        Some(Unfit::Small(12))
    );
    let mut silent = opened(112, 9, 32.0, 0, 1);
    silent.recording.rate = None;
    assert_eq!(survey(&silent).err(), Some(Unfit::NoRate));
    let short = survey(&opened(112, 2, 32.0, 0, 1)).unwrap();
    assert_eq!(
        shown(&[short], None),
        Err(NotAlike::Short {
            clip: 0,
            seconds: 0.0625
        })
    );
}

#[test]
fn heart_rates_are_those_of_recorded_clips() {
    let drawn: Vec<f64> = (0..50)
        .map(|n| heart_rate(&[52.0, 71.0], &mut random(n)))
        .collect();
    assert!(drawn.contains(&52.0) && drawn.contains(&71.0));
    assert!(drawn.iter().all(|r| [52.0, 71.0].contains(r)));
    assert!(USUAL_HEART_RATES.contains(&heart_rate(&[], &mut random(1))));
}
