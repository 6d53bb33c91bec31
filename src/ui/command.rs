//! Every action of the window, with its words and its key. Buttons, keys and the shortcuts sheet
//! share this list.

use egui::{Key, KeyboardShortcut, Modifiers};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    OpenFile,
    OpenFolder,
    NextSimulatedHeart,
    OpenCascade,
    OpenRegressor,
    PlayPause,
    StepBack,
    StepForward,
    Slower,
    Faster,
    EfDown,
    EfUp,
    EfDownFive,
    EfUpFive,
    RerollSeed,
    Mirror,
    UpsideDown,
    Cancel,
    ToggleTheme,
    Shortcuts,
}

impl Command {
    pub const ALL: [Self; 20] = [
        Self::OpenFile,
        Self::OpenFolder,
        Self::NextSimulatedHeart,
        Self::OpenCascade,
        Self::OpenRegressor,
        Self::PlayPause,
        Self::StepBack,
        Self::StepForward,
        Self::Slower,
        Self::Faster,
        Self::EfDown,
        Self::EfUp,
        Self::EfDownFive,
        Self::EfUpFive,
        Self::RerollSeed,
        Self::Mirror,
        Self::UpsideDown,
        Self::Cancel,
        Self::ToggleTheme,
        Self::Shortcuts,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Self::OpenFile => "Open...",
            Self::OpenFolder => "Folder...",
            Self::NextSimulatedHeart => "Simulated heart",
            Self::OpenCascade => "Open cascade...",
            Self::OpenRegressor => "Open regressor...",
            Self::PlayPause => "Play or pause",
            Self::StepBack => "Step back",
            Self::StepForward => "Step forward",
            Self::Slower => "Slower",
            Self::Faster => "Faster",
            Self::EfDown => "EF down by 1",
            Self::EfUp => "EF up by 1",
            Self::EfDownFive => "EF down by 5",
            Self::EfUpFive => "EF up by 5",
            Self::RerollSeed => "New seed",
            Self::Mirror => "Mirror",
            Self::UpsideDown => "Upside down",
            Self::Cancel => "Cancel",
            Self::ToggleTheme => "Light or dark",
            Self::Shortcuts => "Shortcuts",
        }
    }

    pub fn shortcut(self) -> KeyboardShortcut {
        let (modifiers, key) = match self {
            Self::OpenFile => (Modifiers::COMMAND, Key::O),
            Self::OpenFolder => (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::O),
            Self::NextSimulatedHeart => (Modifiers::COMMAND, Key::H),
            Self::OpenCascade => (Modifiers::COMMAND, Key::L),
            Self::OpenRegressor => (Modifiers::COMMAND, Key::E),
            Self::PlayPause => (Modifiers::NONE, Key::Space),
            Self::StepBack => (Modifiers::NONE, Key::Comma),
            Self::StepForward => (Modifiers::NONE, Key::Period),
            Self::Slower => (Modifiers::NONE, Key::OpenBracket),
            Self::Faster => (Modifiers::NONE, Key::CloseBracket),
            Self::EfDown => (Modifiers::NONE, Key::ArrowLeft),
            Self::EfUp => (Modifiers::NONE, Key::ArrowRight),
            Self::EfDownFive => (Modifiers::SHIFT, Key::ArrowLeft),
            Self::EfUpFive => (Modifiers::SHIFT, Key::ArrowRight),
            Self::RerollSeed => (Modifiers::NONE, Key::R),
            Self::Mirror => (Modifiers::NONE, Key::F),
            Self::UpsideDown => (Modifiers::NONE, Key::V),
            Self::Cancel => (Modifiers::NONE, Key::Escape),
            Self::ToggleTheme => (Modifiers::COMMAND, Key::T),
            Self::Shortcuts => (Modifiers::NONE, Key::F1),
        };
        KeyboardShortcut::new(modifiers, key)
    }

    /// The commands whose keys were pressed, unless a text field has the keyboard.
    pub fn pressed(ctx: &egui::Context) -> Vec<Self> {
        if ctx.egui_wants_keyboard_input() {
            return Vec::new();
        }
        ctx.input_mut(|input| {
            // With Shift first: a plain shortcut would also accept the shifted key.
            let mut order = Self::ALL;
            order.sort_by_key(|c| !c.shortcut().modifiers.shift);
            let mut pressed: Vec<Self> = order
                .into_iter()
                .filter(|c| input.consume_shortcut(&c.shortcut()))
                .collect();
            if input.key_pressed(Key::Questionmark) {
                pressed.push(Self::Shortcuts);
            }
            pressed
        })
    }
}
