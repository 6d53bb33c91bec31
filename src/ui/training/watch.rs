//! How long something was looked at: not while another mode was on screen.

/// Seconds that a case was on screen, and that it played.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Watch {
    /// The last pass that showed it, by the window's clock.
    last: Option<f64>,
    pub looked_s: f64,
    pub played_s: f64,
}

impl Watch {
    /// Another pass that shows it, and whether it plays; `away`: something else was on screen since the last one.
    /// Seconds for which it was away.
    pub fn pass(&mut self, now: f64, plays: bool, away: bool) -> f64 {
        let took = self.last.replace(now).map_or(0.0, |at| (now - at).max(0.0));
        if away {
            return took;
        }
        self.looked_s += took;
        if plays {
            self.played_s += took;
        }
        0.0
    }

    /// In tenths of a second.
    pub fn tenths_s(&self) -> f64 {
        (10.0 * self.looked_s).round() / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_on_screen_does_not_count() {
        let mut watch = Watch::default();
        assert_eq!(watch.pass(10.0, true, false), 0.0);
        assert_eq!(watch.pass(10.5, true, false), 0.0);
        // Nothing was drawn for long, and nothing else either.
        assert_eq!(watch.pass(12.5, false, false), 0.0);
        assert_eq!(watch.pass(60.0, true, true), 47.5);
        assert_eq!(watch.pass(60.25, true, false), 0.0);
        assert_eq!((watch.looked_s, watch.played_s), (2.75, 0.75));
        assert_eq!(watch.tenths_s(), 2.8);
    }
}
