//! What takes longer than a blink: on a thread of its own, with progress, and stopped by dropping it.

use crate::nn::Interrupt;
use crate::ui::projector::Wake;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::sync::{Arc, Mutex, PoisonError};

/// A thread at work.
pub struct Task<T> {
    outcome: Receiver<T>,
    progress: Arc<Mutex<Progress>>,
    stop: Interrupt,
}

/// How far it is.
#[derive(Clone, Default)]
pub struct Progress {
    pub what: String,
    /// 0..1
    pub share: f64,
}

/// The thread's end of it.
pub struct Reporter {
    progress: Arc<Mutex<Progress>>,
    stop: Interrupt,
    wake: Wake,
}

impl Reporter {
    /// Says how far it is. Whether it is to go on.
    pub fn report(&self, what: &str, share: f64) -> bool {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.what != what {
            progress.what = what.to_owned();
        }
        progress.share = share;
        drop(progress);
        (self.wake)();
        !self.stop.is_set()
    }
}

impl<T: Send + 'static> Task<T> {
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        name: &str,
        wake: &Wake,
        work: impl FnOnce(&Reporter) -> T + Send + 'static,
    ) -> Result<Self, String> {
        let (sender, outcome) = bounded(1);
        let progress = Arc::new(Mutex::new(Progress::default()));
        let stop = Interrupt::new();
        let reporter = Reporter {
            progress: progress.clone(),
            stop: stop.clone(),
            wake: wake.clone(),
        };
        std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                // Also where the work panics: whoever waits is told then.
                let done = WakeAtTheEnd(reporter.wake.clone(), Some(sender));
                let outcome = work(&reporter);
                done.send(outcome);
            })
            .map_err(|e| format!("The system gives no thread ({e}): close other programs."))?;
        Ok(Self {
            outcome,
            progress,
            stop,
        })
    }

    /// What it came to, once.
    pub fn take(&self) -> Option<Result<T, String>> {
        match self.outcome.try_recv() {
            Ok(outcome) => Some(Ok(outcome)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(
                "This failed inside the program; `echoif doctor` says what happened.".into(),
            )),
        }
    }
}

impl<T> Task<T> {
    /// Tells it to stop. What it comes to then can still be taken.
    pub fn stop(&self) {
        self.stop.set();
    }

    pub fn progress(&self) -> Progress {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.clone()
    }
}

/// What a task came to, once; there is none then.
pub fn finished<T: Send + 'static>(
    slot: &mut Option<Task<Result<T, String>>>,
) -> Option<Result<T, String>> {
    let outcome = slot.as_ref()?.take()?;
    *slot = None;
    Some(outcome.and_then(|o| o))
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.stop.set();
    }
}

struct WakeAtTheEnd<T>(Wake, Option<crossbeam_channel::Sender<T>>);

impl<T> WakeAtTheEnd<T> {
    fn send(mut self, outcome: T) {
        if let Some(sender) = self.1.take() {
            // Fails only when nobody waits any more.
            let _ = sender.send(outcome);
        }
    }
}

impl<T> Drop for WakeAtTheEnd<T> {
    fn drop(&mut self) {
        // Before the window looks.
        self.1 = None;
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn wait<T: Send + 'static>(task: &Task<T>) -> Result<T, String> {
        let start = Instant::now();
        loop {
            if let Some(outcome) = task.take() {
                return outcome;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "nothing came");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_task_tells_its_progress_and_its_outcome() {
        let wake: Wake = Arc::new(|| ());
        let task = Task::start("test", &wake, |r| r.report("halfway", 0.5));
        let task = task.unwrap();
        assert_eq!(wait(&task), Ok(true));
        let progress = task.progress();
        assert_eq!((progress.what.as_str(), progress.share), ("halfway", 0.5));
    }

    #[test]
    fn a_dropped_task_is_told_to_stop_and_a_panic_is_a_sentence() {
        let wake: Wake = Arc::new(|| ());
        let (sender, told) = bounded(1);
        let task = Task::start("test", &wake, move |reporter| {
            while reporter.report("on", 0.0) {
                std::thread::sleep(Duration::from_millis(1));
            }
            sender.send(()).ok();
        });
        drop(task.unwrap());
        told.recv_timeout(Duration::from_secs(20)).unwrap();
        let task = Task::start("test", &wake, |_| -> u8 { panic!("on purpose") });
        assert!(wait(&task.unwrap()).unwrap_err().contains("failed"));
    }
}
