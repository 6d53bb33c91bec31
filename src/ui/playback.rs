//! One clock for all panes. The frame shown follows elapsed time, not ticks.

/// Speeds that the transport offers.
pub const SPEEDS: [f64; 5] = [0.25, 0.5, 1.0, 1.5, 2.0];

/// Position in the loop, in seconds of the cine's own time.
#[derive(Clone, Copy, Debug)]
pub struct Playback {
    playing: bool,
    speed: f64,
    /// Forth and back instead of from the start again.
    bounce: bool,
    /// It plays, and time stands still all the same.
    held: bool,
    /// Position at `since`.
    position: f64,
    since: f64,
}

impl Default for Playback {
    fn default() -> Self {
        Self {
            playing: true,
            speed: 1.0,
            bounce: false,
            held: false,
            position: 0.0,
            since: 0.0,
        }
    }
}

impl Playback {
    pub fn is_playing(&self) -> bool {
        self.playing
    }

    pub fn speed(&self) -> f64 {
        self.speed
    }

    pub fn position(&self, now: f64) -> f64 {
        if self.playing && !self.held {
            self.position + (now - self.since).max(0.0) * self.speed
        } else {
            self.position
        }
    }

    pub fn bounces(&self) -> bool {
        self.bounce
    }

    pub fn set_bounce(&mut self, bounce: bool) {
        self.bounce = bounce;
    }

    /// How far into a loop of `seconds`, 0..1.
    pub fn phase(&self, seconds: f64, now: f64) -> f64 {
        phase_at(self.position(now), seconds, self.bounce)
    }

    /// The frame of a loop of `n` frames over `seconds`.
    pub fn frame(&self, n: usize, seconds: f64, now: f64) -> usize {
        ((self.phase(seconds, now) * n as f64) as usize).min(n.saturating_sub(1))
    }

    fn rebase(&mut self, now: f64) {
        self.position = self.position(now);
        self.since = now;
    }

    /// Holds what plays where it is, or lets it go on from there.
    pub fn hold(&mut self, held: bool, now: f64) {
        if held != self.held {
            self.rebase(now);
            self.held = held;
        }
    }

    pub fn is_held(&self) -> bool {
        self.held
    }

    pub fn toggle(&mut self, now: f64) {
        self.rebase(now);
        self.playing = !self.playing;
    }

    pub fn set_speed(&mut self, speed: f64, now: f64) {
        self.rebase(now);
        self.speed = speed;
    }

    /// The next faster (1) or slower (-1) speed.
    pub fn change_speed(&mut self, by: isize, now: f64) {
        let at = SPEEDS
            .iter()
            .position(|&s| s >= self.speed)
            .unwrap_or(SPEEDS.len() - 1);
        let at = at.saturating_add_signed(by).min(SPEEDS.len() - 1);
        self.set_speed(SPEEDS[at], now);
    }

    /// Pauses and goes to the middle of the frame `by` frames away, in a loop of `n` frames over
    /// `seconds`.
    pub fn step(&mut self, by: i64, n: usize, seconds: f64, now: f64) {
        let frame = self.frame(n, seconds, now) as i64;
        let frame = (frame + by).rem_euclid(n.max(1) as i64);
        self.seek((frame as f64 + 0.5) * seconds / n.max(1) as f64, now);
    }

    /// Pauses at a position.
    pub fn seek(&mut self, position: f64, now: f64) {
        self.playing = false;
        self.position = position;
        self.since = now;
    }

    /// Seconds until another frame is to be shown, if the clock runs.
    pub fn until_next(&self, n: usize, seconds: f64, now: f64) -> Option<f64> {
        if !self.playing || self.held || n < 2 {
            return None;
        }
        let frame = seconds / n as f64;
        let into = self.position(now).rem_euclid(frame);
        Some(((frame - into) / self.speed).clamp(0.004, 1.0))
    }
}

/// How many pictures a beat is shown in, as far as the machine keeps up: a renderer in software takes a tenth
/// of a second for a window, and what comes late is worth less than what is left out.
#[derive(Clone, Copy, Debug)]
pub struct Smoothness {
    /// Pictures from one frame to the next at most, and what that is now.
    most: usize,
    limit: usize,
    /// When the next picture was due.
    due: Option<f64>,
    /// Pictures that came late, less those that came in time.
    late: u32,
    since: f64,
}

/// So much after it was due a picture is late, in seconds.
const LATE: f64 = 0.012;
/// So many late ones halve the number of pictures.
const TOO_MANY: u32 = 6;
/// After so long without, more are tried again.
const PATIENCE: f64 = 30.0;

impl Smoothness {
    const MOST: usize = 16;

    /// For a renderer that is software, and draws the whole window for every picture: the cines' own frames and
    /// none between.
    pub fn of_frames_alone() -> Self {
        Self {
            most: 1,
            limit: 1,
            ..Self::default()
        }
    }

    pub fn is_of_frames_alone(&self) -> bool {
        self.most == 1
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A window is drawn at `now`, and the next picture is due after `wait`.
    pub fn drawn(&mut self, now: f64, wait: f64) {
        // Long waits are no playing; something between two pictures has the window drawn in time.
        if let Some(due) = self.due.filter(|due| now >= *due && now < due + 1.0) {
            self.late = match now - due > LATE {
                true => self.late + 1,
                false => self.late.saturating_sub(1),
            };
        }
        if self.late > TOO_MANY {
            self.limit = (self.limit / 2).max(1);
            (self.late, self.since) = (0, now);
        } else if now - self.since > PATIENCE {
            self.limit = (2 * self.limit).min(self.most);
            self.since = now;
        }
        self.due = Some(now + wait);
    }
}

impl Default for Smoothness {
    fn default() -> Self {
        Self {
            most: Self::MOST,
            limit: Self::MOST,
            due: None,
            late: 0,
            since: 0.0,
        }
    }
}

/// How far into a loop of `seconds` a position is, 0..1.
fn phase_at(position: f64, seconds: f64, bounce: bool) -> f64 {
    if seconds <= 0.0 {
        return 0.0;
    }
    let share = position / seconds;
    if bounce {
        let share = share.rem_euclid(2.0);
        if share < 1.0 { share } else { 2.0 - share }
    } else {
        share.rem_euclid(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_follows_elapsed_time_and_speed() {
        let mut p = Playback::default();
        assert_eq!(p.frame(16, 1.0, 0.5), 8);
        p.set_speed(2.0, 0.5);
        assert!((p.position(0.75) - 1.0).abs() < 1e-9);
        p.toggle(0.75);
        assert!((p.position(9.0) - 1.0).abs() < 1e-9);
        p.toggle(9.0);
        assert!((p.position(9.25) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn fewer_pictures_are_shown_where_they_come_late() {
        let mut smooth = Smoothness::default();
        let mut now = 0.0;
        let mut play = |smooth: &mut Smoothness, seconds: f64, delay: f64| {
            let end = now + seconds;
            while now < end {
                smooth.drawn(now, 0.03);
                now += 0.03 + delay;
            }
        };
        play(&mut smooth, 2.0, 0.001);
        assert_eq!(smooth.limit(), 16);
        play(&mut smooth, 20.0, 0.07);
        assert_eq!(smooth.limit(), 1);
        play(&mut smooth, 70.0, 0.0);
        assert_eq!(smooth.limit(), 4);
    }

    #[test]
    fn what_is_held_goes_on_from_where_it_was() {
        let mut p = Playback::default();
        p.hold(true, 1.25);
        assert!(p.is_playing() && p.until_next(16, 1.0, 1.25).is_none());
        assert_eq!(p.position(9.0), 1.25);
        p.hold(true, 9.0);
        p.hold(false, 10.0);
        assert_eq!(p.position(10.5), 1.75);
        assert!(p.until_next(16, 1.0, 10.5).is_some());
        // What was paused stays so.
        p.toggle(11.0);
        p.hold(true, 12.0);
        p.hold(false, 13.0);
        assert!(!p.is_playing() && p.position(14.0) == 2.25);
    }

    #[test]
    fn a_bounce_goes_forth_and_back() {
        let mut p = Playback::default();
        p.set_bounce(true);
        let frames: Vec<usize> = (0..8)
            .map(|k| p.frame(4, 1.0, k as f64 / 4.0 + 0.1))
            .collect();
        assert_eq!(frames, [0, 1, 2, 3, 3, 2, 1, 0]);
    }

    #[test]
    fn a_step_pauses_and_wraps() {
        let mut p = Playback::default();
        p.step(-1, 16, 1.0, 0.0);
        assert!(!p.is_playing());
        assert_eq!(p.frame(16, 1.0, 100.0), 15);
        p.step(1, 16, 1.0, 100.0);
        assert_eq!(p.frame(16, 1.0, 100.0), 0);
    }

    #[test]
    fn speeds_stop_at_both_ends() {
        let mut p = Playback::default();
        for _ in 0..9 {
            p.change_speed(1, 0.0);
        }
        assert_eq!(p.speed(), 2.0);
        for _ in 0..9 {
            p.change_speed(-1, 0.0);
        }
        assert_eq!(p.speed(), 0.25);
    }
}
