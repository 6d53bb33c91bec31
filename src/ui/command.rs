//! Every action of the window, with its words and its key. Buttons, keys and the shortcuts sheet
//! share this list.

use super::mode::Mode;
use egui::{Key, KeyboardShortcut, Modifiers};
use strum::IntoEnumIterator;

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum Command {
    GoToExplore,
    GoToTraining,
    GoToStudy,
    OpenFile,
    OpenFolder,
    NextSimulatedHeart,
    NextClip,
    PreviousClip,
    BackToFolder,
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
    EditSource,
    EditInPane,
    SourceBeside,
    Mirror,
    UpsideDown,
    SideBySide,
    Wipe,
    Flicker,
    Difference,
    MMode,
    Invert,
    ResetView,
    SourcePanel,
    SettingsPanel,
    FullScreen,
    Bounce,
    Outline,
    Overlays,
    Pin,
    BeforeAfter,
    CaliperLength,
    CaliperArea,
    CaliperEf,
    RemoveCaliper,
    EndDiastole,
    EndSystole,
    Ladder,
    Run,
    Proceed,
    Export,
    Undo,
    Redo,
    Cancel,
    ToggleTheme,
    Palette,
    Shortcuts,
    Manual,
    About,
}

impl Command {
    pub fn text(self) -> &'static str {
        match self {
            Self::GoToExplore => "Explore",
            Self::GoToTraining => "Training",
            Self::GoToStudy => "Study",
            Self::OpenFile => "Open...",
            Self::OpenFolder => "Folder...",
            Self::NextSimulatedHeart => "Simulated heart",
            Self::NextClip => "Next recording of the folder",
            Self::PreviousClip => "Previous recording of the folder",
            Self::BackToFolder => "Back to the folder",
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
            Self::EditSource => "Square and masks, large",
            Self::EditInPane => "Square and masks, in the source's pane",
            Self::SourceBeside => "Source beside the cines",
            Self::Mirror => "Mirror",
            Self::UpsideDown => "Upside down",
            Self::SideBySide => "Side by side",
            Self::Wipe => "Wipe",
            Self::Flicker => "Flicker",
            Self::Difference => "Difference",
            Self::MMode => "M-mode",
            Self::Invert => "Invert",
            Self::ResetView => "Reset view",
            Self::SourcePanel => "Source panel",
            Self::SettingsPanel => "Settings panel",
            Self::FullScreen => "Full screen",
            Self::Bounce => "Loop or bounce",
            Self::Outline => "Outline",
            Self::Overlays => "Overlays on or off",
            Self::Pin => "Pin",
            Self::BeforeAfter => "Before and after (hold)",
            Self::CaliperLength => "Measure a length",
            Self::CaliperArea => "Measure an area",
            Self::CaliperEf => "Draw an EF by hand",
            Self::RemoveCaliper => "Remove the last caliper",
            Self::EndDiastole => "Go to end-diastole",
            Self::EndSystole => "Go to end-systole",
            Self::Ladder => "EF ladder",
            Self::Run => "Run",
            Self::Proceed => "Press the main button",
            Self::Export => "Export...",
            Self::Undo => "Undo",
            Self::Redo => "Redo",
            Self::Cancel => "Cancel",
            Self::ToggleTheme => "Light or dark",
            Self::Palette => "Commands",
            Self::Shortcuts => "Shortcuts",
            Self::Manual => "Manual",
            Self::About => "About",
        }
    }

    /// What a pointer that rests on its button is told: one sentence, and the key.
    pub fn hint(self, ctx: &egui::Context) -> String {
        format!(
            "{} ({})",
            self.about(),
            ctx.format_shortcut(&self.shortcut())
        )
    }

    pub fn shortcut(self) -> KeyboardShortcut {
        let (modifiers, key) = match self {
            Self::GoToExplore => (Modifiers::COMMAND, Key::Num1),
            Self::GoToTraining => (Modifiers::COMMAND, Key::Num2),
            Self::GoToStudy => (Modifiers::COMMAND, Key::Num3),
            Self::OpenFile => (Modifiers::COMMAND, Key::O),
            Self::OpenFolder => (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::O),
            Self::NextSimulatedHeart => (Modifiers::COMMAND, Key::H),
            Self::NextClip => (Modifiers::NONE, Key::PageDown),
            Self::PreviousClip => (Modifiers::NONE, Key::PageUp),
            Self::BackToFolder => (Modifiers::NONE, Key::Backspace),
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
            Self::EditSource => (Modifiers::NONE, Key::C),
            Self::EditInPane => (Modifiers::SHIFT, Key::C),
            Self::SourceBeside => (Modifiers::SHIFT, Key::S),
            Self::Mirror => (Modifiers::NONE, Key::F),
            Self::UpsideDown => (Modifiers::NONE, Key::V),
            Self::SideBySide => (Modifiers::NONE, Key::Num1),
            Self::Wipe => (Modifiers::NONE, Key::Num2),
            Self::Flicker => (Modifiers::NONE, Key::Num3),
            Self::Difference => (Modifiers::NONE, Key::Num4),
            Self::MMode => (Modifiers::NONE, Key::Num5),
            Self::Invert => (Modifiers::NONE, Key::I),
            Self::ResetView => (Modifiers::NONE, Key::Home),
            Self::SourcePanel => (Modifiers::NONE, Key::F3),
            Self::SettingsPanel => (Modifiers::NONE, Key::F4),
            Self::FullScreen => (Modifiers::NONE, Key::F11),
            Self::Bounce => (Modifiers::NONE, Key::B),
            Self::Outline => (Modifiers::NONE, Key::O),
            Self::Overlays => (Modifiers::NONE, Key::H),
            Self::Pin => (Modifiers::NONE, Key::P),
            Self::BeforeAfter => (Modifiers::NONE, Key::X),
            Self::CaliperLength => (Modifiers::NONE, Key::M),
            Self::CaliperArea => (Modifiers::NONE, Key::A),
            Self::CaliperEf => (Modifiers::NONE, Key::E),
            Self::RemoveCaliper => (Modifiers::NONE, Key::Delete),
            Self::EndDiastole => (Modifiers::NONE, Key::D),
            Self::EndSystole => (Modifiers::NONE, Key::S),
            Self::Ladder => (Modifiers::NONE, Key::L),
            Self::Run | Self::Proceed => (Modifiers::NONE, Key::Enter),
            Self::Export => (Modifiers::COMMAND, Key::S),
            Self::Undo => (Modifiers::COMMAND, Key::Z),
            Self::Redo => (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z),
            Self::Cancel => (Modifiers::NONE, Key::Escape),
            Self::ToggleTheme => (Modifiers::COMMAND, Key::T),
            Self::Palette => (Modifiers::COMMAND, Key::K),
            Self::Manual => (Modifiers::NONE, Key::F1),
            Self::Shortcuts => (Modifiers::NONE, Key::Questionmark),
            Self::About => (Modifiers::NONE, Key::F2),
        };
        KeyboardShortcut::new(modifiers, key)
    }

    /// The modes that it belongs to. The keys of one mode are free in another.
    fn modes(self) -> &'static [Mode] {
        match self {
            Self::GoToExplore
            | Self::GoToTraining
            | Self::GoToStudy
            | Self::OpenFile
            | Self::OpenFolder
            | Self::NextSimulatedHeart
            | Self::OpenCascade
            | Self::OpenRegressor
            | Self::Cancel
            | Self::ToggleTheme
            | Self::Palette
            | Self::Shortcuts
            | Self::Manual
            | Self::About => &[Mode::Explore, Mode::Training, Mode::Study],
            Self::FullScreen => &[Mode::Explore, Mode::Training],
            Self::Proceed => &[Mode::Training, Mode::Study],
            _ => &[Mode::Explore],
        }
    }

    /// Whether it can be given in a mode.
    pub fn is_of(self, mode: Mode) -> bool {
        self.modes().contains(&mode)
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

    /// The commands of a mode whose keys were pressed, unless a text field has the keyboard.
    pub fn pressed(ctx: &egui::Context, mode: Mode) -> Vec<Self> {
        if ctx.text_edit_focused() {
            return Vec::new();
        }
        let focused = ctx.memory(|memory| memory.focused().is_some());
        ctx.input_mut(|input| {
            // With Shift first: a plain shortcut would also accept the shifted key.
            let mut order: Vec<Self> = Self::iter().collect();
            order.sort_by_key(|c| !c.shortcut().modifiers.shift);
            // One that is held was pressed for what was on screen before.
            let held = input.events.iter().any(|e| {
                matches!(
                    e,
                    egui::Event::Key {
                        key: Key::Enter,
                        pressed: true,
                        repeat: true,
                        ..
                    }
                )
            });
            order.retain(|c| !(held && c.shortcut().logical_key == Key::Enter));
            let mut pressed: Vec<Self> = order
                .into_iter()
                .filter(|c| c.is_of(mode) && !(focused && c.is_a_widgets()))
                .filter(|c| input.consume_shortcut(&c.shortcut()))
                .collect();
            // Wherever the question mark lies, with Shift or without.
            let asks = input.key_pressed(Key::Questionmark);
            if asks && !pressed.contains(&Self::Shortcuts) {
                pressed.push(Self::Shortcuts);
            }
            pressed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_mode_are_free_in_another() {
        assert!(Command::RerollSeed.is_of(Mode::Explore));
        assert!(!Command::RerollSeed.is_of(Mode::Study) && !Command::Mirror.is_of(Mode::Study));
        assert!(Command::OpenFile.is_of(Mode::Study) && Command::Cancel.is_of(Mode::Training));
        for mode in [Mode::Explore, Mode::Training, Mode::Study] {
            let keys: Vec<KeyboardShortcut> = Command::iter()
                .filter(|c| c.is_of(mode))
                .map(Command::shortcut)
                .collect();
            for (i, key) in keys.iter().enumerate() {
                assert!(!keys[i + 1..].contains(key), "{mode:?}: {key:?} twice");
            }
        }
    }

    #[test]
    fn a_study_does_not_hear_the_keys_of_explore() {
        let press = |key| egui::Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        };
        let heard = |mode| {
            let ctx = egui::Context::default();
            let input = egui::RawInput {
                events: vec![press(Key::R), press(Key::Questionmark)],
                ..Default::default()
            };
            let mut heard = Vec::new();
            let mut drawn = ctx.run_ui(input, |ui| heard.extend(Command::pressed(ui.ctx(), mode)));
            // Nobody draws it.
            drawn.textures_delta.clear();
            heard
        };
        let both = [Command::RerollSeed, Command::Shortcuts];
        assert_eq!(heard(Mode::Explore), both);
        assert_eq!(heard(Mode::Study), both[1..]);
    }
}
