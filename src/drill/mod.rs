//! Training eyes to see EF: cases whose truth is known, guesses, and what becomes of them.
//!
//! Time and answers come from outside, so that the window, a script and a simulated trainee drive the same code.

pub mod staircase;
