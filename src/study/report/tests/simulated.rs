//! Studies to report: plan, key and answers that fit each other, without clips or logs.

use crate::study::key::{Class, ClipTruth, Key};
use crate::study::plan::*;
use crate::study::record::{Answer, PresentedBy};
use crate::study::report::{ReaderAbout, Response, Study};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// Everything that a study borrows.
pub struct Simulated {
    pub plan: Plan,
    pub key: Key,
    pub responses: Vec<Response>,
    pub readers: Vec<ReaderAbout>,
}

pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// In 0..1.
    pub fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }
}

/// A clip's identifier.
pub fn clip_name(clip: usize) -> String {
    crate::hash::sha256(&clip.to_le_bytes())[..16].to_owned()
}

impl Simulated {
    /// No answers yet. `clips` are the classes of all clips, `lists` each reader's clips in their order, and
    /// the first `repeats` of them once more at the end.
    pub fn planned(design: Design, clips: &[Class], lists: &[Vec<usize>], repeats: usize) -> Self {
        let block = 25;
        let reading = |(place, list): (usize, &Vec<usize>)| {
            let again = list.iter().take(repeats).map(|clip| (clip, Kind::Repeat));
            let trials = list
                .iter()
                .map(|clip| (clip, Kind::Scored))
                .chain(again)
                .enumerate();
            Reading {
                reader: format!("R{}", place + 1),
                real_side: if place % 2 == 0 {
                    Side::Left
                } else {
                    Side::Right
                },
                trials: trials
                    .map(|(i, (clip, kind))| Trial {
                        trial: i + 1,
                        clip: clip_name(*clip),
                        kind,
                        block: i / block + 1,
                    })
                    .collect(),
            }
        };
        let readings: Vec<Reading> = lists.iter().enumerate().map(reading).collect();
        let truth = |(i, class): (usize, &Class)| ClipTruth {
            clip: clip_name(i),
            class: *class,
            anatomy: format!("heart {}", i % 97),
            requested_ef_percent: class.is_fake().then_some(30.0 + (i % 40) as f64),
            measured_ef_percent: Some(28.5 + (i % 45) as f64),
            cascade: class.is_fake().then(|| "1SCM".to_owned()),
            weights_sha256: class.is_fake().then(|| crate::hash::sha256(b"weights")),
            seed: class.is_fake().then_some(i as u64),
            source_sha256: crate::hash::sha256(b"source"),
            pixels_sha256: crate::hash::sha256(b"pixels"),
        };
        let mut truths: Vec<ClipTruth> = clips.iter().enumerate().map(truth).collect();
        truths.sort_by(|a, b| a.clip.cmp(&b.clip));
        let key = Key {
            format: crate::study::key::FORMAT.into(),
            version: 1,
            study: "00c0ffee00c0ffee".into(),
            secret: "0".repeat(64),
            readers: Vec::new(),
            clips: truths,
        };
        let readers = readings.iter().map(|r| about(&r.reader)).collect();
        Self {
            plan: plan(design, readings),
            key,
            responses: Vec::new(),
            readers,
        }
    }

    /// All readers the same clips, each in an order of their own.
    pub fn crossed(readers: usize, classes: [usize; 3], repeats: usize) -> Self {
        let clips = classes_of(classes);
        let order = |reader: usize| {
            let mut list: Vec<usize> = (0..clips.len()).collect();
            list.sort_by_key(|clip| crate::hash::sha256(format!("{reader} {clip}").as_bytes()));
            list
        };
        let lists: Vec<_> = (0..readers).map(order).collect();
        Self::planned(Design::Crossed, &clips, &lists, repeats)
    }

    /// Answers every trial by `answer`, which is told reader, class and whether it is a repeat.
    pub fn answered(mut self, mut answer: impl FnMut(usize, &Trial, Class) -> Response) -> Self {
        for (place, reading) in self.plan.readers.iter().enumerate() {
            for trial in &reading.trials {
                let truth = self
                    .key
                    .clips
                    .iter()
                    .find(|c| c.clip == trial.clip)
                    .unwrap();
                self.responses.push(answer(place, trial, truth.class));
            }
        }
        self
    }

    /// By signal detection: readers differ in d' and criterion, clips in how fake they look.
    pub fn read(self, seed: u64, d_prime: f64, reader_sd: f64) -> Self {
        let mut random = Random::new(seed);
        let of_reader: Vec<(f64, f64)> = self
            .plan
            .readers
            .iter()
            .map(|_| (d_prime + reader_sd * random.normal(), 0.3 * random.normal()))
            .collect();
        let looks: std::collections::BTreeMap<String, f64> = self
            .key
            .clips
            .iter()
            .map(|c| (c.clip.clone(), 0.5 * random.normal()))
            .collect();
        self.answered(|reader, trial, class| {
            let (d, criterion) = of_reader[reader];
            let noise = (1.0_f64 - 0.25).sqrt() * random.normal();
            let signal = if class.is_fake() { d / 2.0 } else { -d / 2.0 };
            let evidence = signal + looks[&trial.clip] + noise - criterion;
            let confidence = (1.0 + evidence.abs() * 2.2).min(5.0) as u8;
            let slow = 2.2 - 0.25 * f64::from(confidence) + 0.45 * random.normal();
            Response {
                confidence: Some(confidence),
                rt_ms: 1000.0 * slow.exp(),
                ..response(reader, trial, evidence > 0.0)
            }
        })
    }

    pub fn study(&self) -> Study<'_> {
        Study {
            plan: &self.plan,
            plan_sha256: crate::hash::sha256(b"plan"),
            key: &self.key,
            responses: self.responses.clone(),
            readers: self.readers.clone(),
            interim: false,
            interim_before: false,
            key_sealed: true,
            audit: None,
        }
    }
}

pub fn response(reader: usize, trial: &Trial, fake: bool) -> Response {
    Response {
        reader,
        trial: trial.trial,
        block: trial.block,
        clip: trial.clip.clone(),
        kind: trial.kind,
        answer: Some(if fake { Answer::Fake } else { Answer::Real }),
        confidence: None,
        rt_ms: 4000.0 + 10.0 * trial.trial as f64,
        attempt: 1,
        passes: 300,
        late_passes: usize::from(trial.trial.is_multiple_of(40)),
    }
}

pub fn classes_of(counts: [usize; 3]) -> Vec<Class> {
    let of = |(class, n): (Class, usize)| std::iter::repeat_n(class, n);
    Class::ALL.into_iter().zip(counts).flat_map(of).collect()
}

fn about(reader: &str) -> ReaderAbout {
    ReaderAbout {
        reader: reader.to_owned(),
        role: "cardiologist".into(),
        years: Some(11.0),
        glasses: Some(false),
        presentation: PresentedBy::Window,
        programs: vec!["EchoIf 0.9.0".into()],
        receipt: "ABCDE-FGHJK-MNPQR-STVWX".into(),
        complete: true,
        withdrawn: false,
        period_ms: Some(1000.0 / 60.0),
        warnings: Vec::new(),
    }
}

fn plan(design: Design, readers: Vec<Reading>) -> Plan {
    Plan {
        format: FORMAT.into(),
        version: 1,
        study: "00c0ffee00c0ffee".into(),
        title: "Can experts tell?".into(),
        program: "EchoIf 0.9.0".into(),
        design,
        shares: Shares {
            real: 0.5,
            factual: 0.25,
            counterfactual: 0.25,
        },
        prior_told: false,
        presentation: Presentation {
            frames: 64,
            fps: 32.0,
            width: 112,
            height: 112,
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
            block: 25,
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
        key_commitment: "0".repeat(64),
        readers,
    }
}
