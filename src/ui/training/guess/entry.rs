//! A guess that is being typed or clicked.

use crate::drill::profile::GUESSES;

/// None before the first input: a value to begin with pulls answers to itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    value: Option<u32>,
    /// Digits typed so far of the value.
    digits: u8,
}

impl Entry {
    /// A digit; the third begins another guess.
    pub fn digit(&mut self, digit: u32) {
        let before = self.value.filter(|_| self.digits == 1);
        self.value = Some(before.map_or(digit, |tens| 10 * tens + digit));
        self.digits = if before.is_some() { 2 } else { 1 };
    }

    pub fn backspace(&mut self) {
        self.value = match self.digits {
            2 => self.value.map(|v| v / 10),
            _ => None,
        };
        self.digits = self.digits.saturating_sub(1);
        if self.value.is_none() {
            self.digits = 0;
        }
    }

    /// Chosen on the scale.
    pub fn set(&mut self, value: u32) {
        self.value = Some(value);
        self.digits = 0;
    }

    /// One up or down, where there is a guess.
    pub fn step(&mut self, by: i32) {
        let moved = self.guess().and_then(|v| v.checked_add_signed(by));
        if let Some(value) = moved.filter(|v| GUESSES.contains(v)) {
            self.set(value);
        }
    }

    /// What was typed, whether it can be a guess or not.
    pub fn typed(&self) -> Option<u32> {
        self.value
    }

    /// A guess that can be given: of two digits, or chosen on the scale. The first of two digits is none.
    pub fn guess(&self) -> Option<u32> {
        let whole = self.digits != 1;
        self.value.filter(|v| whole && GUESSES.contains(v))
    }

    /// Whether another digit is to come.
    pub fn is_half(&self) -> bool {
        self.digits == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_are_a_guess_and_the_third_begins_another() {
        let mut entry = Entry::default();
        assert_eq!((entry.typed(), entry.guess()), (None, None));
        entry.step(1);
        assert_eq!(entry.guess(), None, "no step without a value");
        entry.digit(4);
        assert_eq!((entry.typed(), entry.guess()), (Some(4), None));
        entry.digit(5);
        assert_eq!(entry.guess(), Some(45));
        entry.digit(7);
        assert_eq!((entry.typed(), entry.guess()), (Some(7), None));
        entry.digit(0);
        assert_eq!(entry.guess(), Some(70));
        entry.backspace();
        assert_eq!((entry.typed(), entry.guess()), (Some(7), None));
        entry.backspace();
        entry.digit(0);
        entry.digit(7);
        assert_eq!(entry.guess(), Some(7));
        entry.backspace();
        entry.backspace();
        assert_eq!(entry, Entry::default());
        entry.digit(9);
        entry.digit(9);
        assert_eq!((entry.typed(), entry.guess()), (Some(99), None));
        entry.set(90);
        entry.step(1);
        assert_eq!(entry.guess(), Some(90));
        entry.step(-1);
        assert_eq!(entry.guess(), Some(89));
        // What was clicked is no first digit.
        entry.digit(3);
        assert_eq!(entry.guess(), None);
    }
}
