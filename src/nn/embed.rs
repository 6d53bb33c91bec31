//! The input layer: pictures side by side, and three convolutions over them.

use super::conv::SpatialConv;
#[cfg(feature = "cuda")]
use super::learn::tracked;
use super::{Interrupt, Params, on_gpu};
use candle_core::{Result, Tensor};

/// Kernels of the cross-embed input convolution, ascending.
const KERNELS: [usize; 3] = [3, 7, 15];

/// Kernels 3, 7 and 15 side by side, with `dim` / 2, / 4 and the rest of the channels.
#[derive(Clone, Debug)]
pub struct CrossEmbed(Vec<SpatialConv>);

impl CrossEmbed {
    /// Loads `convs.0` .. `convs.2`.
    ///
    /// # Errors
    /// As [`SpatialConv::new`].
    pub fn new(p: &Params, input: usize, dim: usize) -> Result<Self> {
        let mut left = dim;
        let convs = KERNELS.iter().enumerate().map(|(i, &k)| {
            let output = if i + 1 == KERNELS.len() {
                left
            } else {
                dim >> (i + 1)
            };
            left -= output;
            SpatialConv::new_5d(&p.at(format!("convs.{i}")), input, output, k)
        });
        Ok(Self(convs.collect::<Result<_>>()?))
    }

    /// The same layer for two groups of its input channels: of the first `channels`, without bias, and of the
    /// rest with it. Their results add up to that of all.
    ///
    /// # Errors
    /// When there are not so many channels.
    pub fn split(&self, channels: usize) -> Result<(Self, Self)> {
        let part = |at, n, bias| {
            let convs = self.0.iter().map(|conv| conv.of_inputs(at, n, bias));
            Ok::<_, candle_core::Error>(Self(convs.collect::<Result<_>>()?))
        };
        let all = self.0.first().map_or(0, SpatialConv::inputs);
        Ok((
            part(0, channels, false)?,
            part(channels, all.saturating_sub(channels), true)?,
        ))
    }

    /// Pictures `[b or 1, c, f or 1, h, w]`, of which one is of the whole batch and has all frames, to
    /// `[b, dim, f, h, w]`.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, pictures: &[Tensor], interrupt: &Interrupt) -> Result<Tensor> {
        let (mut batch, mut frames) = (1, 1);
        for picture in pictures {
            let (b, _, f, _, _) = picture.dims5()?;
            (batch, frames) = (batch.max(b), frames.max(f));
        }
        on_gpu!(
            pictures[0],
            learns: tracked(&pictures.iter().collect::<Vec<_>>()) || self.0[0].learns(),
            self.on_gpu(pictures, (batch, frames), interrupt)
        );
        let whole = |t: &Tensor| {
            let (_, c, _, h, w) = t.dims5()?;
            t.broadcast_as((batch, c, frames, h, w))?.contiguous()
        };
        let pictures = pictures.iter().map(whole).collect::<Result<Vec<_>>>()?;
        let x = Tensor::cat(&pictures, 1)?;
        let convs = self.0.iter().map(|conv| conv.forward(&x, interrupt));
        Tensor::cat(&convs.collect::<Result<Vec<_>>>()?, 1)
    }

    /// Each convolution writes its own channels of the one result.
    #[cfg(feature = "cuda")]
    fn on_gpu(
        &self,
        pictures: &[Tensor],
        (b, frames): (usize, usize),
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        use super::{cuda, profile};
        profile::timed("convolution, larger", pictures[0].device(), || {
            let (_, _, _, h, w) = pictures[0].dims5()?;
            let convs = self.0.iter().map(SpatialConv::on_gpu);
            let convs = convs.collect::<Result<Vec<_>>>()?;
            let arithmetic = convs[0].arithmetic();
            let x = cuda::channels_joined(pictures, [b, frames, h, w], arithmetic)?;
            let channels = convs.iter().map(|c| c.outputs()).sum();
            let out = cuda::Rows::new(x.tensor(), x.dims, channels, arithmetic.dtype())?;
            let mut at = 0;
            for conv in convs {
                interrupt.check()?;
                conv.write(&x, &out, at)?;
                at += conv.outputs();
            }
            Ok(out.into_tensor())
        })
    }
}
