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
    SideBySide,
    Wipe,
    Flicker,
    Difference,
    MMode,
    Invert,
    ResetView,
    Bounce,
    Outline,
    EndDiastole,
    EndSystole,
    Ladder,
    Run,
    Export,
    Undo,
    Redo,
    Cancel,
    ToggleTheme,
    Palette,
    Shortcuts,
    About,
}

impl Command {
    pub const ALL: [Self; 38] = [
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
        Self::SideBySide,
        Self::Wipe,
        Self::Flicker,
        Self::Difference,
        Self::MMode,
        Self::Invert,
        Self::ResetView,
        Self::Bounce,
        Self::Outline,
        Self::EndDiastole,
        Self::EndSystole,
        Self::Ladder,
        Self::Run,
        Self::Export,
        Self::Undo,
        Self::Redo,
        Self::Cancel,
        Self::ToggleTheme,
        Self::Palette,
        Self::Shortcuts,
        Self::About,
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
            Self::SideBySide => "Side by side",
            Self::Wipe => "Wipe",
            Self::Flicker => "Flicker",
            Self::Difference => "Difference",
            Self::MMode => "M-mode",
            Self::Invert => "Invert",
            Self::ResetView => "Reset view",
            Self::Bounce => "Loop or bounce",
            Self::Outline => "Outline",
            Self::EndDiastole => "Go to end-diastole",
            Self::EndSystole => "Go to end-systole",
            Self::Ladder => "EF ladder",
            Self::Run => "Run",
            Self::Export => "Export...",
            Self::Undo => "Undo",
            Self::Redo => "Redo",
            Self::Cancel => "Cancel",
            Self::ToggleTheme => "Light or dark",
            Self::Palette => "Commands",
            Self::Shortcuts => "Shortcuts",
            Self::About => "About",
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
            Self::SideBySide => (Modifiers::NONE, Key::Num1),
            Self::Wipe => (Modifiers::NONE, Key::Num2),
            Self::Flicker => (Modifiers::NONE, Key::Num3),
            Self::Difference => (Modifiers::NONE, Key::Num4),
            Self::MMode => (Modifiers::NONE, Key::Num5),
            Self::Invert => (Modifiers::NONE, Key::I),
            Self::ResetView => (Modifiers::NONE, Key::Home),
            Self::Bounce => (Modifiers::NONE, Key::B),
            Self::Outline => (Modifiers::NONE, Key::O),
            Self::EndDiastole => (Modifiers::NONE, Key::D),
            Self::EndSystole => (Modifiers::NONE, Key::S),
            Self::Ladder => (Modifiers::NONE, Key::L),
            Self::Run => (Modifiers::NONE, Key::Enter),
            Self::Export => (Modifiers::COMMAND, Key::S),
            Self::Undo => (Modifiers::COMMAND, Key::Z),
            Self::Redo => (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z),
            Self::Cancel => (Modifiers::NONE, Key::Escape),
            Self::ToggleTheme => (Modifiers::COMMAND, Key::T),
            Self::Palette => (Modifiers::COMMAND, Key::K),
            Self::Shortcuts => (Modifiers::NONE, Key::F1),
            Self::About => (Modifiers::NONE, Key::F2),
        };
        KeyboardShortcut::new(modifiers, key)
    }

    /// Whether its key is one that a focused button or slider answers to by itself.
    fn is_a_widgets(self) -> bool {
        let KeyboardShortcut {
            modifiers,
            logical_key,
        } = self.shortcut();
        let own = [Key::Space, Key::Enter, Key::ArrowLeft, Key::ArrowRight];
        modifiers == Modifiers::NONE && own.contains(&logical_key)
    }

    /// The commands whose keys were pressed, unless a text field has the keyboard.
    pub fn pressed(ctx: &egui::Context) -> Vec<Self> {
        if ctx.text_edit_focused() {
            return Vec::new();
        }
        let focused = ctx.memory(|memory| memory.focused().is_some());
        ctx.input_mut(|input| {
            // With Shift first: a plain shortcut would also accept the shifted key.
            let mut order = Self::ALL;
            order.sort_by_key(|c| !c.shortcut().modifiers.shift);
            let mut pressed: Vec<Self> = order
                .into_iter()
                .filter(|c| !(focused && c.is_a_widgets()))
                .filter(|c| input.consume_shortcut(&c.shortcut()))
                .collect();
            if input.key_pressed(Key::Questionmark) {
                pressed.push(Self::Shortcuts);
            }
            pressed
        })
    }
}
