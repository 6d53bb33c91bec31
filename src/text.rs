//! How numbers are said.

/// "40 s", "3 min", "2.5 h": as exact as an estimate is.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "a long time".into();
    }
    let seconds = seconds.max(0.0);
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else if seconds < 5400.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_read_well() {
        let said: Vec<String> = [0.04, 9.94, 42.0, 150.0, 9000.0]
            .map(super::duration)
            .into();
        assert_eq!(said, ["0.0 s", "9.9 s", "42 s", "2 min", "2.5 h"]);
    }
}
