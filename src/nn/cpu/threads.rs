//! The threads that the kernels are cut for.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// While it is held, its thread is one of those that compute.
#[must_use]
pub struct ComputesHere(
    #[expect(dead_code, reason = "its end is the pool's")] Option<rayon::ThreadPool>,
);

/// Makes this thread one of its own pool's, which has as many threads as any other.
///
/// A thread outside hands each operation over and sleeps until it is done, some hundred times in an
/// evaluation; a thread of the pool takes its part and wakes the others. What other threads compute goes
/// to the pool of all.
pub fn compute_here() -> ComputesHere {
    // A thread that is of a pool already stays there, and without a pool all is as before.
    let pool = rayon::ThreadPoolBuilder::new().use_current_thread().build();
    ComputesHere(pool.ok())
}

/// The threads shared out to pieces of work that are done side by side: each lane has a pool of its own, in which
/// its kernels are cut. Two passes over one sample each keep two threads busier than one pass over both, and what
/// a pass makes stays in its core's cache.
pub struct Lanes(Vec<ThreadPool>);

impl Lanes {
    /// At most `most` lanes of the threads there are; each has a stack of so many bytes.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn new(most: usize, stack: usize) -> Result<Self, ThreadPoolBuildError> {
        let threads = rayon::current_num_threads();
        let lanes = most.clamp(1, threads.max(1));
        let pool = |_| {
            let of_lane = ThreadPoolBuilder::new().num_threads((threads / lanes).max(1));
            of_lane.stack_size(stack).build()
        };
        Ok(Self((0..lanes).map(pool).collect::<Result<_, _>>()?))
    }

    /// The results of `each(0)` to `each(tasks - 1)`, in this order, whichever lane made them.
    ///
    /// # Panics
    /// When `each` does.
    pub fn map<T: Send>(&self, tasks: usize, each: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(tasks));
        let work = || loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= tasks {
                return;
            }
            let result = each(i);
            done.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((i, result));
        };
        std::thread::scope(|scope| {
            for lane in &self.0 {
                scope.spawn(|| lane.install(work));
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(i, _)| *i);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_their_order_and_every_lane_has_its_threads() {
        let pool = ThreadPoolBuilder::new().num_threads(4).build().unwrap();
        pool.install(|| {
            for (most, lanes, threads) in [(1, 1, 4), (2, 2, 2), (3, 3, 1), (9, 4, 1)] {
                let all = Lanes::new(most, 1 << 20).unwrap();
                assert_eq!(all.0.len(), lanes);
                let made = all.map(7, |i| (i, rayon::current_num_threads()));
                let right: Vec<_> = (0..7).map(|i| (i, threads)).collect();
                assert_eq!(made, right);
            }
        });
    }
}
