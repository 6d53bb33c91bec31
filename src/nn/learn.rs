//! Where gradients pass. A network that is [loaded](super::Params::load) runs by the kernels of this crate; one
//! that [learns](super::Params::learn) holds its parameters as variables, and every layer that meets one is
//! computed by operations that know their derivatives: convolutions, norms, attention over frames and to few keys, joins
//! and gates by kernels of their own (`cpu/*_grad.rs`, `grad.rs` below an attention's), each tested against its composition
//! of Candle's operations; the rest, which is small, by these. On a GPU all of a network that learns is computed by these
//! operations, and by products of matrices that know their derivatives ([`matmul`](super::matmul)): the kernels that a
//! loaded network runs by there have none.
//!
//! What the kernels give on the way forward is made with `apply_opN`, never with `apply_opN_no_bwd`: a kernel
//! that a tracked tensor reaches all the same fails in the backward pass, by its name, instead of cutting the
//! graph in silence.

use candle_core::Tensor;
#[cfg(any(test, feature = "cuda"))]
use candle_core::{CpuStorage, CustomOp3, Error, Layout, Result, Shape, Storage, Var};
#[cfg(any(test, feature = "cuda"))]
use std::sync::{Mutex, PoisonError};

/// Whether one of them is a variable, or was made of one: whether a gradient is to pass here.
pub(super) fn tracked(tensors: &[&Tensor]) -> bool {
    tensors.iter().any(|t| t.track_op())
}

/// What `make` makes of three tensors by operations that know their derivatives, made once more in the backward pass:
/// from one pass to the other no more is kept than what goes in and what comes out.
///
/// # Errors
/// Those of `make`.
#[cfg(any(test, feature = "cuda"))]
pub(super) fn made_again<F>(x: &Tensor, a: &Tensor, b: &Tensor, make: F) -> Result<Tensor>
where
    F: Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static,
{
    let made = Made::new(&make(&x.detach(), &a.detach(), &b.detach())?)?;
    x.apply_op3(a, b, MadeAgain { make, made })
}

/// What a layer has made, until it is handed over as the result of an operation with a derivative.
#[cfg(any(test, feature = "cuda"))]
pub(super) struct Made(Mutex<Option<Tensor>>);

#[cfg(any(test, feature = "cuda"))]
impl Made {
    /// # Errors
    /// When there is no memory for it.
    pub fn new(t: &Tensor) -> Result<Self> {
        // In memory of its own, from the start.
        Ok(Self(Mutex::new(Some(t.force_contiguous()?))))
    }

    fn take(&self) -> Result<Tensor> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.take()
            .ok_or_else(|| Error::Msg("a result is handed over once".into()))
    }

    /// # Errors
    /// When it is not on the CPU, or has been handed over.
    pub fn on_cpu(&self) -> Result<(CpuStorage, Shape)> {
        let made = self.take()?;
        let (storage, layout) = made.storage_and_layout();
        match &*storage {
            Storage::Cpu(storage) => Ok((storage.clone(), layout.shape().clone())),
            _ => Err(Error::Msg("made on another device".into())),
        }
    }

    /// # Errors
    /// When it is not on a GPU, or has been handed over.
    #[cfg(feature = "cuda")]
    pub fn on_cuda(&self) -> Result<(candle_core::CudaStorage, Shape)> {
        use candle_core::backend::BackendStorage;
        let made = self.take()?;
        let (storage, layout) = made.storage_and_layout();
        match &*storage {
            Storage::Cuda(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => Err(Error::Msg("made on another device".into())),
        }
    }
}

#[cfg(any(test, feature = "cuda"))]
struct MadeAgain<F> {
    make: F,
    made: Made,
}

#[cfg(any(test, feature = "cuda"))]
impl<F> CustomOp3 for MadeAgain<F>
where
    F: Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor> + Send + Sync,
{
    fn name(&self) -> &'static str {
        "made-again"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.made.on_cpu()
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        _: &candle_core::CudaStorage,
        _: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        self.made.on_cuda()
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        slope: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let leaf = |t: &Tensor| Var::from_tensor(&t.detach());
        let (x, a, b) = (leaf(x)?, leaf(a)?, leaf(b)?);
        let made = (self.make)(&x, &a, &b)?;
        let slopes = (made * slope.detach())?.sum_all()?.backward()?;
        // What was not looked at has none; whoever waits for one gets zeros.
        let of = |v: &Var| match slopes.get(v) {
            Some(slope) => Ok(slope.clone()),
            None => v.zeros_like(),
        };
        Ok((Some(of(&x)?), Some(of(&a)?), Some(of(&b)?)))
    }
}

#[cfg(test)]
mod tests {
    use crate::nn::attention::{CrossAttention, MiddleAttention, TemporalAttention};
    use crate::nn::context::GlobalContext;
    use crate::nn::conv::{PointConv, SpatialConv, TemporalConv, TemporalPeg};
    use crate::nn::embed::CrossEmbed;
    use crate::nn::norm::{ChannelNorm, GroupNormSilu, LastNorm};
    use crate::nn::scale::{Downsample, Upsample};
    use crate::nn::testing::{Any, random};
    use crate::nn::threshold::dynamic_threshold;
    use crate::nn::{Interrupt, Params, join, linear::linear, softmax};
    use candle_core::{Device, Result, Tensor, Var};

    type Layer = Box<dyn Fn(&Tensor) -> Result<Tensor>>;

    /// Each kind of layer, with weights that are loaded.
    fn layers(p: &Params) -> Result<Vec<(&'static str, Layer)>> {
        let go = Interrupt::new;
        let other = random(&[2, 8, 3, 8, 8], 5);
        let (tokens, gate) = (random(&[2, 5, 6], 3), random(&[2, 8], 4));
        let (w, bias) = (random(&[4, 8], 6), random(&[4], 7));
        let spatial = SpatialConv::new(&p.at("a"), 8, 4, 3)?;
        let temporal = TemporalConv::causal(&p.at("b"), 8)?;
        let point = PointConv::new(&p.at("c"), 8, 4)?;
        let peg = TemporalPeg::new(&p.at("d"), 8)?;
        let group = GroupNormSilu::new(&p.at("e"), 8, 4)?;
        let (channel, last) = (
            ChannelNorm::new(&p.at("f"), 8)?,
            LastNorm::affine(&p.at("g"), 8)?,
        );
        let cross = CrossAttention::new(&p.at("h"), 8, 6, 2, 4)?;
        let middle = MiddleAttention::new(&p.at("i"), 8, 2, 4)?;
        let frames = TemporalAttention::new(&p.at("j"), 8, 2, 4)?;
        let context = GlobalContext::new(&p.at("k"), 8)?;
        let (down, up) = (
            Downsample::new(&p.at("l"), 8, 4)?,
            Upsample::new(&p.at("m"), 8, 4)?,
        );
        let embed = CrossEmbed::new(&p.at("n"), 8, 8)?;
        let [o1, o2, o3, o4] = [(); 4].map(|()| other.clone());
        Ok(vec![
            ("spatial", Box::new(move |x| spatial.forward(x, &go()))),
            ("temporal", Box::new(move |x| temporal.forward(x, &go()))),
            ("point", Box::new(move |x| point.forward(x))),
            ("peg", Box::new(move |x| peg.forward(x))),
            ("group norm", Box::new(move |x| group.forward(x, None))),
            (
                "channel norm",
                Box::new(move |x| channel.forward(&x.flatten_from(2)?)),
            ),
            ("layer norm", Box::new(move |x| last.forward(x))),
            (
                "tokens",
                Box::new(move |x| cross.forward(x, &tokens, &go())),
            ),
            ("space", Box::new(move |x| middle.forward(x, &go()))),
            ("frames", Box::new(move |x| frames.forward(x, &go()))),
            ("context", Box::new(move |x| context.gate(x, &o1))),
            ("down", Box::new(move |x| down.forward(x))),
            ("up", Box::new(move |x| up.forward(x))),
            (
                "embed",
                Box::new(move |x| embed.forward(std::slice::from_ref(x), &go())),
            ),
            ("linear", Box::new(move |x| linear(x, &w, Some(&bias)))),
            ("add", Box::new(move |x| join::add(&o2, x))),
            (
                "add still",
                Box::new(|x| join::add_still(x, &x.narrow(2, 0, 1)?)),
            ),
            ("relu", Box::new(join::relu)),
            ("gate", Box::new(move |x| join::gate(&o3, &gate, x))),
            ("join", Box::new(move |x| join::join(&o4, x, 0.5))),
            ("repeat", Box::new(|x| join::repeat(x, 2))),
            ("softmax", Box::new(softmax::softmax)),
            ("threshold", Box::new(|x| Ok(dynamic_threshold(x, 0.9)?.0))),
        ])
    }

    #[test]
    fn what_is_made_again_has_the_gradients_of_what_was_made() {
        use crate::nn::testing::{same_slopes, variable};
        let (x, a, b) = (
            variable(&[3, 4], 1),
            variable(&[4], 2),
            variable(&[3, 2], 3),
        );
        let make = |x: &Tensor, a: &Tensor, _: &Tensor| x.broadcast_mul(a)?.tanh()?.t();
        let ours = super::made_again(&x, &a, &b, make).unwrap();
        same_slopes(&[&x, &a], &ours, &make(&x, &a, &b).unwrap(), 1e-6);
        let slopes = ours.sum_all().unwrap().backward().unwrap();
        let none: Vec<f32> = slopes
            .get(&b)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
        assert_eq!(none, [0.0; 6]);
    }

    #[test]
    fn a_gradient_passes_or_somebody_says_that_it_does_not() {
        let (layers, _) = Params::load(&Any, &Device::Cpu, layers).unwrap();
        let mut passed = 0;
        for (name, layer) in layers {
            let x = Var::from_tensor(&random(&[2, 8, 3, 8, 8], 1)).unwrap();
            let slope = layer(x.as_tensor())
                .and_then(|y| y.sqr()?.sum_all()?.backward())
                .map(|grads| grads.get(x.as_tensor()).cloned());
            match slope {
                Ok(slope) => {
                    assert!(slope.is_some(), "{name}: cut in silence");
                    passed += 1;
                }
                Err(e) => {
                    let said = e.to_string();
                    let loud = ["backward is not supported", "no gradient passes"];
                    assert!(loud.iter().any(|l| said.contains(l)), "{name}: {said}");
                }
            }
        }
        assert!(passed >= 12, "{passed}");
    }
}
