//! Where the networks run.

#[cfg(all(feature = "cuda", target_os = "linux"))]
mod driver;
#[cfg(feature = "cuda")]
mod gpu;
pub mod heap;

use crate::nn::{Arithmetic, Backend};
use candle_core::Device;
use std::str::FromStr;

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// CUDA when this program was built with it and a GPU answers, else the CPU.
    #[default]
    Auto,
    Cpu,
    Cuda,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            _ => Err(format!(
                "`{s}` is not a device; they are auto, cpu and cuda"
            )),
        }
    }
}

/// A device that works, with the name that screens show.
#[derive(Clone, Debug)]
pub struct OpenDevice {
    pub device: Device,
    /// Of the U-Nets there.
    pub arithmetic: Arithmetic,
    pub name: String,
    /// Why it is not the one that was asked for or hoped for.
    pub note: Option<String>,
    is_host: bool,
}

/// Whether this program was built with CUDA.
pub const BUILT_WITH_CUDA: bool = cfg!(feature = "cuda");

/// What a GPU computes in where nothing else is asked for.
const ON_A_GPU: Arithmetic = Arithmetic::Tf32;

impl OpenDevice {
    /// The host's processor. What the program frees from now on it keeps, until [`Self::give_back`].
    pub fn cpu(note: Option<String>) -> Self {
        heap::keep();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            device: Device::Cpu,
            arithmetic: Arithmetic::F32,
            name: format!("CPU, {threads} threads"),
            note,
            is_host: true,
        }
    }

    /// The host's processor, which says that it is a GPU: for what happens when one fails.
    #[cfg(test)]
    pub(super) fn pretended_gpu() -> Self {
        Self {
            name: "A GPU that fails".into(),
            is_host: false,
            ..Self::cpu(None)
        }
    }

    /// Opens a device; `arithmetic` is a GPU's, its own choice where there is none.
    ///
    /// # Errors
    /// A sentence, only when CUDA was demanded and is not to be had, or an arithmetic that the CPU does
    /// not know.
    pub fn open(choice: DeviceChoice, arithmetic: Option<Arithmetic>) -> Result<Self, String> {
        let opened = match choice {
            DeviceChoice::Cpu => Self::cpu(None),
            _ => match open_cuda() {
                Ok((device, name)) => {
                    let arithmetic = arithmetic.unwrap_or(ON_A_GPU);
                    return Ok(Self {
                        device,
                        arithmetic,
                        name: format!("{name}, {arithmetic}"),
                        note: None,
                        is_host: false,
                    });
                }
                Err(why) if choice == DeviceChoice::Cuda => {
                    return Err(format!("No CUDA device can be used: {why}."));
                }
                Err(why) => Self::cpu(
                    driver_is_there()
                        .then(|| format!("No CUDA device can be used: {why}. Running on the CPU.")),
                ),
            },
        };
        match arithmetic {
            None | Some(Arithmetic::F32) => Ok(opened),
            Some(other) => Err(format!(
                "The CPU computes in f32 alone; `--precision {other}` is for a GPU."
            )),
        }
    }

    pub fn is_cpu(&self) -> bool {
        self.is_host
    }

    pub fn backend(&self) -> Backend {
        Backend {
            device: self.device.clone(),
            arithmetic: self.arithmetic,
        }
    }

    /// Memory that the networks can have now, in bytes.
    pub fn available_memory(&self) -> usize {
        #[cfg(feature = "cuda")]
        if let Some(bytes) = gpu::available_memory(&self.device) {
            return bytes;
        }
        host_memory()
    }

    /// What one pass of a network may take of that. The host's memory is others', too.
    pub fn pass_memory(&self) -> usize {
        let available = self.available_memory();
        if self.is_cpu() {
            available / 4
        } else {
            available / 10 * 7
        }
    }

    /// Gives the system what was kept for the next evaluation. The next one takes a little longer.
    pub fn give_back(&self) {
        heap::give_back();
        #[cfg(feature = "cuda")]
        gpu::give_back(&self.device);
    }

    /// The most memory of its own that the device has given at once, in bytes; nothing for the CPU.
    pub fn peak_memory(&self) -> Option<usize> {
        #[cfg(feature = "cuda")]
        return gpu::peak_memory(&self.device);
        #[cfg(not(feature = "cuda"))]
        None
    }
}

/// The first GPU and its name.
fn open_cuda() -> Result<(Device, String), String> {
    #[cfg(feature = "cuda")]
    {
        let device = gpu::open()?;
        let name = gpu::name(&device);
        Ok((device, name))
    }
    #[cfg(not(feature = "cuda"))]
    Err("this program was built without CUDA (see docs/building.md)".into())
}

/// Whether a GPU would be expected to work: who has none need not be told so.
fn driver_is_there() -> bool {
    #[cfg(all(feature = "cuda", target_os = "linux"))]
    return driver::installed().is_ok();
    #[cfg(not(all(feature = "cuda", target_os = "linux")))]
    BUILT_WITH_CUDA
}

/// The host's memory that can be had now, in bytes; a cautious guess where the system does not say.
fn host_memory() -> usize {
    const GUESS: usize = 4 << 30;
    let Ok(text) = std::fs::read_to_string("/proc/meminfo") else {
        return GUESS;
    };
    text.lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| {
            rest.trim()
                .trim_end_matches("kB")
                .trim()
                .parse::<usize>()
                .ok()
        })
        .map_or(GUESS, |kb| kb * 1024)
}
