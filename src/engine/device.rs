//! Where the networks run.

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
    pub name: String,
    /// Why it is not the one that was asked for or hoped for.
    pub note: Option<String>,
}

/// Whether this program was built with CUDA.
pub const BUILT_WITH_CUDA: bool = cfg!(feature = "cuda");

impl OpenDevice {
    pub fn cpu(note: Option<String>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            device: Device::Cpu,
            name: format!("CPU, {threads} threads"),
            note,
        }
    }

    /// # Errors
    /// A sentence, only when CUDA was demanded and is not to be had.
    pub fn open(choice: DeviceChoice) -> Result<Self, String> {
        if choice == DeviceChoice::Cpu {
            return Ok(Self::cpu(None));
        }
        match open_cuda() {
            Ok(device) => Ok(Self {
                device,
                name: gpu_name().unwrap_or_else(|| "CUDA GPU 0".into()),
                note: None,
            }),
            Err(why) if choice == DeviceChoice::Cuda => {
                Err(format!("No CUDA device can be used: {why}."))
            }
            Err(why) => Ok(Self::cpu(BUILT_WITH_CUDA.then(|| {
                format!("No CUDA device can be used: {why}. Running on the CPU.")
            }))),
        }
    }

    pub fn is_cpu(&self) -> bool {
        matches!(self.device, Device::Cpu)
    }
}

fn open_cuda() -> Result<Device, String> {
    if !BUILT_WITH_CUDA {
        return Err("this program was built without CUDA (see docs/building.md)".into());
    }
    // Candle panics where the driver's library is missing.
    match std::panic::catch_unwind(|| Device::new_cuda(0)) {
        Ok(Ok(device)) => Ok(device),
        Ok(Err(e)) => Err(e.to_string()),
        Err(_) => Err("the CUDA driver or its libraries are not installed".into()),
    }
}

/// The GPU's name as the driver's own tool says it.
fn gpu_name() -> Option<String> {
    let out = std::process::Command::new("nvidia-smi")
        .args(["--query-gpu=name", "--format=csv,noheader", "--id=0"])
        .output()
        .ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    let name = text.lines().next()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Memory that can be had now, in bytes; a cautious guess where the system does not say.
pub fn available_memory() -> usize {
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
