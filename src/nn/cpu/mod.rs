//! The CPU's own kernels. Each is a Candle custom operation over contiguous `f32` tensors.
//!
//! Loops are written so that the compiler vectorises them; [`simd`] compiles each hot loop a
//! second and third time, for AVX2 and AVX-512, and picks at run time, so that one binary serves
//! every machine.

pub mod batch_norm;
mod columns;
pub mod conv;
pub mod conv_grad;
pub mod dot;
pub mod join;
mod kernels;
pub mod math;
pub mod norm;
mod norm_grad;
mod peg_grad;
pub mod product;
pub mod softmax;
pub mod temporal_attention;
mod threads;
pub mod token_attention;

use candle_core::{CpuStorage, Error, Layout, Result};
pub use threads::{ComputesHere, Lanes, compute_here};

/// The elements of a contiguous `f32` tensor.
pub fn elements<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => Err(Error::Msg("a CPU kernel was given a strided tensor".into())),
    }
}

/// Refuses operands that do not fit each other.
fn fit(name: &str, fits: bool) -> Result<()> {
    if fits {
        Ok(())
    } else {
        Err(Error::Msg(format!("{name}: operands of wrong shapes")))
    }
}

/// `[b, c, ...]` as `[b, c, n]`.
fn flat(dims: &[usize]) -> Result<[usize; 3]> {
    match dims {
        [b, c, rest @ ..] => Ok([*b, *c, rest.iter().product()]),
        _ => Err(Error::Msg("a tensor without channels".into())),
    }
}

/// Declares `fn name(args)` whose body is compiled for the baseline, for AVX2 + FMA and for AVX-512.
macro_rules! simd {
    ($(#[$meta:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)] // a kernel's inner loop takes what it needs
        pub fn $name($($arg: $ty),*) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($arg: $ty),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                unsafe fn avx512($($arg: $ty),*) {
                    body($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                unsafe fn avx2($($arg: $ty),*) {
                    body($($arg),*)
                }
                if $crate::nn::cpu::has_avx512() {
                    // SAFETY: the features were just detected.
                    return unsafe { avx512($($arg),*) };
                }
                if $crate::nn::cpu::has_avx2() {
                    // SAFETY: the features were just detected.
                    return unsafe { avx2($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use simd;

/// Whether the AVX-512 code may run: as [`has_avx2`], `ECHOIF_SIMD=avx2` leaves it out as well.
#[cfg(target_arch = "x86_64")]
pub fn has_avx512() -> bool {
    use std::sync::OnceLock;
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        has_avx2()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && std::env::var("ECHOIF_SIMD").as_deref() != Ok("avx2")
    })
}

/// Whether the AVX2 code may run: the processor has it and `ECHOIF_SIMD=off` was not asked for.
#[cfg(target_arch = "x86_64")]
pub fn has_avx2() -> bool {
    use std::sync::OnceLock;
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && std::env::var("ECHOIF_SIMD").as_deref() != Ok("off")
    })
}
