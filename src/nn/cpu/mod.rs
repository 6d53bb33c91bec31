//! The CPU's own kernels. Each is a Candle custom operation over contiguous `f32` tensors.
//!
//! Loops are written so that the compiler vectorises them; [`simd`] compiles each hot loop a
//! second and third time, for AVX2 and AVX-512, and picks at run time, so that one binary serves
//! every machine.

pub mod conv;
pub mod join;
mod kernels;
pub mod math;
pub mod norm;
pub mod product;
pub mod temporal_attention;
pub mod token_attention;

use candle_core::{CpuStorage, Error, Layout, Result};

/// The elements of a contiguous `f32` tensor.
pub fn elements<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => Err(Error::Msg("a CPU kernel was given a strided tensor".into())),
    }
}

/// A buffer whose disjoint parts are written by several threads.
#[derive(Clone, Copy)]
pub struct SharedOut(*mut f32);

// SAFETY: the kernels hand every thread another set of elements (each says which), and the
// buffer outlives the parallel loop that uses it.
unsafe impl Send for SharedOut {}
// SAFETY: as above.
unsafe impl Sync for SharedOut {}

impl SharedOut {
    pub fn new(out: &mut [f32]) -> Self {
        Self(out.as_mut_ptr())
    }

    /// # Safety
    /// `at .. at + len` is within the buffer and belongs to this thread alone.
    pub unsafe fn slice<'a>(self, at: usize, len: usize) -> &'a mut [f32] {
        // SAFETY: the caller guarantees range and exclusiveness.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(at), len) }
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
