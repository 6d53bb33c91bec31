//! Worked examples with their published values, and studies that are simulated.

mod coverage;
mod parity;
