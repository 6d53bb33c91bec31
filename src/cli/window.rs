use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// A frame or clip to open: DICOM, PNG or JPEG.
    pub file: Option<PathBuf>,
}

pub fn run(_args: &Args) -> anyhow::Result<()> {
    Ok(())
}
