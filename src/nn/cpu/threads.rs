//! The threads that the kernels are cut for.

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
