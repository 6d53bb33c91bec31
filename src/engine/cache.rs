//! Results of this session.

use super::job::{Generated, Request};
use lru::LruCache;
use std::sync::Arc;

/// Results of this session; the one that was least recently used is forgotten first.
pub(super) struct Cache {
    entries: LruCache<String, Entry>,
    bytes: usize,
    most_bytes: usize,
}

struct Entry {
    request: Request,
    result: Arc<Generated>,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.result.cine.bytes()
    }
}

/// A result that was forgotten: what it was kept under, and what had asked for it.
pub(super) struct Forgotten {
    pub key: String,
    pub request: Request,
}

impl Default for Cache {
    fn default() -> Self {
        Self::of(256 << 20)
    }
}

impl Cache {
    fn of(most_bytes: usize) -> Self {
        Self {
            entries: LruCache::unbounded(),
            bytes: 0,
            most_bytes,
        }
    }

    /// Holds so many bytes from now on.
    #[cfg(test)]
    pub(super) fn hold(&mut self, bytes: usize) {
        self.most_bytes = bytes;
    }

    /// What is kept under a key, which is used by that.
    pub(super) fn get(&mut self, key: &str) -> Option<Arc<Generated>> {
        self.entries.get(key).map(|entry| entry.result.clone())
    }

    /// Whether there is something under a key, which is not used by that.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains(key)
    }

    /// Keeps a result. Says what had to go for it.
    pub(super) fn put(
        &mut self,
        key: String,
        request: Request,
        result: Arc<Generated>,
    ) -> Vec<Forgotten> {
        let entry = Entry { request, result };
        self.bytes += entry.bytes();
        if let Some(before) = self.entries.put(key, entry) {
            self.bytes -= before.bytes();
        }
        let mut gone = Vec::new();
        while self.bytes > self.most_bytes && self.entries.len() > 1 {
            gone.extend(self.forget());
        }
        gone
    }

    /// Forgets everything, and says what that was.
    pub(super) fn clear(&mut self) -> Vec<Forgotten> {
        std::iter::from_fn(|| self.forget()).collect()
    }

    fn forget(&mut self) -> Option<Forgotten> {
        let (key, entry) = self.entries.pop_lru()?;
        self.bytes -= entry.bytes();
        let request = entry.request;
        Some(Forgotten { key, request })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{FrameRate, Video};
    use crate::ef::EfPercent;
    use crate::engine::{Cine, Provenance};
    use crate::hearts::simulated_heart;
    use crate::media::region::{Anatomy, Square};

    fn entry(ef: f64, floats: usize) -> (Request, Arc<Generated>) {
        let heart = simulated_heart(0).unwrap();
        let anatomy = Anatomy::from_frame(&heart.frame, &Square::centred(112, 112).into());
        let request = Request::new(Arc::new(anatomy.unwrap()), EfPercent::new(ef).unwrap());
        let video = Video {
            channels: 1,
            frames: 1,
            height: 1,
            width: floats,
            data: vec![0.0; floats],
        };
        let result = Generated {
            cine: Arc::new(Cine {
                video,
                beating: None,
            }),
            rate: FrameRate::new(16.0).unwrap(),
            beat_normalised: true,
            provenance: Provenance::default(),
        };
        (request, Arc::new(result))
    }

    fn put(cache: &mut Cache, ef: f64, floats: usize) -> Vec<f64> {
        let (request, result) = entry(ef, floats);
        let gone = cache.put(ef.to_string(), request, result);
        gone.iter().map(|gone| gone.request.ef.get()).collect()
    }

    #[test]
    fn what_was_used_last_stays_and_what_goes_is_said() {
        let mut cache = Cache::of(4 * 300);
        for ef in [20.0, 30.0, 40.0] {
            assert_eq!(put(&mut cache, ef, 100), [0.0; 0]);
        }
        // To look is not to use.
        assert!(cache.has("30"));
        assert!(cache.get("20").is_some());
        assert_eq!(put(&mut cache, 50.0, 100), [30.0]);
        assert!(!cache.has("30") && cache.has("20"));
        // A large one takes the place of several, and stays even where it is too large.
        assert_eq!(put(&mut cache, 60.0, 1000), [40.0, 20.0, 50.0]);
        assert!(cache.has("60"));
        // The same again takes its own place.
        assert_eq!(put(&mut cache, 60.0, 250), [0.0; 0]);
        assert_eq!(put(&mut cache, 70.0, 50), [0.0; 0]);
        let gone = cache.clear();
        assert_eq!(gone.len(), 2);
        assert_eq!((gone[0].key.as_str(), cache.bytes), ("60", 0));
    }
}
