//! Attention over all positions, over frames, and to the conditioning tokens. Positions stay in the last
//! dimension throughout: `[b, c, n]`.

mod cross;
mod middle;
mod multi_query;
mod temporal;

pub use cross::CrossAttention;
pub use middle::MiddleAttention;
pub use multi_query::attend;
#[cfg(test)]
pub(in crate::nn) use multi_query::composed as attend_composed;
pub use temporal::TemporalAttention;
