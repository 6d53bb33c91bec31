//! What a cascade's stages make, as clips: pictures as they are, motion by carrying the anatomy.

use super::job::Request;
use super::models::Models;
use crate::clip::Video;
use crate::edm::{CascadeConfig, Made, Output, Preset, cascade::to_unit};
use crate::media::region::SIDE;
use crate::motion::{Beating, CarrierOnGpu, Motion};
use crate::nn::{ResizeMode, resize};
use candle_core::{Device, Error, Result, Tensor};
use std::sync::Arc;

/// A clip, and of a motion cascade the motion that it was carried by.
#[derive(Clone, Debug, PartialEq)]
pub struct Cine {
    /// `[c, f, h, w]` in 0..1.
    pub video: Video,
    pub beating: Option<Arc<Beating>>,
}

impl Cine {
    /// What it takes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        let motion = self.beating.as_ref().map_or(0, |beating| {
            let motion = beating.motion();
            // Twice the displacement: as it was made, and as it is carried by.
            2 * motion.displacement.len() + motion.cavity.len()
        });
        4 * (self.video.data.len() + motion)
    }
}

/// Presents the samples of one batch.
pub(super) struct Presenter<'a> {
    pub models: &'a Models,
    pub request: &'a Request,
    pub config: &'a CascadeConfig,
    /// Of each sample, in percent.
    pub efs: &'a [f64],
}

impl Presenter<'_> {
    /// What a stage's denoised estimates `[b, c, f, h, w]` show, small as they are.
    ///
    /// # Errors
    /// When the device fails.
    pub(super) fn estimates(&self, stage: usize, denoised: &Tensor) -> Result<Vec<Arc<Cine>>> {
        let each = |i: usize| match self.config.stages[stage].output {
            Output::Picture => Ok(Cine {
                video: Video::from_tensor(&to_unit(&denoised.get(i)?)?)?,
                beating: None,
            }),
            // Without leaflets: they come with what is finished.
            Output::Motion { scale, .. } => carried(self.beating(i, &denoised.get(i)?, scale)?),
        };
        (0..denoised.dim(0)?)
            .map(|i| each(i).map(Arc::new))
            .collect()
    }

    /// What a run made, at the anatomy's size.
    ///
    /// # Errors
    /// When the device fails, or nothing was made.
    pub(super) fn finished(&self, made: &Made) -> Result<Vec<Cine>> {
        let beating = |i: usize| match (&made.motion, self.config.stages[0].output) {
            (Some(motion), Output::Motion { scale, .. }) => {
                self.beating(i, &motion.get(i)?, scale).map(Some)
            }
            _ => Ok(None),
        };
        let each = |i: usize| match (&made.video, beating(i)?) {
            (Some(videos), beating) => Ok(Cine {
                video: to_video(&videos.narrow(0, i, 1)?)?,
                beating: beating.map(Arc::new),
            }),
            (None, Some(beating)) if self.opens_valves() => carried(beating.with_leaflets()),
            (None, Some(beating)) => carried(beating),
            (None, None) => Err(Error::Msg("nothing was generated".into())),
        };
        (0..self.efs.len()).map(each).collect()
    }

    /// The anatomy, carried along motions `[b, 3, f, h, w]`: `[b, 1, f, 112, 112]` in 0..1.
    ///
    /// # Errors
    /// When the device fails.
    pub(super) fn carry(&self, motion: &Tensor) -> Result<Tensor> {
        // What a person corrects is fitted on the host.
        if motion.device().is_cuda() && self.request.outline.is_none() {
            return self.carry_on_gpu(motion);
        }
        let videos = self.estimates(0, motion)?;
        let videos = videos.iter().map(|cine| cine.video.to_tensor());
        let videos = Tensor::cat(&videos.collect::<Result<Vec<_>>>()?, 0)?;
        videos.to_device(motion.device())
    }

    fn carry_on_gpu(&self, motion: &Tensor) -> Result<Tensor> {
        let Output::Motion { scale, .. } = self.config.stages[0].output else {
            return Err(Error::Msg("the first stage makes no motion".into()));
        };
        let tissue = self.models.tissue(&self.request.anatomy)?;
        let carrier = CarrierOnGpu::new(tissue.carrier(), motion.device())?;
        let each = |i: usize| carrier.carry(&motion.get(i)?, scale);
        let videos = (0..motion.dim(0)?).map(each).collect::<Result<Vec<_>>>()?;
        Tensor::stack(&videos, 0)
    }

    /// *Preview* is one evaluation, carried, and no more.
    fn opens_valves(&self) -> bool {
        self.request.leaflets && self.request.preset != Preset::Preview
    }

    fn beating(&self, i: usize, motion: &Tensor, scale: f64) -> Result<Beating> {
        let mut motion = Motion::from_tensor(motion, scale)?;
        if let (Some(outline), Some(ef)) = (&self.request.outline, self.efs.get(i)) {
            motion = motion.corrected(outline, ef / 100.0).map_err(Error::Msg)?;
        }
        let tissue = self.models.tissue(&self.request.anatomy)?;
        Beating::new(tissue, motion).map_err(|why| Error::Msg(why.to_string()))
    }
}

fn carried(beating: Beating) -> Result<Cine> {
    Ok(Cine {
        video: beating.video(),
        beating: Some(Arc::new(beating)),
    })
}

/// `[1, c, f, h, w]` in 0..1 to a clip of the anatomy's size.
fn to_video(video: &Tensor) -> Result<Video> {
    let (_, _, f, h, w) = video.dims5()?;
    let video = if (h, w) == (SIDE, SIDE) {
        video.clone()
    } else {
        resize(video, ResizeMode::Trilinear, f, SIDE, SIDE)?
    };
    let video = video.to_device(&Device::Cpu)?.clamp(0f32, 1f32)?;
    Video::from_tensor(&video.get(0)?)
}
