//! The host's memory between two evaluations.
//!
//! Each layer frees what the one before it made. By itself the GNU C library gives much of that back to
//! the system, which hands it out again page by page and cleared: a tenth and more of the time of a run.

/// What is freed from now on stays with the program, blocks of more than 32 MB apart.
pub fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// The most that every version of the library takes; it would come to that by itself, were the other
        /// limit not set.
        const LARGEST_KEPT: i32 = 32 << 20;
        // SAFETY: both set a number in the library, under its own lock. One that it refuses leaves the
        // program slower, no more.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_KEPT);
            libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        }
    }
}

/// Gives the system what is not in use.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes the library's own locks and touches nothing that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}
