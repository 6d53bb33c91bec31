//! What comes into a session from outside.

use crate::study::record::Room;

/// Something that a reader can do, whatever key or button does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Control {
    Real,
    Fake,
    /// The answer on this side of the screen.
    Left,
    Right,
    /// A step of the confidence scale, from 1.
    Sure(u8),
    /// Goes on: from the instruction, from a break that is over, from a pause.
    Next,
    Pause,
    /// Leaves the study for good: whoever asks the session for it has asked the reader twice.
    Withdraw,
    /// Lets the trial end without an answer. Only a script does that; a reader waits for the time limit.
    NoAnswer,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    Down,
    /// The system repeats a key that is held: no press of its own.
    Repeat,
    Up,
}

/// What the reader said of themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// In their own words; cut after 200 letters.
    pub role: String,
    /// Of experience, 0 to 100.
    pub years: Option<f64>,
    pub glasses: Option<bool>,
}

/// What the check of the display found; what was skipped is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Display {
    /// The dark patch, 5 % on black.
    pub dark_seen: Option<bool>,
    /// The bright patch, 95 % on white.
    pub bright_seen: Option<bool>,
    pub millimetres_a_point: Option<f64>,
    pub room: Option<Room>,
    /// Milliseconds between two passes.
    pub period_ms: Option<f64>,
    /// Of the passes of the check.
    pub late_passes: Option<usize>,
}

/// What happens to a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Time went on.
    Tick,
    Key(Control, Press),
    /// A button on screen.
    Click(Control),
    /// A line of a script.
    Script(Control),
    /// The window lost the keyboard: no key is held any more, as far as it can tell.
    Unfocused,
    Consented,
    /// The reader does not consent, and leaves.
    Declined,
    About(About),
    Display(Display),
    /// All frames of this clip are ready to be painted: the answer to [`super::Shows::Blank`].
    Loaded(String),
    /// A pass was painted while a trial is on screen.
    Painted {
        /// It took over 1.2 periods.
        late: bool,
    },
}
