//! The weights in use, and what takes their place.

use super::{Worker, gpu_failed};
use crate::checkpoint;
use crate::engine::cache::Cache;
use crate::engine::cost::Pace;
use crate::engine::device::{DeviceChoice, OpenDevice};
use crate::engine::messages::{Event, Mouth};
use crate::engine::models::{CascadeSource, Models, RegressorSource, cascade_folders};
use crate::faults;
use crate::nn::Interrupt;
use std::collections::VecDeque;

impl<'a> Worker<'a> {
    /// Opens what was asked for, or what can be had in its place, and says so.
    ///
    /// # Errors
    /// A phrase, when not even the cascade inside the program can be opened.
    pub(super) fn open(
        choice: DeviceChoice,
        cascade: CascadeSource,
        mouth: &'a Mouth,
        interrupt: &Interrupt,
    ) -> Result<Self, String> {
        let device = faults::caught(|| OpenDevice::open(choice, None));
        let device = device.unwrap_or_else(|why| OpenDevice::cpu(Some(why)));
        let own = CascadeSource::Builtin;
        let mut refused = None;
        let mut opened = open_somewhere(&device, &cascade, interrupt);
        if let Err(why) = &opened
            && cascade != own
        {
            refused = Some(why.clone());
            opened = open_somewhere(&device, &own, interrupt);
        }
        let (models, pace) = opened?;
        let worker = Self {
            models,
            pace,
            cache: Cache::default(),
            batches: VecDeque::new(),
            mouth,
        };
        worker.ready();
        if let Some(why) = refused {
            worker.mouth.say(Event::OpenFailed(why));
        }
        Ok(worker)
    }

    fn ready(&self) {
        self.mouth.say(Event::Ready {
            device: self.models.device.name.clone(),
            cascade: Box::new(self.models.info()),
            regressor: self.models.regressor.identity.name.clone(),
            cascades: cascade_folders(),
        });
        let notes = self.models.device.note.iter().cloned();
        for note in notes.chain(self.models.warnings()) {
            self.mouth.say(Event::Notice(note));
        }
    }

    /// Puts other weights in place of the ones in use, which stay where that fails. `sources` is what is
    /// in use afterwards.
    pub(super) fn reopen(
        &mut self,
        sources: (CascadeSource, RegressorSource),
        interrupt: &Interrupt,
        put: impl FnOnce(&mut Models) -> Result<(), checkpoint::Error>,
    ) {
        let put = faults::caught(|| put(&mut self.models).map_err(|e| e.to_string()));
        let outcome = put.or_else(|why| {
            if self.models.device.is_cpu() || interrupt.is_set() {
                return Err(why);
            }
            // A file that the CPU opens is sound: then it was the GPU.
            let cpu = OpenDevice::cpu(Some(gpu_failed(&why)));
            let (cascade, regressor) = sources;
            let models = faults::caught(|| {
                Models::open_until(cpu, cascade, regressor, interrupt).map_err(|e| e.to_string())
            });
            self.models = models.map_err(|_| why)?;
            Ok(())
        });
        match outcome {
            Ok(()) => {
                // What was learned on a small cascade says little of a large one.
                if let Ok(pace) = Pace::calibrate(&self.models.device.device) {
                    self.pace = pace;
                }
                self.ready();
            }
            Err(_) if interrupt.is_set() => {
                let name = &self.models.cascade.identity.name;
                let text = format!("Opening was stopped; the cascade {name} is in use as before.");
                self.mouth.say(Event::Notice(text));
            }
            Err(why) => self.mouth.say(Event::OpenFailed(why)),
        }
    }
}

/// On the device, or on the CPU where that is a GPU which fails: a file that the CPU opens is sound.
fn open_somewhere(
    device: &OpenDevice,
    cascade: &CascadeSource,
    interrupt: &Interrupt,
) -> Result<(Models, Pace), String> {
    let open = |device: OpenDevice| {
        faults::caught(|| {
            let models = Models::open_until(device, cascade.clone(), None, interrupt);
            let models = models.map_err(|e| e.to_string())?;
            let pace = Pace::calibrate(&models.device.device).map_err(|e| e.to_string())?;
            Ok((models, pace))
        })
    };
    open(device.clone()).or_else(|why| {
        if device.is_cpu() {
            return Err(why);
        }
        open(OpenDevice::cpu(Some(gpu_failed(&why)))).map_err(|_| why)
    })
}
