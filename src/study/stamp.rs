//! Moments, by both clocks.

use dicom_core::chrono::{DateTime, NaiveDateTime, Utc};

/// A moment, as whoever drives a session tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stamp {
    /// Milliseconds since 1970 by the wall clock, which may be set and may jump.
    pub utc_ms: i64,
    /// Milliseconds of a clock that only goes on, since any moment of this run.
    pub mono_ms: f64,
}

impl Stamp {
    /// Now, for what has no run of its own.
    pub fn now() -> Self {
        Self {
            utc_ms: Utc::now().timestamp_millis(),
            mono_ms: 0.0,
        }
    }

    /// The moment so many milliseconds later, by both clocks.
    pub fn after(self, ms: f64) -> Self {
        Self {
            utc_ms: self.utc_ms.saturating_add(ms.round() as i64),
            mono_ms: self.mono_ms + ms,
        }
    }

    /// `2026-11-26T07:00:00.000Z`
    pub fn utc(&self) -> String {
        utc_text(self.utc_ms)
    }
}

const UTC: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

/// Milliseconds since 1970 as `2026-11-26T07:00:00.000Z`; what is in no calendar is the beginning of 1970.
pub fn utc_text(ms: i64) -> String {
    let in_years_of_four_digits = (0..=253_402_300_799_999).contains(&ms);
    let ms = if in_years_of_four_digits { ms } else { 0 };
    DateTime::from_timestamp_millis(ms)
        .unwrap_or_default()
        .format(UTC)
        .to_string()
}

/// Milliseconds since 1970; `None` where the text is not what [`utc_text`] writes.
pub fn utc_ms(text: &str) -> Option<i64> {
    if text.len() != "2026-11-26T07:00:00.000Z".len() {
        return None;
    }
    let ms = NaiveDateTime::parse_from_str(text, UTC)
        .ok()?
        .and_utc()
        .timestamp_millis();
    (utc_text(ms) == text).then_some(ms)
}

/// Milliseconds as the log has them: to a tenth, which is finer than any clock of a display.
pub fn tenths(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_676_400_007, "2026-11-26T07:00:00.007Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(utc_text(ms), text);
            assert_eq!(utc_ms(text), Some(ms));
        }
        for wrong in [
            "",
            "2026-11-26T07:00:00Z",
            "2026-11-26T07:00:00.0070Z",
            "2026-11-26 07:00:00.000Z",
            "2026-02-30T07:00:00.000Z",
            "2026-11-26T07:00:60.000Z",
            "+026-11-26T07:00:00.000Z",
        ] {
            assert_eq!(utc_ms(wrong), None, "{wrong}");
        }
        assert_eq!(utc_text(i64::MAX), utc_text(0));
        assert_eq!(tenths(81234.14999), 81234.1);
    }
}
