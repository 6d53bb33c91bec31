//! How the settings are kept between two starts: as JSON, so that what one version of the program wrote
//! costs another nothing but what it does not know.

use super::Settings;
use serde_json::{Map, Value};

const KEY: &str = "settings";

impl Settings {
    /// What was kept, by this version, an earlier or a later one. A value that is not understood is left at
    /// its default; of a list, such as the history, the lines that are not understood are left out.
    pub fn restore(storage: &dyn eframe::Storage) -> Option<Self> {
        let text = storage.get_string(KEY)?;
        match serde_json::from_str(&text) {
            Ok(Value::Object(kept)) => Some(Self::of_what_is_known(kept)),
            // Earlier versions kept it in eframe's own form.
            _ => eframe::get_value(storage, KEY),
        }
    }

    pub fn keep(&self, storage: &mut dyn eframe::Storage) {
        // Nothing in it is without a form in JSON.
        if let Ok(text) = serde_json::to_string(self) {
            storage.set_string(KEY, text);
        }
    }

    fn of_what_is_known(kept: Map<String, Value>) -> Self {
        let mut known = Self::default();
        for (name, mut value) in kept {
            if let Value::Array(lines) = &mut value {
                let one = |line: &Value| Value::Array(vec![line.clone()]);
                lines.retain(|line| known.with(&name, one(line)).is_some());
            }
            known = known.with(&name, value).unwrap_or(known);
        }
        known
    }

    /// With one value more; none where it cannot be that.
    fn with(&self, name: &str, value: Value) -> Option<Self> {
        let mut all = serde_json::to_value(self).ok()?;
        all.as_object_mut()?.insert(name.into(), value);
        serde_json::from_value(all).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Storage(String);

    impl eframe::Storage for Storage {
        fn get_string(&self, _key: &str) -> Option<String> {
            Some(self.0.clone())
        }
        fn set_string(&mut self, _key: &str, value: String) {
            self.0 = value;
        }
        fn remove_string(&mut self, _key: &str) {}
        fn flush(&mut self) {}
    }

    /// Whatever became of the file, the window opens; and what it keeps then is read as it was kept.
    #[test]
    fn damaged_settings_cost_what_is_damaged() {
        // As an earlier version kept them, with a history, and as this one does.
        let earlier = include_str!("../../../../tests/versions/settings_1d99d05.ron");
        let mut now = Storage(earlier.into());
        let whole = Settings::restore(&now).unwrap();
        whole.keep(&mut now);
        for own in [earlier, &now.0] {
            let mut read = 0;
            for changed in crate::damage::mutations(own.as_bytes(), 150) {
                let mut storage = Storage(String::from_utf8_lossy(&changed).into_owned());
                if let Some(settings) = Settings::restore(&storage) {
                    read += 1;
                    settings.keep(&mut storage);
                    assert_eq!(Settings::restore(&storage), Some(settings));
                }
            }
            assert!(read > 5, "{read}");
        }
    }
}
