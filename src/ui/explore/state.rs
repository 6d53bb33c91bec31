use super::choice::Choice;
use super::kept::{Past, Settings, from_settings};
use super::measuring::Measuring;
use super::outline::Correcting;
use super::shown::{BETWEEN, Point, Running, Shown, Strip};
use super::steps::Steps;
use super::viewing::Viewing;
use crate::ef::{EfOrigin, EfPercent, SLIDER_RANGE};
use crate::engine::{self, CascadeInfo, Engine, Job, Part};
use crate::media::region::Mask;
use crate::puppet::Landmarks;
use crate::ui::playback::{Playback, SPEEDS, Smoothness};
use crate::ui::projector::{Projector, Wake};
use crate::ui::source::Source;
use crate::ui::widgets::{Cine, Mark};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What is waiting for the user's word, since it would take long.
#[derive(Clone)]
pub enum Asked {
    Job(Job),
    Ladder,
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
    pub(super) correcting: Correcting,
    /// The anatomy's outline as the user corrected it.
    pub outline: Option<Arc<Landmarks>>,
    pub cascade: Option<CascadeInfo>,
    /// The hash of the cascade that was in use last.
    pub(super) made_by: Option<String>,
    /// Cascade folders that were found, for the menu.
    pub cascades: Vec<PathBuf>,
    pub regressor: String,
    pub running: Option<Running>,
    pub factual: Option<Shown>,
    pub counterfactual: Option<Shown>,
    pub generated: Vec<f64>,
    pub ask: Option<(Asked, f64)>,
    pub history: Vec<Past>,
    /// All results of this anatomy.
    pub points: Vec<Point>,
    pub ladder: Option<Strip>,
    pub viewing: Viewing,
    /// The export dialog, while it is open.
    pub exporting: Option<Choice>,
    /// Estimates that were shown so far.
    pub estimates: u64,
    pub(super) steps: Steps,
    /// The last estimate of a cine that was cancelled, and its number.
    pub(super) cancelled: Option<(Part, u64, Arc<engine::Cine>)>,
    pub playback: Playback,
    pub(super) smoothness: Smoothness,
    pub(super) cines: Cines,
    pub(super) last_job: Option<Job>,
    /// Decodes the source's frames.
    pub(super) projector: Option<Projector>,
    /// The last frame of the source that was there to be shown.
    pub(super) on_screen: Option<(usize, std::sync::Arc<crate::clip::Frame>)>,
    /// The anatomy is to be taken when its frame is there.
    pub(super) anatomy_is_due: bool,
    pub measuring: Measuring,
    /// The clip shows less than half a beat, so nothing is measured in it.
    pub(super) too_short: bool,
    /// Whose word the factual EF is.
    pub ef_origin: EfOrigin,
    /// Areas that look like text in the square of the source with this number, being sought.
    pub(super) seeking: Option<(u64, crossbeam_channel::Receiver<Vec<Mask>>)>,
    /// A drag on the source draws a mask.
    pub(super) drawing_mask: bool,
    /// The anatomy while the square is being dragged.
    pub(super) live_anatomy: Option<crate::media::region::Anatomy>,
    /// Where the files of this session lie, by hash; forgotten with the window.
    pub paths: HashMap<String, PathBuf>,
    /// A file of the list that is to be opened again.
    pub reopen: Option<PathBuf>,
    pub(super) wake: Wake,
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
    /// `wake` has the window drawn anew, from any thread.
    pub fn new(settings: Settings, wake: Wake) -> Self {
        let history = from_settings(&settings);
        // A settings file may hold anything.
        let requested = EfPercent::new(settings.requested).map_or(30.0, EfPercent::get);
        let guidance = settings.guidance.filter(|g| (1.0..=10.0).contains(g));
        let viewing = Viewing {
            mode: settings.mode,
            ..Viewing::default()
        };
        let mut playback = Playback::default();
        if SPEEDS.contains(&settings.speed) {
            playback.set_speed(settings.speed, 0.0);
        }
        let seed = settings.seed;
        Self {
            settings,
            source: None,
            requested,
            factual_ef: 55.0,
            seed,
            seed_locked: true,
            guidance,
            correcting: Correcting::default(),
            outline: None,
            cascade: None,
            made_by: None,
            cascades: Vec::new(),
            regressor: String::new(),
            running: None,
            factual: None,
            counterfactual: None,
            generated: Vec::new(),
            ask: None,
            history,
            points: Vec::new(),
            ladder: None,
            viewing,
            exporting: None,
            estimates: 0,
            steps: Steps::default(),
            cancelled: None,
            playback,
            smoothness: Smoothness::default(),
            cines: Cines::default(),
            last_job: None,
            projector: None,
            on_screen: None,
            anatomy_is_due: false,
            measuring: Measuring::default(),
            too_short: false,
            ef_origin: EfOrigin::Assumed,
            seeking: None,
            drawing_mask: false,
            live_anatomy: None,
            paths: HashMap::new(),
            reopen: None,
            wake,
            counter: 0,
            said: Vec::new(),
        }
    }

    /// Takes what is set over into what is kept.
    pub fn keep_settings(&mut self, light: bool) {
        let settings = &mut self.settings;
        settings.requested = self.requested;
        settings.seed = self.seed;
        settings.guidance = self.guidance;
        settings.mode = self.viewing.mode;
        settings.speed = self.playback.speed();
        settings.light = light;
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Takes the sentences that are to be shown.
    pub fn take_said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    pub(super) fn forget_results(&mut self) {
        self.factual = None;
        self.counterfactual = None;
        self.generated.clear();
        self.points.clear();
        self.ladder = None;
        self.cancelled = None;
        self.viewing.offset = None;
        self.ask = None;
    }

    /// Sends what is set to the worker; what it is doing is superseded.
    pub fn run(&mut self, engine: &mut Engine) {
        let Some(counterfactual) = self.request() else {
            return;
        };
        let job = Job {
            counterfactual,
            // While it is measured, only the counterfactual is made.
            factual: EfPercent::new(self.factual_ef)
                .ok()
                .filter(|_| !self.measuring.is_going_on()),
            confirmed: false,
        };
        self.submit(job, engine);
    }

    /// A setting other than the EF changed, and an unlocked seed moves.
    pub(super) fn rerun(&mut self, engine: &mut Engine) {
        if !self.seed_locked {
            self.seed = self.seed.wrapping_add(1);
        }
        self.run_anew(engine);
    }

    pub fn reroll(&mut self, engine: &mut Engine) {
        self.seed = self.seed.wrapping_add(1);
        self.run_anew(engine);
    }

    /// Marks are no longer instant, and the ladder is of other settings.
    pub(super) fn run_anew(&mut self, engine: &mut Engine) {
        self.generated.clear();
        // It stays to be seen, dimmed, until the new one is there.
        if let Some(factual) = &mut self.factual {
            factual.stale = true;
        }
        self.ladder = None;
        self.run(engine);
    }

    pub(super) fn submit(&mut self, job: Job, engine: &mut Engine) {
        // Waits until the weights are loaded; then `Ready` runs what is set.
        if self.cascade.is_none() {
            return;
        }
        let following = self.running.take().filter(|r| {
            let before = self.last_job.as_ref().map(|j| &j.counterfactual);
            r.part == Part::Counterfactual
                && before.is_some_and(|b| b.anatomy == job.counterfactual.anatomy)
        });
        // The clip of the source before this one needs no answer any more.
        if !self.measuring.is_going_on() {
            engine.cancel_measuring();
        }
        self.last_job = Some(job.clone());
        self.put_ladder_off();
        let id = engine.submit(job);
        self.running = Some(Running {
            id,
            part: Part::Counterfactual,
            at: None,
            fraction: 0.0,
            seconds_left: f64::NAN,
            // The estimate before stays until there is a newer one.
            preview: following.as_ref().and_then(|r| r.preview.clone()),
            follows: following.as_ref().and_then(|r| r.follows),
            previews: following.map_or(0, |r| r.previews),
        });
    }

    pub fn cancel(&mut self, engine: &Engine) {
        engine.cancel_all();
        self.ask = None;
    }

    pub fn set_requested(&mut self, ef: f64, engine: &mut Engine) {
        let ef = ef.clamp(*SLIDER_RANGE.start(), *SLIDER_RANGE.end()).round();
        if ef != self.requested {
            self.requested = ef;
            self.run(engine);
        }
    }

    pub(super) fn marks(&self) -> Vec<Mark> {
        let generated = self.generated.iter().map(|&ef| Mark::Generated(ef));
        // An EF that nobody gave is no mark.
        let factual = (self.ef_origin != EfOrigin::Assumed).then_some(self.factual_ef);
        let measured = self.measured_as_asked().map(|ef| Mark::Measured(ef.get()));
        let factual = factual.map(Mark::Factual);
        generated.chain(factual).chain(measured).collect()
    }

    /// What the counterfactual on screen measures, if it is the one that is asked for.
    pub(super) fn measured_as_asked(&self) -> Option<EfPercent> {
        let made = self.counterfactual.as_ref()?;
        let p = &made.result.provenance;
        let is_asked = self.running.is_none() && p.requested_ef_percent == self.requested;
        is_asked.then(|| EfPercent::measured(p.measured_ef_percent))
    }

    /// The frame of the source that is in its pane.
    pub fn source_on_screen(&self) -> Option<usize> {
        self.on_screen.as_ref().map(|(number, _)| *number)
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
            (Some(shown), _) => (shown.result.cine.video.frames, shown.result.rate.fps()),
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
        self.playback.frame(n, seconds, now)
    }

    /// The source's frame now: a clip plays at its own rate and restarts with the loop.
    pub(super) fn source_frame_now(&self, now: f64) -> usize {
        let (_, seconds) = self.cycle();
        self.source_frame_at(self.playback.phase(seconds, now) * seconds)
    }

    /// The source's frame at a time of the loop, in seconds.
    pub(super) fn source_frame_at(&self, into: f64) -> usize {
        let Some(source) = &self.source else {
            return 0;
        };
        let n = source.recording.frames();
        let Some(rate) = source.rate.filter(|_| n > 1) else {
            return source.frame;
        };
        let offset = self.viewing.offset.filter(|_| self.viewing.align);
        let begins = offset.map_or(0.0, |(at, _)| at);
        ((begins + into) * rate.fps()) as usize % n
    }

    /// Seconds until a picture changes.
    pub(super) fn until_next_frame(&self, now: f64) -> Option<f64> {
        let moving = self.counterfactual.is_some()
            || self.factual.is_some()
            || self.running.as_ref().is_some_and(|r| r.preview.is_some());
        let (n, seconds) = self.cycle();
        let between = match (self.makes_motion(), self.viewing.interpolate) {
            (true, _) => self.between(),
            (false, true) => BETWEEN,
            (false, false) => 1,
        };
        let n = n * between;
        let made = moving
            .then(|| self.playback.until_next(n, seconds, now))
            .flatten();
        let source = self.source.as_ref().filter(|s| !s.recording.is_still());
        let own = source.and_then(|s| {
            let rate = s.rate?;
            self.playback
                .until_next(2, 2.0 * rate.frame_ms() / 1000.0, now)
        });
        match (made, own) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
