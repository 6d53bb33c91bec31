//! Cases are made and opened ahead of the screen, on a thread of its own.

use crate::drill::material::{Clips, Haste, Material, Subject, material};
use crate::ui::projector::Wake;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Pictures of hearts, and bytes of their frames, that are kept besides those that are wanted.
const KEPT: usize = 40;
const KEPT_BYTES: usize = 256 << 20;

/// A picture of a heart, or why there is none.
pub type Outcome = Result<Arc<Material>, String>;

/// Gives what is there, and has the rest made in the order in which it is wanted. Dropping it stops its thread.
pub struct Reel {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    wanted: Vec<Subject>,
    /// The first of them, for which the window waits.
    on_screen: usize,
    clips: Arc<Clips>,
    made: BTreeMap<Subject, Outcome>,
    /// The order in which they were made.
    order: Vec<Subject>,
    closed: bool,
}

impl State {
    fn next(&self) -> Option<Subject> {
        let missing = |s: &&Subject| !self.made.contains_key(s);
        self.wanted.iter().find(missing).cloned()
    }

    fn keep(&mut self, subject: Subject, outcome: Outcome) {
        self.order.push(subject.clone());
        self.made.insert(subject, outcome);
        let bytes = |made: &BTreeMap<Subject, Outcome>| -> usize {
            made.values().flatten().map(|m| m.bytes()).sum()
        };
        while self.order.len() > KEPT || bytes(&self.made) > KEPT_BYTES {
            let Some(old) = self.order.iter().position(|s| !self.wanted.contains(s)) else {
                return;
            };
            let old = self.order.remove(old);
            self.made.remove(&old);
        }
    }
}

impl Reel {
    /// # Errors
    /// When the system gives no thread.
    pub fn start(wake: Wake) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        std::thread::Builder::new()
            .name("cases".into())
            .spawn(move || work(&theirs, &wake))?;
        Ok(Self { shared })
    }

    /// Says what is wanted, the most urgent first, instead of what was wanted before; so many of it are on screen.
    pub fn want(&self, subjects: Vec<Subject>, on_screen: usize) {
        let mut state = lock(&self.shared.state);
        state.on_screen = on_screen;
        if state.wanted != subjects {
            state.wanted = subjects;
            self.shared.changed.notify_one();
        }
    }

    /// Clips of another folder; what was known of the others stays so.
    pub fn add_clips(&self, clips: &Clips) {
        let mut state = lock(&self.shared.state);
        Arc::make_mut(&mut state.clips).extend(clips);
        // What was missing may be there now.
        state.made.retain(|_, outcome| outcome.is_ok());
        let State { made, order, .. } = &mut *state;
        order.retain(|subject| made.contains_key(subject));
        self.shared.changed.notify_one();
    }

    pub fn get(&self, subject: &Subject) -> Option<Outcome> {
        lock(&self.shared.state).made.get(subject).cloned()
    }
}

impl Drop for Reel {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.changed.notify_one();
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The window's own thread comes first: this one takes what time is left. Elsewhere than on Linux all are alike.
fn step_aside() {
    #[cfg(target_os = "linux")]
    // SAFETY: it sets a number of this thread in the system, which needs no memory of ours. Where it is refused the
    // thread stays as it was.
    unsafe {
        let thread = libc::gettid();
        if let Ok(thread) = libc::id_t::try_from(thread) {
            libc::setpriority(libc::PRIO_PROCESS, thread, LEAST_URGENT);
        }
    }
}

/// The kindest of the priorities that threads can have.
#[cfg(target_os = "linux")]
const LEAST_URGENT: i32 = 19;

fn work(shared: &Shared, wake: &Wake) {
    step_aside();
    loop {
        let (subject, clips, haste) = {
            let mut state = lock(&shared.state);
            loop {
                if state.closed {
                    return;
                }
                if let Some(next) = state.next() {
                    let haste = match state.wanted.first() == Some(&next) {
                        true => Haste::Now,
                        false => Haste::Aside,
                    };
                    break (next, state.clips.clone(), haste);
                }
                state = shared
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        };
        let outcome = material(&subject, &clips, haste).map(Arc::new);
        let mut state = lock(&shared.state);
        let is_awaited = state
            .wanted
            .iter()
            .take(state.on_screen)
            .any(|s| *s == subject);
        // What failed before another folder came is tried once more.
        if outcome.is_ok() || Arc::ptr_eq(&state.clips, &clips) {
            state.keep(subject, outcome);
        }
        drop(state);
        if is_awaited {
            wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::Quality;
    use std::time::{Duration, Instant};

    #[test]
    fn what_is_wanted_comes_in_order_and_the_thread_ends() {
        let reel = Reel::start(Arc::new(|| ())).unwrap();
        let of = |ef: f64| Subject::simulated(3, Quality::Good, ef);
        reel.want(vec![of(40.0), of(30.0)], 2);
        let start = Instant::now();
        while reel.get(&of(30.0)).is_none() {
            assert!(start.elapsed() < Duration::from_secs(30), "nothing came");
            std::thread::sleep(Duration::from_millis(1));
        }
        let first = reel.get(&of(40.0)).unwrap().unwrap();
        assert_eq!(first.frames.len(), 16);
        let shared = reel.shared.clone();
        drop(reel);
        while Arc::strong_count(&shared) > 1 {
            assert!(start.elapsed() < Duration::from_secs(30), "a thread stays");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn what_is_wanted_is_kept_and_the_oldest_of_the_rest_goes() {
        let mut state = State::default();
        let of = |ef: u32| Subject::simulated(3, Quality::Good, f64::from(ef));
        state.wanted = vec![of(5)];
        for ef in 5..75 {
            state.keep(of(ef), Err("none".into()));
        }
        assert_eq!(state.order.len(), KEPT);
        assert!(state.made.contains_key(&of(5)) && state.made.contains_key(&of(74)));
        assert!(!state.made.contains_key(&of(6)));
    }
}
