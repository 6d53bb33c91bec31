//! Decodes a recording's frames ahead of the screen, on a thread of its own.

use crate::clip::Frame;
use crate::recording::Recording;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Tells the window that there is something new to show.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Gives frames that are there, and has the others decoded. Dropping it stops its thread.
pub struct Projector {
    recording: Arc<Recording>,
    shared: Arc<Shared>,
    /// The wish whose frame was shown last, by its version.
    shown: AtomicU64,
}

#[derive(Default)]
struct Shared {
    wish: Mutex<Wish>,
    changed: Condvar,
    /// Frames that could not be decoded.
    missing: Mutex<HashSet<usize>>,
    /// The frame that was on its way when it was wished for, until it is shown or no more wanted; with its wish.
    late: Mutex<Option<(u64, usize, Arc<Frame>)>>,
}

#[derive(Default)]
struct Wish {
    /// Needed first, and alone.
    single: Option<usize>,
    /// The frame on screen; those after it are decoded ahead.
    playing: Option<usize>,
    /// Counts changes.
    version: u64,
    closed: bool,
}

impl Projector {
    /// # Errors
    /// When the system gives no thread.
    pub fn start(recording: Arc<Recording>, wake: Wake) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (theirs, reel) = (shared.clone(), recording.clone());
        std::thread::Builder::new()
            .name("projector".into())
            .spawn(move || work(&reel, &theirs, &wake))?;
        Ok(Self {
            recording,
            shared,
            shown: AtomicU64::new(0),
        })
    }

    /// Frame `i` if it is there; else it comes next, and the window is woken.
    pub fn single(&self, i: usize) -> Option<Arc<Frame>> {
        let frame = self.recording.kept(i);
        if frame.is_none() {
            self.wish(|wish| wish.single.replace(i) != Some(i));
        }
        // What was late for a cine that no more plays is neither kept nor shown when it plays again.
        lock(&self.shared.late).take();
        frame
    }

    /// The same for a frame of a cine that plays: those after it are decoded ahead. Of a cine that
    /// plays faster than it is decoded come the frames that there are, each when it is there and
    /// with its number, so that the picture jumps instead of standing still; never one that was
    /// wished for before the one that was shown last.
    pub fn playing(&self, i: usize) -> Option<(usize, Arc<Frame>)> {
        let version = self.wish(|wish| wish.playing.replace(i) != Some(i));
        let late = lock(&self.shared.late).take();
        let now = self.recording.kept(i).map(|frame| (version, i, frame));
        let before = self.shown.load(Ordering::Relaxed);
        let (version, i, frame) = now.or(late.filter(|(wish, ..)| *wish > before))?;
        self.shown.store(version, Ordering::Relaxed);
        Some((i, frame))
    }

    pub fn is_missing(&self, i: usize) -> bool {
        lock(&self.shared.missing).contains(&i)
    }

    /// Returns the wish's version.
    fn wish(&self, change: impl FnOnce(&mut Wish) -> bool) -> u64 {
        let mut wish = lock(&self.shared.wish);
        if change(&mut wish) {
            wish.version += 1;
            self.shared.changed.notify_one();
        }
        wish.version
    }
}

impl Drop for Projector {
    fn drop(&mut self) {
        self.wish(|wish| {
            wish.closed = true;
            true
        });
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(recording: &Recording, shared: &Shared, wake: &Wake) {
    let n = recording.frames();
    // Some of what is kept lies behind the frame on screen.
    let ahead = (recording.capacity() * 3 / 4).clamp(1, n);
    let mut done = 0;
    loop {
        let (single, playing, version) = {
            let mut wish = lock(&shared.wish);
            while wish.version == done && !wish.closed {
                wish = shared
                    .changed
                    .wait(wish)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if wish.closed {
                return;
            }
            (wish.single.take(), wish.playing, wish.version)
        };
        done = version;
        let following = playing.map(|at| (0..ahead).map(move |k| (at + k) % n));
        let wanted = single.into_iter().chain(following.into_iter().flatten());
        for i in wanted {
            if recording.kept(i).is_some() || lock(&shared.missing).contains(&i) {
                continue;
            }
            match recording.frame(i) {
                Err(_) => {
                    lock(&shared.missing).insert(i);
                }
                Ok(frame) if playing == Some(i) => {
                    *lock(&shared.late) = Some((version, i, frame));
                }
                Ok(_) => {}
            }
            if [single, playing].contains(&Some(i)) {
                wake();
            }
            if lock(&shared.wish).version != version {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Clip, Pixels};
    use crate::recording::FrameReader;
    use std::sync::atomic::AtomicUsize;
    use std::time::{Duration, Instant};

    /// Takes its time for each frame.
    struct Slow(Duration);

    impl FrameReader for Slow {
        fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
            std::thread::sleep(self.0);
            Ok(Arc::new(Frame {
                width: 4096,
                height: 4096,
                pixels: Pixels::Gray(vec![i as u8; 4096 * 4096]),
            }))
        }
    }

    #[test]
    fn what_plays_faster_than_it_is_decoded_jumps() {
        let slow = Box::new(Slow(Duration::from_millis(20)));
        // More frames than are kept: none is there for a second time.
        let recording = Arc::new(Recording::new(10_000, None, slow).unwrap());
        let projector = Projector::start(recording, Arc::new(|| ())).unwrap();
        let mut seen = Vec::new();
        let start = Instant::now();
        let mut i = 0;
        while seen.len() < 5 {
            assert!(start.elapsed() < Duration::from_secs(20), "{seen:?} of {i}");
            i += 1;
            if let Some((number, frame)) = projector.playing(i) {
                assert_eq!(frame.rgb(0, 0)[0], number as u8);
                seen.push(number);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(seen.is_sorted(), "{seen:?}");
    }

    /// Decodes a frame when it is allowed to.
    #[derive(Clone, Default)]
    struct Gated {
        allowed: Arc<Mutex<HashSet<usize>>>,
        begun: Arc<Mutex<HashSet<usize>>>,
    }

    impl Gated {
        fn allow(&self, i: usize) {
            lock(&self.allowed).insert(i);
        }
    }

    impl FrameReader for Gated {
        fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
            lock(&self.begun).insert(i);
            while !lock(&self.allowed).contains(&i) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(Arc::new(Frame {
                width: 4,
                height: 4,
                pixels: Pixels::Gray(vec![i as u8; 16]),
            }))
        }
    }

    #[test]
    fn what_is_late_is_not_shown_after_what_came_later() {
        let gate = Gated::default();
        gate.allow(0);
        gate.allow(4);
        let recording = Recording::new(9, None, Box::new(gate.clone())).unwrap();
        recording.frame(4).unwrap();
        let recording = Arc::new(recording);
        let projector = Projector::start(recording.clone(), Arc::new(|| ())).unwrap();
        let number = |i| projector.playing(i).map(|(i, _)| i);
        let start = Instant::now();
        let until = |there: &dyn Fn() -> bool| {
            while !there() {
                assert!(start.elapsed() < Duration::from_secs(20), "it never came");
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        // Frame 2 is on its way when 4, which is there, is shown: it comes too late.
        assert_eq!(number(2), None);
        until(&|| lock(&gate.begun).contains(&2));
        assert_eq!(number(4), Some(4));
        assert_eq!(number(5), None);
        gate.allow(2);
        until(&|| recording.kept(2).is_some());
        for _ in 0..20 {
            assert_eq!(number(5), None);
            std::thread::sleep(Duration::from_millis(1));
        }
        // Frame 5 comes while 6 is wished for, and nothing later was shown.
        until(&|| lock(&gate.begun).contains(&5));
        assert_eq!(number(6), None);
        gate.allow(5);
        until(&|| number(6) == Some(5));
        // Its thread is to end.
        (0..9).for_each(|i| gate.allow(i));
    }

    #[test]
    fn frames_arrive_and_the_thread_ends() {
        let frame = |level| Frame {
            width: 4,
            height: 4,
            pixels: Pixels::Gray(vec![level; 16]),
        };
        let recording = Recording::of_clip(Clip {
            frames: (0..9).map(frame).collect(),
            rate: None,
            beat_normalised: false,
        });
        let recording = Arc::new(recording.unwrap());
        let woken = Arc::new(AtomicUsize::new(0));
        let count = woken.clone();
        let wake: Wake = Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let projector = Projector::start(recording.clone(), wake).unwrap();
        assert!(projector.single(5).is_none());
        let start = Instant::now();
        while projector.single(5).is_none() {
            assert!(start.elapsed() < Duration::from_secs(10), "no frame came");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(woken.load(Ordering::Relaxed) > 0);
        // The frames after the one on screen come unasked.
        projector.playing(7);
        while recording.kept(0).is_none() || recording.kept(3).is_none() {
            assert!(start.elapsed() < Duration::from_secs(10), "nothing ahead");
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(projector);
        while Arc::strong_count(&recording) > 1 {
            assert!(start.elapsed() < Duration::from_secs(10), "a thread stays");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
