//! Training eyes to see EF: cases whose truth is known, guesses, and what becomes of them.
//!
//! Time and answers come from outside, so that the window, a script and a simulated trainee drive the same code.

pub mod case;
pub mod class;
pub mod profile;
pub mod sampler;
pub mod schedule;
pub mod set;
pub mod staircase;
