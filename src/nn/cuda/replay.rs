//! A pass of a network as one CUDA graph: its kernels are started by the driver, one after the other,
//! without the host.

use super::rows::Rows;
use super::{address, device_of, uninitialised};
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::sys::{
    CUgraphInstantiate_flags, CUstreamCaptureMode,
};
use candle_core::cuda_backend::cudarc::driver::{CudaGraph, result};
use candle_core::{Error, Result, Tensor};
use std::sync::{Mutex, PoisonError};

/// Recordings that are kept: a network is used with few shapes.
const MOST: usize = 6;

/// Where a computation of certain shapes is in its life.
enum State {
    Seen,
    Recorded(Recorded),
    /// It cannot be recorded.
    Refused,
}

struct Recorded {
    inputs: Vec<Tensor>,
    output: Tensor,
    graph: CudaGraph,
}

// SAFETY: a graph is used by whoever holds the lock around it, and cudarc binds the context to that
// thread first.
unsafe impl Send for Recorded {}

type Shapes = Vec<(Vec<usize>, candle_core::DType)>;

/// The recordings of one network.
#[derive(Default)]
pub struct Replay(Mutex<Vec<(Shapes, State)>>);

impl Replay {
    /// `compute(inputs)`. The second computation of the same shapes is recorded, later ones are
    /// replayed; `compute` must do the same for the same shapes, and nothing on the host.
    ///
    /// # Errors
    /// When the computation fails.
    pub fn run(
        &self,
        inputs: &[Tensor],
        compute: &dyn Fn(&[Tensor]) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let shapes: Shapes = inputs
            .iter()
            .map(|t| (t.dims().to_vec(), t.dtype()))
            .collect();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, state)) = known.iter_mut().find(|(s, _)| *s == shapes) else {
            if known.len() == MOST {
                known.remove(0);
            }
            known.push((shapes, State::Seen));
            drop(known);
            return compute(inputs);
        };
        match state {
            State::Seen => {
                let (out, recorded) = record(inputs, compute)?;
                *state = recorded.map_or(State::Refused, State::Recorded);
                Ok(out)
            }
            State::Recorded(recorded) => {
                for (to, from) in recorded.inputs.iter().zip(inputs) {
                    copy(to, from)?;
                }
                recorded.graph.launch().w()?;
                // The next replay writes over it.
                let out = like(&recorded.output)?;
                copy(&out, &recorded.output)?;
                Ok(out)
            }
            State::Refused => compute(inputs),
        }
    }
}

/// Computes once more what is then recorded: whatever is made once is made here.
fn record(
    inputs: &[Tensor],
    compute: &dyn Fn(&[Tensor]) -> Result<Tensor>,
) -> Result<(Tensor, Option<Recorded>)> {
    let device = device_of(&inputs[0])?;
    let stream = device.cuda_stream();
    let fixed = inputs
        .iter()
        .map(|input| {
            let own = like(input)?;
            copy(&own, input)?;
            Ok(own)
        })
        .collect::<Result<Vec<_>>>()?;
    // Small numbers that Candle's kernels take are found on the device when they are asked for again.
    let _uploads = device.enable_cuda_graph_htod_cache();
    let out = compute(&fixed)?;
    let output = like(&out)?;
    stream
        .begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)
        .w()?;
    let captured = compute(&fixed).and_then(|out| copy(&output, &out));
    // Ended in any case: a stream that is left capturing refuses everything.
    let graph = stream.end_capture(CUgraphInstantiate_flags(0));
    let recorded = match (captured, graph) {
        (Ok(()), Ok(Some(graph))) => Some(Recorded {
            inputs: fixed,
            output,
            graph,
        }),
        _ => None,
    };
    Ok((out, recorded))
}

/// Elements of the memory that a tensor lies in, and whether it does so in rows.
fn extent(t: &Tensor) -> Result<(usize, bool)> {
    if t.is_contiguous() {
        return Ok((t.elem_count(), false));
    }
    let rows = Rows::of(t)?;
    if address(rows.tensor())? != address(t)? {
        return Err(Error::Msg("a tensor that cannot be replayed".into()));
    }
    Ok((rows.positions() * rows.stride, true))
}

/// Memory for a copy, laid out alike.
fn like(t: &Tensor) -> Result<Tensor> {
    let (_, in_rows) = extent(t)?;
    if !in_rows {
        return uninitialised(device_of(t)?, t.dims(), t.dtype());
    }
    let rows = Rows::of(t)?;
    let out = Rows::new(t, rows.dims, rows.stride, t.dtype())?;
    Ok(out.first(rows.channels)?.into_tensor())
}

/// Copies between tensors that are laid out alike.
fn copy(to: &Tensor, from: &Tensor) -> Result<()> {
    let (elements, _) = extent(from)?;
    if extent(to)?.0 != elements || to.dtype() != from.dtype() {
        return Err(Error::Msg("tensors of different layouts".into()));
    }
    let bytes = elements * from.dtype().size_in_bytes();
    let stream = device_of(to)?.cuda_stream();
    // SAFETY: both are so many bytes long, and in use until the stream has come here.
    unsafe {
        result::memcpy_dtod_async(address(to)?, address(from)?, bytes, stream.cu_stream()).w()
    }
}
