use super::doctor::{adapters, display};
use crate::ui::Opening;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// A frame or clip to open: DICOM, PNG or JPEG.
    file: Option<PathBuf>,
}

const WITHOUT: &str = "Without a window, `echoif generate --help` says how to make a cine, and \
                       `echoif doctor` what this machine has.";

pub fn run(args: &Args) -> anyhow::Result<()> {
    open(Opening {
        file: args.file.clone(),
        ..Opening::default()
    })
}

/// Opens the window, where there can be one.
pub fn open(opening: Opening) -> anyhow::Result<()> {
    if display().is_none() {
        anyhow::bail!(
            "There is no display to open a window on (neither WAYLAND_DISPLAY nor DISPLAY is set).\n{WITHOUT}"
        );
    }
    if adapters().is_empty() {
        anyhow::bail!(
            "There is no graphics driver to draw a window with. Install a Vulkan driver (on Debian: \
             mesa-vulkan-drivers).\n{WITHOUT}"
        );
    }
    crate::ui::run(opening).map_err(|why| anyhow::anyhow!("{why}\n{WITHOUT}"))
}
