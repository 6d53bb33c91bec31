//! What is asked of the cascade: EF, preset, seed, guidance, calibration, outline.

pub(in crate::ui::explore) mod outline;
mod settings_panel;

use super::kept::Settings;
use crate::calibration::{Asking, Calibration, Curve};
use crate::edm::{Preset, Seed};
use crate::ef::{EfPercent, SLIDER_RANGE};
use crate::engine::Request;
use crate::media::region::Anatomy;
use crate::provenance::{Leaflets, Provenance};
use crate::puppet::Landmarks;
use outline::Correcting;
use std::sync::Arc;

/// Everything of a run but its anatomy.
pub struct Wanted {
    /// Percent.
    pub requested: f64,
    pub preset: Preset,
    /// Cines of which the one that measures closest is kept.
    pub best_of: usize,
    pub seed: u64,
    pub seed_locked: bool,
    /// Guidance instead of the cascade's own.
    pub guidance: Option<f64>,
    /// Whether a motion cascade's cines open the mitral valve, where a closed one is seen.
    pub leaflets: bool,
    /// Whether the EF is asked for by the cascade's calibration; `None`: where its card shows that this helps.
    pub calibrated: Option<bool>,
    /// Of a run that is repeated: what was asked, and what was conditioned on. Until something else is set.
    repeated: Option<(EfPercent, Option<EfPercent>)>,
    /// The anatomy's outline as the user corrected it.
    pub outline: Option<Arc<Landmarks>>,
    pub(in crate::ui::explore) correcting: Correcting,
    /// The hash of the cascade that was in use last.
    cascade: Option<String>,
}

impl Wanted {
    /// What was set last. A settings file may hold anything.
    pub(in crate::ui::explore) fn from_settings(settings: &Settings) -> Self {
        Self {
            requested: EfPercent::new(settings.requested).map_or(30.0, EfPercent::get),
            preset: settings.preset,
            best_of: settings.best_of,
            seed: settings.seed,
            seed_locked: true,
            guidance: settings.guidance.filter(|g| (1.0..=10.0).contains(g)),
            leaflets: settings.leaflets,
            calibrated: settings.calibrated,
            repeated: None,
            outline: None,
            correcting: Correcting::default(),
            cascade: None,
        }
    }

    pub(in crate::ui::explore) fn keep(&self, settings: &mut Settings) {
        settings.requested = self.requested;
        settings.preset = self.preset;
        settings.best_of = self.best_of;
        settings.seed = self.seed;
        settings.guidance = self.guidance;
        settings.leaflets = self.leaflets;
        settings.calibrated = self.calibrated;
    }

    /// The curve that is asked by, of a calibration that is known.
    pub(in crate::ui) fn curve(&self, known: Option<&Calibration>) -> Option<Curve> {
        let known = known?;
        let is_wanted = self.calibrated.unwrap_or_else(|| known.is_default());
        is_wanted.then(|| known.curve.clone())
    }

    fn asking(&self, known: Option<&Calibration>) -> Option<Asking> {
        let (curve, repeated) = (self.curve(known), self.repeated);
        let asks = curve.is_some() || repeated.is_some();
        asks.then_some(Asking { curve, repeated })
    }

    /// Whether the EF that is asked is a repeated run's.
    pub(in crate::ui::explore) fn is_repeated(&self) -> bool {
        self.repeated
            .is_some_and(|(ef, _)| ef.get() == self.requested)
    }

    /// Something else is set than what a repeated run was made with.
    pub(in crate::ui::explore) fn repeat_no_more(&mut self) {
        self.repeated = None;
    }

    /// As a request of an anatomy's; an outline only of a cascade that makes motion.
    pub(in crate::ui::explore) fn request(
        &self,
        anatomy: Arc<Anatomy>,
        makes_motion: bool,
        calibration: Option<&Calibration>,
    ) -> Option<Request> {
        Some(Request {
            anatomy,
            ef: EfPercent::new(self.requested.round()).ok()?,
            preset: self.preset,
            seed: Seed(self.seed),
            best_of: self.best_of,
            guidance: self.guidance,
            outline: self.outline.clone().filter(|_| makes_motion),
            leaflets: self.leaflets,
            calibration: self.asking(calibration),
        })
    }

    /// Whether nothing is set that few need.
    pub(in crate::ui::explore) fn is_usual(&self, calibration: Option<&Calibration>) -> bool {
        let by_itself =
            |known: &Calibration| self.curve(Some(known)).is_some() == known.is_default();
        self.seed_locked
            && self.best_of <= 1
            && self.guidance.is_none()
            && calibration.is_none_or(by_itself)
    }

    /// What makes the same of any anatomy, at an EF; the outline is one anatomy's alone.
    pub(in crate::ui) fn alike(
        &self,
        ef: EfPercent,
        calibration: Option<&Calibration>,
    ) -> impl Fn(Arc<Anatomy>) -> Request + use<> {
        let (preset, seed, best_of) = (self.preset, Seed(self.seed), self.best_of);
        let (guidance, leaflets) = (self.guidance, self.leaflets);
        let calibration = self.curve(calibration);
        move |anatomy| Request {
            preset,
            seed,
            best_of,
            guidance,
            leaflets,
            calibration: calibration.clone().map(Asking::by),
            ..Request::new(anatomy, ef)
        }
    }

    /// Takes over what a run was made with.
    pub(in crate::ui::explore) fn repeat(&mut self, p: &Provenance) {
        self.requested = p.requested_ef_percent;
        // The first of the seeds that it was chosen from.
        self.seed = p.candidates.first().map_or(p.seed, |c| c.seed);
        self.preset = p.preset;
        self.best_of = p.best_of.max(1);
        self.guidance = p.guidance_asked.filter(|g| (0.0..=50.0).contains(g));
        self.outline = p.outline.clone().map(Arc::new);
        self.leaflets = p.leaflets.is_some_and(|l| l != Leaflets::Off);
        let conditioning = p.conditioning_ef_percent.map(EfPercent::measured);
        self.repeated = Some((EfPercent::measured(p.requested_ef_percent), conditioning));
    }

    /// True when it is another one than before.
    pub(in crate::ui::explore) fn request_ef(&mut self, ef: f64) -> bool {
        let ef = ef.clamp(*SLIDER_RANGE.start(), *SLIDER_RANGE.end()).round();
        std::mem::replace(&mut self.requested, ef) != ef
    }

    pub(in crate::ui::explore) fn next_seed(&mut self) {
        self.seed = self.seed.wrapping_add(1);
    }

    /// The cascade with this hash is in use now: another one has guidance of its own.
    pub(in crate::ui::explore) fn settle(&mut self, cascade_sha256: &str) {
        let before = self.cascade.replace(cascade_sha256.to_owned());
        if before.is_some_and(|before| before != cascade_sha256) {
            self.guidance = None;
        }
    }

    /// Ends the correction of the outline, if it is being made.
    pub(in crate::ui::explore) fn put_points_away(&mut self) -> bool {
        std::mem::take(&mut self.correcting).is_on
    }

    /// Another anatomy has another outline.
    pub(in crate::ui::explore) fn forget_outline(&mut self) {
        self.outline = None;
        self.repeated = None;
        self.correcting = Correcting::default();
    }
}
