//! Results of this session.

use super::job::Generated;
use std::collections::VecDeque;
use std::sync::Arc;

/// Results of this session, the oldest forgotten first.
#[derive(Default)]
pub(super) struct Cache {
    entries: VecDeque<(String, Arc<Generated>)>,
    bytes: usize,
}

impl Cache {
    const MOST_BYTES: usize = 256 << 20;

    pub(super) fn get(&self, key: &str) -> Option<Arc<Generated>> {
        let found = self.entries.iter().find(|(k, _)| k == key)?;
        Some(found.1.clone())
    }

    pub(super) fn put(&mut self, key: String, result: Arc<Generated>) {
        self.bytes += 4 * result.cine.video.data.len();
        self.entries.push_back((key, result));
        while self.bytes > Self::MOST_BYTES && self.entries.len() > 1 {
            if let Some((_, old)) = self.entries.pop_front() {
                self.bytes -= 4 * old.cine.video.data.len();
            }
        }
    }
}
