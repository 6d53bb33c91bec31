//! EchoIf: what would this heart look like if its ejection fraction were X?
//!
//! The way of a frame through the house:
//!
//! 1. [`media`] opens a file as a [`recording::Recording`]; content decides what it is.
//! 2. [`media::region`] takes the square of a frame: the anatomy, 112 x 112, 0..1.
//! 3. [`ui`] (the window) or [`cli`] (the commands) makes a [`engine::Job`] of it: anatomy,
//!    requested [`ef`], preset, seed.
//! 4. [`engine`]'s worker thread, which owns device and weights, asks [`edm`] for a video;
//!    progress and previews come back as [`engine::Event`]s.
//! 5. [`edm`] samples the cascade, stage by stage, with the networks of [`models`], which are built
//!    from the layers of [`nn`] and from the tensors that [`checkpoint`] reads.
//!    A motion cascade makes [`motion`] instead of pictures: [`carry`] fetches every pixel of the
//!    anatomy from where its tissue lies, and [`outline`] says what the left ventricle does.
//! 6. [`mod@measure`] has the regressor say which EF the result shows.
//! 7. The cine, with its provenance, goes to the cache, to the panes, and through
//!    [`media::gif`] into a file that is marked as synthetic.
//!
//! Beside that way: [`puppet`] makes a beat of an exact EF from an outline that a person corrected,
//! [`leaflets`] opens a valve by rule, [`metrics`] judges cines (`echoif evaluate`) and
//! [`statistics`] says how sure that is, [`verify`] replays recorded runs of the reference implementation,
//! [`card`] holds the figures measured on a cascade, [`calibration`] goes back along them, [`hearts`] the simulated hearts inside the program.
//!
//! Reader studies: [`study`] makes clips alike, seals them, has them read and says what readers could tell;
//! it knows [`media`] and [`statistics`], and no network.
//!
//! Networks learn by [`train`]: loss, optimiser and average, as published.
//!
//! Training: [`drill`] draws cases whose EF is known and learns from guesses; [`phantom`] draws simulated hearts.
//!
//! Data sets: [`dataset`] plans clips by the EFs that are wanted, shares them out, and writes EchoNet-Dynamic's lists.
//!
//! For all: [`files`] are written as a whole and logs by lines, [`hash`] says which file or anatomy it
//! is, [`faults`] remembers the last panic, [`parts`] are the connected ones of a set of pixels.
//!
//! Arrows point one way: `ui` and `cli` know `engine`; `engine` knows `edm`, `checkpoint` and
//! `measure`; those know `models`; those know `nn`. The networks know tensors only, the screens
//! clips only.

pub mod calibration;
pub mod card;
pub mod carry;
pub mod checkpoint;
pub mod cli;
pub mod clip;
#[cfg(test)]
mod damage;
pub mod dataset;
pub mod drill;
pub mod edm;
pub mod ef;
pub mod engine;
pub mod faults;
pub mod files;
pub mod hash;
pub mod hearts;
pub mod leaflets;
pub mod measure;
pub mod media;
pub mod metrics;
pub mod models;
pub mod motion;
pub mod nn;
pub mod outline;
pub mod parts;
pub mod phantom;
pub mod provenance;
pub mod puppet;
pub mod recording;
pub mod statistics;
pub mod study;
pub mod text;
pub mod train;
pub mod ui;
pub mod verify;
