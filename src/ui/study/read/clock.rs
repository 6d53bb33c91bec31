//! Passes of the window, and how regularly they come.

/// Passes of the check before a session.
const PASSES: usize = 120;
/// A pass that took longer than so many periods is late (PsychoPy's rule).
const LATE: f64 = 1.2;

/// The check of the display's period.
#[derive(Default)]
pub struct Check {
    last_s: Option<f64>,
    took_s: Vec<f64>,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regularity {
    /// Milliseconds from pass to pass; the median.
    pub period_ms: f64,
    pub late_passes: usize,
}

impl Check {
    /// A pass, at so many seconds of the window's clock.
    pub fn pass(&mut self, now_s: f64) {
        if let Some(last) = self.last_s.replace(now_s)
            && self.took_s.len() < PASSES
        {
            self.took_s.push(now_s - last);
        }
    }

    /// 0..1
    pub fn share(&self) -> f64 {
        self.took_s.len() as f64 / PASSES as f64
    }

    /// When all passes are in.
    pub fn found(&self) -> Option<Regularity> {
        if self.took_s.len() < PASSES {
            return None;
        }
        let mut sorted = self.took_s.clone();
        sorted.sort_by(f64::total_cmp);
        let period_s = sorted.get(PASSES / 2).copied()?;
        let late = sorted.iter().filter(|took| **took > LATE * period_s);
        Some(Regularity {
            period_ms: 1000.0 * period_s,
            late_passes: late.count(),
        })
    }
}

/// Whether passes of a trial come late.
#[derive(Default)]
pub struct Passes {
    last_s: Option<f64>,
}

impl Passes {
    /// Another pass with the clip. Whether it was late; the first never is.
    pub fn pass(&mut self, now_s: f64, period_ms: Option<f64>) -> bool {
        let last = self.last_s.replace(now_s);
        let took = last.map(|last| 1000.0 * (now_s - last));
        took.zip(period_ms)
            .is_some_and(|(took, period)| took > LATE * period)
    }

    /// Something else is on screen.
    pub fn none(&mut self) {
        self.last_s = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_finds_the_period_and_what_was_late() {
        let mut check = Check::default();
        let mut now = 3.0;
        check.pass(now);
        for i in 0..PASSES {
            assert_eq!(check.found(), None);
            now += if i % 40 == 7 { 0.034 } else { 1.0 / 60.0 };
            check.pass(now);
        }
        let found = check.found().unwrap();
        assert!((found.period_ms - 16.667).abs() < 0.01, "{found:?}");
        assert_eq!(found.late_passes, 3);
        check.pass(now + 9.0);
        assert_eq!((check.found(), check.share()), (Some(found), 1.0));
    }

    #[test]
    fn a_pass_over_one_period_and_a_fifth_is_late() {
        let mut passes = Passes::default();
        assert!(!passes.pass(1.0, Some(10.0)));
        assert!(!passes.pass(1.0119, Some(10.0)));
        assert!(passes.pass(1.0241, Some(10.0)));
        assert!(!passes.pass(9.0, None));
        passes.none();
        assert!(!passes.pass(20.0, Some(10.0)));
    }
}
