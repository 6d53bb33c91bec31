//! Sets of clips that many machines make.

mod shard;

pub use shard::Shard;
