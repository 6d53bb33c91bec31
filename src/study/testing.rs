//! What the tests of this folder share: a study that is made by hand, and damage.

use super::code::Code;
use super::key::{self, Class, ClipTruth, Key, ReaderCode};
use super::plan::{self, Analysis, Answering, BARS, Design, Kind, Plan, Presentation, Primary};
use super::plan::{Reading, Resume, Shares, Side, Sitting, Texts, Trial};
use super::record::PresentedBy;
use super::script;
use super::secret::Secret;
use super::session::Start;
use super::stamp::Stamp;
pub use crate::damage::mutations;
use std::path::Path;
use std::sync::Arc;

pub const CLIPS: usize = 6;
/// One of practice, six in two blocks, two of them once more in a third.
pub const TRIALS: usize = 9;

fn secret() -> Secret {
    Secret::new([42; 32])
}

/// Clips by their identifiers, in order.
pub fn identifiers() -> Vec<String> {
    let of = |i: usize| secret().identifier("clip", &[i as u8]);
    let mut all: Vec<String> = (0..CLIPS).map(of).collect();
    all.sort();
    all
}

/// The frames of a clip: 4 of 8 x 8.
pub fn pixels(clip: &str) -> Vec<u8> {
    let bytes = secret().derive("pixels", clip.as_bytes());
    bytes.iter().copied().cycle().take(4 * 8 * 8).collect()
}

pub fn key() -> Key {
    let truth = |(i, clip): (usize, String)| ClipTruth {
        class: Class::ALL[i % 3],
        anatomy: format!("heart {i}"),
        requested_ef_percent: Some(30.0),
        measured_ef_percent: None,
        cascade: Some("builtin".into()),
        weights_sha256: None,
        seed: Some(i as u64),
        source_sha256: crate::hash::sha256(&[i as u8]),
        pixels_sha256: crate::hash::sha256(&pixels(&clip)),
        clip,
    };
    let code = |i: usize| {
        let reader = format!("R{}", i + 1);
        let code = Code::of_reader(&secret(), &reader).to_string();
        ReaderCode { reader, code }
    };
    Key {
        format: key::FORMAT.into(),
        version: key::VERSION,
        study: secret().identifier("study", &[]),
        secret: secret().to_hex(),
        readers: (0..3).map(code).collect(),
        clips: identifiers().into_iter().enumerate().map(truth).collect(),
    }
}

/// Three readers, each with a list of [`TRIALS`].
pub fn plan() -> Plan {
    let key = key();
    let reading = |i: usize| {
        let mut clips = identifiers();
        clips.rotate_left(i * 2);
        let again = clips.iter().take(2).cloned().collect::<Vec<_>>();
        let scored = clips.into_iter().map(|clip| (clip, Kind::Scored));
        let listed = [(BARS.to_owned(), Kind::Practice)]
            .into_iter()
            .chain(scored)
            .chain(again.into_iter().map(|clip| (clip, Kind::Repeat)));
        let trial = |(n, (clip, kind)): (usize, (String, Kind))| Trial {
            trial: n + 1,
            clip,
            kind,
            block: n.div_ceil(3),
        };
        Reading {
            reader: format!("R{}", i + 1),
            real_side: if i.is_multiple_of(2) {
                Side::Left
            } else {
                Side::Right
            },
            trials: listed.enumerate().map(trial).collect(),
        }
    };
    Plan {
        format: plan::FORMAT.into(),
        version: plan::VERSION,
        study: key.study.clone(),
        title: "Sechs Herzen".into(),
        program: "echoif 0.1.0".into(),
        design: Design::Crossed,
        shares: Shares {
            real: 0.5,
            factual: 0.25,
            counterfactual: 0.25,
        },
        prior_told: false,
        presentation: Presentation {
            frames: 4,
            fps: 4.0,
            width: 8,
            height: 8,
            levels: 256,
            points: 448,
            loop_gap_ms: 300,
        },
        answer: Answering {
            confidence: 5,
            time_limit_s: None,
            min_view_ms: 500,
        },
        session: Sitting {
            block: 3,
            break_s: 60,
            resume: Resume::Resume,
            max_pause_h: 72,
        },
        analysis: Analysis {
            primary: Primary::BalancedAccuracy,
            level: 0.95,
            equivalence_margin: 0.1,
        },
        texts: Texts::default(),
        key_commitment: crate::hash::sha256(&key.to_bytes()),
        readers: (0..3).map(reading).collect(),
    }
}

/// The bytes with the first `from` in them replaced.
pub fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|w| w == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("{from} is not there"));
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

/// When the tests' sessions begin.
pub const START: Stamp = Stamp {
    utc_ms: 1_795_676_400_000,
    mono_ms: 0.0,
};

/// A script for the list of a reader: every trial, no two answers alike.
pub fn script() -> String {
    let row = |trial: usize| {
        let answer = ["real", "fake"][trial % 2];
        let (sure, ms) = (1 + trial % 5, 1000.0 + 10.5 * trial as f64);
        format!("{trial},{answer},{sure},{ms}\n")
    };
    let rows: String = (1..=TRIALS).map(row).collect();
    format!("trial,answer,confidence,rt_ms\n{rows}")
}

/// Runs a script on a log.
pub fn run_script(plan: &Plan, place: usize, script: &str, log: &Path) -> script::Ran {
    let start = Start {
        log,
        by: PresentedBy::Script,
        program: "echoif 0.1.0",
        at: START,
    };
    let script = script::Script::parse(script.as_bytes()).unwrap();
    script::run(&script, &Arc::new(plan.clone()), place, start, || {}).unwrap()
}

/// The log of a reader who read everything.
pub fn log_of(plan: &Plan, place: usize) -> Vec<u8> {
    let folder = folder_of_logs();
    let path = folder.path().join("log");
    assert!(run_script(plan, place, &script(), &path).complete);
    std::fs::read(path).unwrap()
}

/// A folder for logs that are written thousands of times: in memory, where there is a place for that, since
/// there it costs nothing to have each line on the disk.
pub fn folder_of_logs() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}
