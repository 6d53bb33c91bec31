//! Where the time of a pass goes, by kind of operation. Off unless it is asked for; then each
//! operation costs a clock more, and on a GPU a synchronisation, so that totals are not timings.

use candle_core::Device;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

static ON: AtomicBool = AtomicBool::new(false);
static TOTALS: Mutex<BTreeMap<&str, Spent>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// Time that operations inside the current one took.
    static INSIDE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// What one kind of operation took, without those inside it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    pub calls: usize,
    pub time: Duration,
}

/// Whether times are noted now.
#[cfg(feature = "cuda")]
pub(super) fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Runs an operation, and notes its time if that is asked for.
pub(super) fn timed<T>(kind: &'static str, device: &Device, run: impl FnOnce() -> T) -> T {
    if !ON.load(Ordering::Relaxed) {
        return run();
    }
    let before = INSIDE.replace(Duration::ZERO);
    let start = Instant::now();
    let out = run();
    // A failing device says so in the result.
    let _ = device.synchronize();
    let whole = start.elapsed();
    let inside = INSIDE.replace(before + whole);
    let mut totals = TOTALS.lock().unwrap_or_else(PoisonError::into_inner);
    let spent = totals.entry(kind).or_default();
    spent.calls += 1;
    spent.time += whole.saturating_sub(inside);
    out
}

/// Notes the operations of `run`, which must be the only one that runs networks now.
pub fn profile<T>(run: impl FnOnce() -> T) -> (T, BTreeMap<&'static str, Spent>) {
    let totals = || TOTALS.lock().unwrap_or_else(PoisonError::into_inner);
    totals().clear();
    ON.store(true, Ordering::Relaxed);
    let out = run();
    ON.store(false, Ordering::Relaxed);
    (out, std::mem::take(&mut *totals()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_not_counted_twice() {
        let pause = |ms| std::thread::sleep(Duration::from_millis(ms));
        let cpu = Device::Cpu;
        timed("outer", &cpu, || pause(1));
        let (_, spent) = profile(|| {
            timed("outer", &cpu, || {
                pause(20);
                timed("inner", &cpu, || pause(40));
                timed("inner", &cpu, || pause(40));
            });
        });
        // Other tests of this process may run networks meanwhile: only these kinds are looked at.
        let (outer, inner) = (spent["outer"], spent["inner"]);
        assert_eq!((outer.calls, inner.calls), (1, 2));
        assert!(inner.time >= Duration::from_millis(80));
        assert!(outer.time >= Duration::from_millis(20) && outer.time < inner.time);
    }
}
