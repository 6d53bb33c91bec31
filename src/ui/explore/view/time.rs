//! Which frame is due: generated cines and the source play in one loop.

use super::super::Explore;
use super::super::made::shown::BETWEEN;

impl Explore {
    /// Frames of the loop, and its duration in seconds at normal speed.
    pub fn cycle(&self) -> (usize, f64) {
        let (frames, rate) = match (self.made.any(), &self.house.cascade) {
            (Some(shown), _) => (shown.result.cine.video.frames, shown.result.rate.fps()),
            (None, Some(info)) => {
                let frames = info.config.stages.last().map_or(16, |s| s.frames);
                (frames, info.config.fps)
            }
            (None, None) => (16, 16.0),
        };
        if self.house.beat_normalised() {
            (frames, 60.0 / self.view.heart_rate)
        } else {
            (frames, frames as f64 / rate)
        }
    }

    /// The generated cines' frame now.
    pub fn frame_now(&self, now: f64) -> usize {
        let (n, seconds) = self.cycle();
        self.view.playback.frame(n, seconds, now)
    }

    /// The source's frame now: a clip plays at its own rate and restarts with the loop.
    pub(in crate::ui::explore) fn source_frame_now(&self, now: f64) -> usize {
        let (_, seconds) = self.cycle();
        self.source_frame_at(self.view.playback.phase(seconds, now) * seconds)
    }

    /// The source's frame at a time of the loop, in seconds.
    pub(in crate::ui::explore) fn source_frame_at(&self, into: f64) -> usize {
        let Some(source) = &self.case.source else {
            return 0;
        };
        let n = source.recording.frames();
        let Some(rate) = source.rate.filter(|_| n > 1) else {
            return source.frame;
        };
        let offset = self.view.offset.filter(|_| self.view.align);
        let begins = offset.map_or(0.0, |(at, _)| at);
        ((begins + into) * rate.fps()) as usize % n
    }

    /// Seconds until a picture changes.
    pub(in crate::ui::explore) fn until_next_frame(&self, now: f64) -> Option<f64> {
        let (n, seconds) = self.cycle();
        let between = match (self.house.makes_motion(), self.view.interpolate) {
            (true, _) => self.between(),
            (false, true) => BETWEEN,
            (false, false) => 1,
        };
        let n = n * between;
        let made = self
            .made
            .moves()
            .then(|| self.view.playback.until_next(n, seconds, now))
            .flatten();
        let source = self
            .case
            .source
            .as_ref()
            .filter(|s| !s.recording.is_still());
        let rate = source.and_then(|s| s.rate);
        let own = rate.and_then(|rate| {
            self.view
                .playback
                .until_next(2, 2.0 * rate.frame_ms() / 1000.0, now)
        });
        match (made, own, rate) {
            // Each picture is a whole window: those of the slower wait for the faster one's, and none is left out.
            (Some(made), Some(own), Some(rate)) if self.view.smoothness.is_of_frames_alone() => {
                let made_is_faster = n as f64 >= rate.fps() * seconds;
                Some(if made_is_faster { made } else { own })
            }
            (Some(made), Some(own), _) => Some(made.min(own)),
            (made, own, _) => made.or(own),
        }
    }
}
