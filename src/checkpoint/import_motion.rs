//! From what training writes of a motion stage, `{net, ema, step}`, to a cascade in the native form.

use super::import::{Precision, Recorder, Writer, kept_config};
use super::source::TorchSource;
use super::{Error, TorchFile, hash_of, native, networks, parse_cascade, read_text};
use crate::nn::{Interrupt, Params};
use candle_core::Device;
use std::path::Path;

/// Of a stage that has no `.yaml` of the same name beside it: the one that `training` describes.
const USUAL: &str = include_str!("motion_stage.yaml");

/// Where the weights for sampling are.
const EMA: &[&str] = &["ema"];

/// Whether a file holds a motion stage: an encoder and a U-Net side by side.
pub(super) fn is_motion_stage(file: &TorchFile) -> bool {
    file.tensors(EMA).is_some_and(|tensors| {
        let any = |prefix: &str| tensors.keys().any(|name| name.starts_with(prefix));
        any("enc.") && any("unet.")
    })
}

/// Writes the cascade of one motion stage.
///
/// # Errors
/// [`Error`]; nothing is left half-written.
pub(super) fn import(
    from: &Path,
    file: &TorchFile,
    out: &Path,
    precision: Precision,
) -> Result<Vec<String>, Error> {
    let beside = from.with_extension("yaml");
    let (text, config_path) = if beside.is_file() {
        (read_text(&beside)?, beside.as_path())
    } else {
        (USUAL.to_owned(), from)
    };
    let config = parse_cascade(&text).map_err(|why| Error::config(config_path, why))?;
    let [stage] = config.stages.as_slice() else {
        return Err(Error::config(
            config_path,
            "it describes more than the one stage of the file",
        ));
    };
    let kept = kept_config(&text).map_err(|why| Error::config(config_path, why))?;
    let source = TorchSource::below(file, EMA, "")
        .ok_or_else(|| Error::damaged(from, "it has no `ema` part, where the weights are"))?;
    let recorder = Recorder::new(&source);
    let (_, extra) = Params::load(&recorder, &Device::Cpu, |p| networks(stage, p))?;
    let hash = hash_of(from, &Interrupt::new())?;
    let mut writer = Writer::new(out, "cascade", hash)?;
    writer.write("config.yaml", kept.as_bytes())?;
    writer.write(
        &native::stage_file(0),
        &recorder.into_safetensors(precision, out)?,
    )?;
    writer.finish(
        super::extra_warning(&extra, "the motion stage")
            .into_iter()
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_description_is_one_motion_stage() {
        let config = parse_cascade(USUAL).unwrap();
        assert!(config.makes_motion() && config.beat_normalised);
        assert_eq!((config.stages.len(), config.channels()), (1, 1));
        assert_eq!(config.stages[0].evaluations(), 1);
    }
}
