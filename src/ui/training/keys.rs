//! Keys that training takes itself: digits of a guess, and the arrows.

use egui::{Event, Key, Modifiers};

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    Digit(u32),
    Backspace,
    Left,
    Right,
    /// Play or pause.
    Space,
    Outline,
    /// Of a class: tells the truth.
    Reveal,
}

/// What was pressed since the last pass, in order; nothing while a text field has the keyboard. Arrows and Space are
/// a focused widget's own.
pub fn pressed(ctx: &egui::Context) -> Vec<Pressed> {
    if ctx.text_edit_focused() {
        return Vec::new();
    }
    let focused = ctx.memory(|memory| memory.focused().is_some());
    ctx.input(|input| input.events.iter().filter_map(|e| of(e, focused)).collect())
}

fn of(event: &Event, focused: bool) -> Option<Pressed> {
    match event {
        // As typed: on some keyboards digits need Shift.
        Event::Text(text) => {
            let mut letters = text.chars();
            let digit = letters.next().and_then(|c| c.to_digit(10))?;
            letters.next().is_none().then_some(Pressed::Digit(digit))
        }
        Event::Key {
            key,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
            ..
        } => match key {
            Key::Backspace => Some(Pressed::Backspace),
            Key::ArrowLeft if !focused => Some(Pressed::Left),
            Key::ArrowRight if !focused => Some(Pressed::Right),
            Key::Space if !focused => Some(Pressed::Space),
            Key::O => Some(Pressed::Outline),
            Key::R => Some(Pressed::Reveal),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_taken_as_typed_and_arrows_only_where_nothing_else_wants_them() {
        assert_eq!(of(&Event::Text("4".into()), true), Some(Pressed::Digit(4)));
        assert_eq!(of(&Event::Text("44".into()), true), None);
        assert_eq!(of(&Event::Text("x".into()), false), None);
        let key = |key, repeat| Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat,
            modifiers: Modifiers::NONE,
        };
        let left = key(Key::ArrowLeft, false);
        assert_eq!(of(&left, false), Some(Pressed::Left));
        assert_eq!(of(&left, true), None);
        assert_eq!(of(&key(Key::ArrowLeft, true), false), None);
    }
}
