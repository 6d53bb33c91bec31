use crate::clip::{Clip, Frame, Video};
use crate::edm::{Preset, Seed};
use crate::ef::{EfPercent, SLIDER_RANGE};
use crate::engine::{CascadeInfo, Engine, Generated, Job, JobId, Part, Request, Stage};
use crate::hearts::{self, simulated_heart};
use crate::media::region::{Anatomy, Square};
use crate::media::{Kind, Opened};
use crate::ui::playback::{Playback, frame_at};
use crate::ui::widgets::{Cine, Mark};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

/// What survives a restart. Names no file and no patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub preset: Preset,
    pub best_of: usize,
    /// Beats a minute, for cines that are one normalised beat; playback only.
    pub heart_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            preset: Preset::default(),
            best_of: 1,
            heart_rate: 60.0,
        }
    }
}

/// Where the source comes from, as screens say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    SimulatedHeart(usize),
    File(Kind),
}

/// What is open.
pub struct Source {
    pub clip: Clip,
    pub origin: Origin,
    /// The frame that is the anatomy.
    pub frame: usize,
    pub square: Square,
    pub anatomy: Arc<Anatomy>,
    /// Tells one source's pictures from another's.
    pub id: u64,
}

impl Source {
    pub fn frame(&self) -> &Frame {
        &self.clip.frames[self.frame.min(self.clip.frames.len() - 1)]
    }
}

/// The job that the worker has.
pub struct Running {
    pub id: JobId,
    pub part: Part,
    pub at: Option<Stage>,
    pub fraction: f64,
    pub seconds_left: f64,
    pub preview: Option<(Part, Arc<Video>)>,
    /// Counts previews, so that a new one is uploaded.
    pub previews: u64,
}

/// A finished cine and its number.
#[derive(Clone)]
pub struct Shown {
    pub id: u64,
    pub result: Arc<Generated>,
}

/// A line of the history.
pub struct Past {
    pub job: Job,
    pub measured: f64,
}

pub struct Explore {
    pub settings: Settings,
    pub source: Option<Source>,
    pub requested: f64,
    pub factual_ef: f64,
    pub seed: u64,
    pub seed_locked: bool,
    /// Guidance instead of the cascade's own.
    pub guidance: Option<f64>,
    pub cascade: Option<CascadeInfo>,
    /// Cascade folders that were found, for the menu.
    pub cascades: Vec<PathBuf>,
    pub regressor: String,
    pub running: Option<Running>,
    pub factual: Option<Shown>,
    pub counterfactual: Option<Shown>,
    pub generated: Vec<f64>,
    pub ask: Option<(Job, f64)>,
    pub history: Vec<Past>,
    pub playback: Playback,
    pub(super) cines: Cines,
    pub(super) last_job: Option<Job>,
    counter: u64,
    /// Sentences for the app to show.
    pub(super) said: Vec<String>,
}

#[derive(Default)]
pub(super) struct Cines {
    pub editor: Cine,
    pub anatomy: Cine,
    pub panes: [Cine; 3],
}

impl Explore {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            source: None,
            requested: 30.0,
            factual_ef: 55.0,
            seed: 0,
            seed_locked: true,
            guidance: None,
            cascade: None,
            cascades: Vec::new(),
            regressor: String::new(),
            running: None,
            factual: None,
            counterfactual: None,
            generated: Vec::new(),
            ask: None,
            history: Vec::new(),
            playback: Playback::default(),
            cines: Cines::default(),
            last_job: None,
            counter: 0,
            said: Vec::new(),
        }
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Takes the sentences that are to be shown.
    pub fn take_said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    /// Opens the next simulated heart.
    pub fn open_simulated(&mut self, engine: &mut Engine) {
        let next = match self.source.as_ref().map(|s| s.origin) {
            Some(Origin::SimulatedHeart(i)) => (i + 1) % hearts::COUNT,
            _ => 0,
        };
        match simulated_heart(next) {
            Ok(heart) => {
                self.factual_ef = heart.ef.get();
                let clip = Clip::still(heart.frame);
                self.set_source(clip, None, Origin::SimulatedHeart(next), engine);
            }
            Err(why) => self.said.push(why),
        }
    }

    pub fn open(&mut self, opened: Opened, engine: &mut Engine) {
        let square = opened.first_square();
        self.said.extend(opened.warnings);
        // The default for a source whose EF nobody has said.
        self.factual_ef = 55.0;
        self.set_source(opened.clip, square, Origin::File(opened.kind), engine);
    }

    fn set_source(
        &mut self,
        clip: Clip,
        square: Option<Square>,
        origin: Origin,
        engine: &mut Engine,
    ) {
        let Some(first) = clip.frames.first() else {
            self.said.push("The file has no frames.".into());
            return;
        };
        let square = square.unwrap_or_else(|| Square::centred(first));
        let anatomy = match Anatomy::from_frame(first, square) {
            Ok(anatomy) => Arc::new(anatomy),
            Err(e) => return self.said.push(e.to_string()),
        };
        let id = self.next_id();
        self.source = Some(Source {
            clip,
            origin,
            frame: 0,
            square,
            anatomy,
            id,
        });
        self.forget_results();
        // Ask at once for something worth seeing: the other side of normal.
        self.requested = if self.factual_ef >= 50.0 { 30.0 } else { 65.0 };
        self.run(engine);
    }

    /// The anatomy frame or the square changed.
    pub(super) fn retake_anatomy(&mut self, engine: &mut Engine) {
        let Some(source) = &mut self.source else {
            return;
        };
        match Anatomy::from_frame(source.frame(), source.square) {
            Ok(anatomy) if anatomy != *source.anatomy => source.anatomy = Arc::new(anatomy),
            Ok(_) => return,
            Err(e) => return self.said.push(e.to_string()),
        }
        self.forget_results();
        self.run(engine);
    }

    pub(super) fn forget_results(&mut self) {
        self.factual = None;
        self.counterfactual = None;
        self.generated.clear();
        self.ask = None;
    }

    fn request(&self) -> Option<Request> {
        let source = self.source.as_ref()?;
        Some(Request {
            anatomy: source.anatomy.clone(),
            ef: EfPercent::new(self.requested.round()).ok()?,
            preset: self.settings.preset,
            seed: Seed(self.seed),
            best_of: self.settings.best_of,
            guidance: self.guidance,
        })
    }

    /// Sends what is set to the worker; what it is doing is superseded.
    pub fn run(&mut self, engine: &mut Engine) {
        let Some(counterfactual) = self.request() else {
            return;
        };
        let job = Job {
            counterfactual,
            factual: EfPercent::new(self.factual_ef).ok(),
            confirmed: false,
        };
        self.submit(job, engine);
    }

    /// A setting other than the EF changed: marks are no longer instant, and an unlocked seed moves.
    pub(super) fn rerun(&mut self, engine: &mut Engine) {
        if !self.seed_locked {
            self.seed = self.seed.wrapping_add(1);
        }
        self.generated.clear();
        self.factual = None;
        self.run(engine);
    }

    pub fn reroll(&mut self, engine: &mut Engine) {
        self.seed = self.seed.wrapping_add(1);
        self.generated.clear();
        self.factual = None;
        self.run(engine);
    }

    pub(super) fn submit(&mut self, job: Job, engine: &mut Engine) {
        // Waits until the weights are loaded; then `Ready` runs what is set.
        if self.cascade.is_none() {
            return;
        }
        self.last_job = Some(job.clone());
        let id = engine.submit(job);
        self.running = Some(Running {
            id,
            part: Part::Counterfactual,
            at: None,
            fraction: 0.0,
            seconds_left: f64::NAN,
            preview: None,
            previews: 0,
        });
    }

    pub fn cancel(&mut self, engine: &Engine) {
        engine.cancel();
        self.ask = None;
    }

    pub fn set_requested(&mut self, ef: f64, engine: &mut Engine) {
        let ef = ef.clamp(*SLIDER_RANGE.start(), *SLIDER_RANGE.end()).round();
        if ef != self.requested {
            self.requested = ef;
            self.run(engine);
        }
    }

    /// Restores a run of the history; its result is still in the worker's cache.
    pub(super) fn restore(&mut self, index: usize, engine: &mut Engine) {
        let Some(past) = self.history.get(index) else {
            return;
        };
        let job = past.job.clone();
        let request = &job.counterfactual;
        let Some(source) = &mut self.source else {
            return;
        };
        if source.anatomy != request.anatomy {
            source.anatomy = request.anatomy.clone();
            self.generated.clear();
        }
        self.requested = request.ef.get();
        self.seed = request.seed.0;
        self.settings.preset = request.preset;
        self.settings.best_of = request.best_of;
        self.guidance = request.guidance;
        if let Some(ef) = job.factual {
            self.factual_ef = ef.get();
        }
        self.submit(job, engine);
    }

    pub(super) fn marks(&self) -> Vec<Mark> {
        let generated = self.generated.iter().map(|&ef| Mark::Generated(ef));
        generated.chain([Mark::Factual(self.factual_ef)]).collect()
    }

    /// Whether the cascade's cines are one normalised beat.
    pub(super) fn beat_normalised(&self) -> bool {
        self.cascade
            .as_ref()
            .is_some_and(|c| c.config.beat_normalised)
    }

    /// Frames of the loop, and its duration in seconds at normal speed.
    pub fn cycle(&self) -> (usize, f64) {
        let made = self.counterfactual.as_ref().or(self.factual.as_ref());
        let (frames, rate) = match (made, &self.cascade) {
            (Some(shown), _) => (shown.result.video.frames, shown.result.rate.fps()),
            (None, Some(info)) => {
                let frames = info.config.stages.last().map_or(16, |s| s.frames);
                (frames, info.config.fps)
            }
            (None, None) => (16, 16.0),
        };
        if self.beat_normalised() {
            (frames, 60.0 / self.settings.heart_rate)
        } else {
            (frames, frames as f64 / rate)
        }
    }

    /// The generated cines' frame now.
    pub fn frame_now(&self, now: f64) -> usize {
        let (n, seconds) = self.cycle();
        frame_at(self.playback.position(now), n, seconds)
    }

    /// The source's frame now: a clip plays at its own rate and restarts with the loop.
    pub(super) fn source_frame_now(&self, now: f64) -> usize {
        let Some(source) = &self.source else {
            return 0;
        };
        let n = source.clip.frames.len();
        let Some(rate) = source.clip.rate.filter(|_| n > 1) else {
            return source.frame;
        };
        let (_, seconds) = self.cycle();
        let into = self.playback.position(now).rem_euclid(seconds);
        (into * rate.fps()) as usize % n
    }

    /// Seconds until a picture changes.
    pub(super) fn until_next_frame(&self, now: f64) -> Option<f64> {
        let moving = self.counterfactual.is_some()
            || self.factual.is_some()
            || self.running.as_ref().is_some_and(|r| r.preview.is_some());
        let (n, seconds) = self.cycle();
        let made = moving
            .then(|| self.playback.until_next(n, seconds, now))
            .flatten();
        let source = self.source.as_ref().filter(|s| !s.clip.is_still());
        let own = source.and_then(|s| {
            let rate = s.clip.rate?;
            self.playback
                .until_next(2, 2.0 * rate.frame_ms() / 1000.0, now)
        });
        match (made, own) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
