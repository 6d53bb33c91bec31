use crate::checkpoint::{self, Precision};
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Example: echoif import 2SCM_v6 ~/.local/share/echoif/cascades/2SCM")]
pub struct Args {
    /// A folder with `config.yaml` and `merged.pt`, or a regressor's `.ckpt` or `.pt`.
    from: PathBuf,
    /// The folder to write.
    out: PathBuf,
    /// Write 16-bit numbers: half the size, a little less exact.
    #[arg(long)]
    f16: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let precision = if args.f16 {
        Precision::F16
    } else {
        Precision::F32
    };
    for line in checkpoint::import(&args.from, &args.out, precision)? {
        println!("{line}");
    }
    Ok(())
}
