//! A reader before a window that the tests paint.

mod answers;
mod any;
mod interrupted;
mod whole;

use super::{About, BLANK_MS, Control, Display, Event, Press, Session, SessionError, Shows, Start};
use crate::study::log::{self, ReadLog};
use crate::study::plan::Plan;
use crate::study::record::{PresentedBy, What};
use crate::study::stamp::Stamp;
use crate::study::testing::{START, folder_of_logs};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A reader before a window, and a clock that goes on as the test says.
pub struct Reader {
    pub plan: Arc<Plan>,
    pub place: usize,
    pub path: PathBuf,
    pub session: Session,
    pub now: Stamp,
    pub _folder: tempfile::TempDir,
}

impl Reader {
    pub fn new(plan: Plan, place: usize) -> Self {
        assert_eq!(Plan::parse(&plan.to_bytes()).as_ref(), Ok(&plan));
        let folder = folder_of_logs();
        let path = folder.path().join("log");
        let plan = Arc::new(plan);
        let session = open(&plan, place, &path, START).unwrap();
        Self {
            plan,
            place,
            path,
            session,
            now: START,
            _folder: folder,
        }
    }

    /// Up to the first trial that is on screen.
    pub fn at_first_trial(plan: Plan, place: usize) -> Self {
        let mut reader = Self::new(plan, place);
        reader.press(Control::Next);
        reader.take(Event::Consented);
        reader.take(Event::About(About::default()));
        reader.take(Event::Display(Display::default()));
        reader.press(Control::Next);
        reader.on_screen();
        reader
    }

    pub fn take(&mut self, event: Event) {
        self.session.take(event, self.now).unwrap();
        // Whatever happens, what is on disk is a log, and no screen tells a class.
        assert_eq!(self.log().problems, []);
        let shown = format!("{:?}", self.shows()).to_lowercase();
        for word in ["factual", "heart 1", "ejection", "correct", "score"] {
            assert!(!shown.contains(word), "{shown}");
        }
    }

    pub fn wait(&mut self, ms: f64) {
        self.now = self.now.after(ms);
    }

    pub fn press(&mut self, control: Control) {
        self.take(Event::Key(control, Press::Down));
        self.take(Event::Key(control, Press::Up));
    }

    /// From blank to the first pass with the clip.
    pub fn on_screen(&mut self) {
        let Shows::Blank { clip } = self.shows() else {
            panic!("{:?}", self.shows());
        };
        let clip = clip.to_owned();
        self.wait(BLANK_MS);
        self.take(Event::Loaded(clip));
        self.take(Event::Painted { late: false });
    }

    /// An answer after two seconds, and how sure.
    pub fn answer(&mut self, control: Control) {
        self.wait(2000.0);
        self.press(control);
        self.wait(700.0);
        self.press(Control::Sure(4));
    }

    /// The program ends, and is opened again after an hour.
    pub fn reopen(self) -> Self {
        let Self {
            plan,
            place,
            path,
            session,
            now,
            _folder,
        } = self;
        drop(session);
        let now = Stamp {
            utc_ms: now.utc_ms + 3_600_000,
            mono_ms: 5.0,
        };
        let session = open(&plan, place, &path, now).unwrap();
        Self {
            plan,
            place,
            path,
            session,
            now,
            _folder,
        }
    }

    pub fn shows(&self) -> Shows<'_> {
        self.session.screen(self.now.mono_ms).shows
    }

    pub fn log(&self) -> ReadLog {
        log::read(&std::fs::read(&self.path).unwrap(), &self.plan, 1)
    }

    pub fn last(&self) -> What {
        self.log().lines.last().unwrap().1.what.clone()
    }
}

pub fn open(
    plan: &Arc<Plan>,
    place: usize,
    log: &Path,
    at: Stamp,
) -> Result<Session, SessionError> {
    let start = Start {
        log,
        by: PresentedBy::Window,
        program: "echoif 0.1.0",
        at,
    };
    Session::open(Arc::clone(plan), place, start)
}
