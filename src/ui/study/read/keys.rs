//! What keys do in a session.

use crate::study::session::{Control, Press};
use egui::{Event, Key, Modifiers};

/// What a key does, whatever is on screen. By its word, and for digits by its place: on some keyboards they are
/// typed with Shift.
fn control(key: Key, place: Option<Key>) -> Option<Control> {
    let control = match key {
        Key::R => Control::Real,
        Key::F => Control::Fake,
        Key::ArrowLeft => Control::Left,
        Key::ArrowRight => Control::Right,
        Key::Enter => Control::Next,
        Key::Escape => Control::Pause,
        other => Control::Sure(digit(other).or_else(|| digit(place?))?),
    };
    Some(control)
}

fn digit(key: Key) -> Option<u8> {
    let all = [
        Key::Num1,
        Key::Num2,
        Key::Num3,
        Key::Num4,
        Key::Num5,
        Key::Num6,
        Key::Num7,
        Key::Num8,
        Key::Num9,
    ];
    let place = all.iter().position(|k| *k == key)?;
    Some(place as u8 + 1)
}

/// Takes what keys did since the last pass, in order, so that no widget hears of it: those presses that `wanted`
/// are, and all releases. Together with Ctrl, Alt or the like a key is none of a session's.
pub fn taken(ctx: &egui::Context, wanted: impl Fn(Control) -> bool) -> Vec<(Control, Press)> {
    let plain = |m: &Modifiers| !(m.ctrl || m.alt || m.command || m.mac_cmd);
    let mut all = Vec::new();
    ctx.input_mut(|input| {
        input.events.retain(|event| {
            let Event::Key {
                key,
                physical_key,
                pressed,
                repeat,
                modifiers,
            } = event
            else {
                return true;
            };
            let Some(control) = control(*key, *physical_key) else {
                return true;
            };
            if !pressed {
                all.push((control, Press::Up));
                return true;
            }
            if !plain(modifiers) || !wanted(control) {
                return true;
            }
            let press = if *repeat { Press::Repeat } else { Press::Down };
            all.push((control, press));
            false
        });
    });
    all
}

/// Whether Enter was pressed anew: one that is held from the screen before counts no more.
pub fn entered(ctx: &egui::Context) -> bool {
    let is = |event: &Event| {
        matches!(
            event,
            Event::Key {
                key: Key::Enter,
                pressed: true,
                repeat: false,
                ..
            }
        )
    };
    ctx.input(|i| i.events.iter().any(is))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_word_and_digits_by_place() {
        assert_eq!(control(Key::R, Some(Key::R)), Some(Control::Real));
        // The upper row of a French keyboard.
        assert_eq!(control(Key::Quote, Some(Key::Num3)), Some(Control::Sure(3)));
        assert_eq!(control(Key::Num9, None), Some(Control::Sure(9)));
        assert_eq!(control(Key::Num0, Some(Key::Num0)), None);
        assert_eq!(control(Key::Space, None), None);
    }
}
