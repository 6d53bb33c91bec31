//! Data sets of generated clips, in the layout of EchoNet-Dynamic: for networks that are to learn from them.
//!
//! A [`Plan`] says which clips there are to be: name, anatomy, EF and seed of each, by the wanted EFs
//! ([`efs`]) and one seed. A [`Shard`] is a machine's part of it, by a hash of the names. Each clip that was made has a
//! [`Record`], from which the lists of the whole are written ([`write_lists`]); [`Record::there`] says whether it is there.

pub mod efs;
mod lists;
mod plan;
mod record;
mod shard;
mod tracing;

pub use lists::{Row, write_lists};
pub use plan::{
    AnatomyName, Chances, Clip, Container, HEART_RATE, Plan, SECONDS, Settings, Source, Split,
    Which,
};
pub use record::{Fault, Folder, Record};
pub use shard::Shard;
pub use tracing::{Line, Tracing, lines};

use std::path::PathBuf;

/// Frames a second of every clip: those of the published cascades and their regressor.
pub const FPS: f64 = 32.0;
/// Height and width of every clip, as EchoNet-Dynamic's.
pub const SIDE: usize = crate::media::region::SIDE;

/// Why a data set cannot be planned, read or written.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("{}: it cannot be read ({why}).", path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("{}: {why}", path.display())]
    List { path: PathBuf, why: String },
    #[error("{} cannot be written: {why}. Choose another folder.", path.display())]
    Write { path: PathBuf, why: String },
    #[error(
        "{} holds no plan of a data set. Make one with echoif dataset plan.", .0.display()
    )]
    NoPlan(PathBuf),
    #[error(
        "{} is not as it was planned: plan.csv was changed. Plan a new data set in another folder.", .0.display()
    )]
    Changed(PathBuf),
}
