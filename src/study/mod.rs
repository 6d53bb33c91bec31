//! Real-or-fake reader studies: who reads which clips in which order is [planned](plan) and sealed, each
//! reading is a line of a log that cannot be changed unseen, and the key that says which clip is which is
//! opened when the readings are in.
//!
//! Time and answers come from outside, so the window, a script and a test drive the same code.

pub mod assemble;
pub mod audit;
pub mod bundle;
pub mod code;
pub mod collect;
pub mod design;
pub mod given;
mod hex;
pub mod key;
pub mod keyfile;
pub mod levels;
pub mod log;
pub mod merge;
pub mod normalise;
pub mod plan;
pub mod power;
pub mod prepare;
pub mod record;
pub mod report;
pub mod results;
pub mod script;
pub mod seal;
pub mod secret;
pub mod session;
pub mod sources;
pub mod stamp;
#[cfg(test)]
mod testing;
pub mod unblind;
pub mod verify;

/// What plans and logs say of the program: its name and version.
pub const PROGRAM: &str = concat!("EchoIf ", env!("CARGO_PKG_VERSION"));
