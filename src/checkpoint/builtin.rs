//! The cascade and the regressor inside the program, with their card.

use super::regressor::RegressorSpec;
use super::{Error, Identity, LoadedCascade, Regressor, SafetensorsSource, native};
use crate::card::Card;
use crate::hash::{combined, sha256};
use crate::nn::{Backend, Interrupt};
use candle_core::Device;
use std::path::Path;
use std::sync::OnceLock;

// `WEIGHTS`: every file below `weights/`, its bytes and its SHA-256, checked by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/weights.rs"));

/// A built-in file. `build.rs` fails when one of those asked for here is not there.
fn file(name: &str) -> &'static [u8] {
    WEIGHTS
        .iter()
        .find(|(n, _, _)| *n == name)
        .map_or(&[], |(_, bytes, _)| bytes)
}

fn text(name: &str) -> &'static str {
    std::str::from_utf8(file(name)).unwrap_or_default()
}

/// The cascade that the program starts with.
///
/// # Errors
/// When the device fails.
pub fn builtin_cascade(backend: impl Into<Backend>) -> Result<LoadedCascade, Error> {
    let stages = [file("cascade/unet1.safetensors")];
    native::from_bytes(
        text("cascade/config.yaml"),
        &stages,
        (card().name.clone(), Some(card().name.clone())),
        Path::new("built-in"),
        &backend.into(),
        &Interrupt::new(),
    )
}

/// Description and weights of its only stage.
pub(super) fn motion_stage() -> (&'static str, &'static [u8]) {
    (
        text("cascade/config.yaml"),
        file("cascade/unet1.safetensors"),
    )
}

/// Description and weights of the regressor.
pub(super) fn regressor_parts() -> (&'static str, &'static [u8]) {
    (
        text("regressor/regressor.yaml"),
        file("regressor/regressor.safetensors"),
    )
}

/// The regressor that measures unless the user named another.
///
/// # Errors
/// When the device fails.
pub fn builtin_regressor(device: &Device) -> Result<Regressor, Error> {
    let path = Path::new("built-in regressor");
    let yaml = text("regressor/regressor.yaml");
    let spec = RegressorSpec::from_yaml(yaml).map_err(|why| Error::config(path, why))?;
    let bytes = file("regressor/regressor.safetensors");
    let source = SafetensorsSource::new(bytes, "built-in regressor")
        .map_err(|why| Error::damaged(path, &why))?;
    let identity = Identity {
        name: card().regressor.name.clone(),
        published: Some(card().regressor.name.clone()),
        sha256: combined(&[sha256(yaml.as_bytes()), sha256(bytes)]),
    };
    Regressor::build(spec, identity, &source, device)
}

/// The measured figures of the built-in weights.
pub fn card() -> &'static Card {
    static CARD: OnceLock<Card> = OnceLock::new();
    CARD.get_or_init(|| Card::parse(card_text()).unwrap_or_default())
}

pub fn card_text() -> &'static str {
    text("card.yaml")
}

/// The model card with credit and licence notice.
pub fn model_card() -> &'static str {
    text("README.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_reads_and_names_the_weights() {
        let card = Card::parse(card_text()).unwrap();
        assert!(!card.name.is_empty());
        assert!(model_card().contains("MIT licence"));
        for (name, bytes, hash) in WEIGHTS {
            assert_eq!(sha256(bytes), *hash, "{name}");
        }
    }
}
