//! The engine: jobs in, events out. One worker thread owns the device and the weights; the window
//! and the commands share everything below it.

mod cache;
mod cost;
mod device;
mod generate;
mod handle;
mod job;
mod messages;
mod models;
mod present;
mod worker;

pub use cost::{ASK_FIRST_SECONDS, Pace, pass_flops, run_flops};
pub use device::{BUILT_WITH_CUDA, DeviceChoice, OpenDevice, heap};
pub use generate::{Report, Sampling, cost_of, generate, generate_as, ladder};
pub use handle::Engine;
pub use job::{Batch, Candidate, Generated, Job, Ladder, Part, Provenance, Request};
pub use messages::{Event, JobId, MeasureId, Owner, Stage};
pub use models::{
    Calibrations, CascadeInfo, CascadeSource, Models, cascade_folders, search_places,
};
pub use present::Cine;
