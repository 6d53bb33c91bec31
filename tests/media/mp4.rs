//! MP4 with H.264, of which two small files stand in `tests/coded`.
use echoif::clip::Frame;
use echoif::media::{self, Kind};
use std::path::{Path, PathBuf};

fn file(range: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/coded");
    Path::new(folder).join(format!("clip_{range}.mp4"))
}

/// How far a frame is from frame `f` of the clip, at most and on the mean, in levels of 255.
fn off(frame: &Frame, f: usize) -> (u8, f64) {
    assert_eq!((frame.width, frame.height), (64, 48));
    let mut worst = 0;
    let mut sum = 0.0;
    for y in 0..48 {
        for x in 0..64 {
            let off = frame.rgb(x, y)[1].abs_diff((2 * x + y + 6 * f) as u8);
            worst = worst.max(off);
            sum += f64::from(off);
        }
    }
    (worst, sum / (64.0 * 48.0))
}

#[test]
fn every_frame_in_any_order_and_range() {
    for range in ["tv", "pc"] {
        let opened = media::open(&file(range)).unwrap();
        let recording = &opened.recording;
        assert_eq!((opened.kind, recording.frames()), (Kind::Mp4, 12));
        assert!((recording.rate.unwrap().fps() - 12.5).abs() < 1e-9);
        // A new recording each time: what is kept would answer without the decoder.
        for order in [
            vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            vec![11, 4, 10, 3, 0, 7, 8, 5, 1],
            vec![2, 9, 3, 10, 4, 11, 5],
        ] {
            let opened = media::open(&file(range)).unwrap();
            for f in order {
                let (worst, mean) = off(&opened.recording.frame(f).unwrap(), f);
                assert!(
                    worst <= 6 && mean < 1.5,
                    "{range} frame {f}: {worst}, {mean}"
                );
            }
        }
    }
}

#[test]
fn damage_costs_a_sentence() {
    let whole = std::fs::read(file("tv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip");
    let look = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match media::open(&path) {
            // A later frame may still be damaged: a phrase.
            Ok(opened) => {
                (0..opened.recording.frames().min(12)).any(|f| opened.recording.frame(f).is_err())
            }
            Err(e) => {
                assert!(
                    e.to_string().contains("xport it again") || e.to_string().contains("kind"),
                    "{e}"
                );
                true
            }
        }
    };
    assert!(!look(&whole));
    for length in (16..whole.len()).step_by(97) {
        assert!(look(&whole[..length]), "cut at {length}");
    }
    let mut seed = 1u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize
    };
    for _ in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..1 + next() % 4 {
            let at = 12 + next() % (bytes.len() - 12);
            bytes[at] = next() as u8;
        }
        look(&bytes);
    }
}
