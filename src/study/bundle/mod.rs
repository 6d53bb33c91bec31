//! `NAME.echostudy`: the plan and all clips, sealed, for all readers of a study.
//!
//! A zip whose entries are stored, in one order, with one time (1980-01-01), so that neither sizes nor names,
//! times nor ratios of compression differ between clips:
//!
//! | entry | what it is |
//! |---|---|
//! | `README.txt` | what this is, for whoever finds it |
//! | `header.json` | [`Header`]: who can open it, and what has to be in it |
//! | `plan.sealed` | `plan.json`, sealed |
//! | `clips/0001.sealed` ... | frames of 8 bits, sealed; sorted by identifier, which no name tells |
//!
//! What is sealed lies under one content key (XChaCha20-Poly1305: nonce, text, tag), with what it is and the
//! study's identifier as associated data, so nothing can be exchanged for another. The content key follows
//! from the study's secret, and lies in the header once for each reader, sealed under their code (Argon2id).

mod header;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use header::{FORMAT, Header, SealedFor, VERSION};
pub use read::{Opened, ReadError, header, open, open_with_key};
pub use write::{Made, WriteError, write};

const README: &str = "\
This file holds moving pictures of hearts for a reader study. Some of them are synthetic: a program made
them, and they are no patient's scan. They are for this study only, not for diagnosis or anything else.

They are sealed. A session of the program EchoIf shows them to readers, each with a code of their own.
";

/// Entries before the clips.
const BEFORE_CLIPS: usize = 3;
/// More clips than any plan names.
const MOST_CLIPS: usize = 1_000_000;

/// The name of the clip at a place in the order of identifiers.
fn clip_name(place: usize) -> String {
    format!("clips/{:04}.sealed", place + 1)
}

/// What is sealed, so that it opens as nothing else.
fn about(study: &str, what: &str, which: &str) -> Vec<u8> {
    format!("{FORMAT}\0{study}\0{what}\0{which}").into_bytes()
}

fn about_plan(study: &str) -> Vec<u8> {
    about(study, "plan", "")
}

fn about_clip(study: &str, clip: &str) -> Vec<u8> {
    about(study, "clip", clip)
}

fn about_reader(study: &str, reader: &str) -> Vec<u8> {
    about(study, "content key of", reader)
}
