//! What each command is for, in one sentence, and which belong together.

use super::command::Command;

/// Commands that belong together, as the list of shortcuts has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum Group {
    Open,
    Ef,
    Play,
    Compare,
    Look,
    Measure,
    Save,
    Program,
}

impl Group {
    pub fn title(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Ef => "EF and runs",
            Self::Play => "Playback",
            Self::Compare => "Compare",
            Self::Look => "Look at the pictures",
            Self::Measure => "Measure",
            Self::Save => "Export and undo",
            Self::Program => "Program",
        }
    }

    /// What the mouse does, which no command is.
    pub fn mouse(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Open => &[("Drop a file or a folder", "Open it")],
            Self::Play => &[("Click in the volume curve", "Go to that time")],
            Self::Compare => &[
                ("Drag the edge of a wipe", "Move it"),
                ("Ctrl and wheel on a difference", "Change its gain"),
                (
                    "Drag on a pane in M-mode",
                    "Draw the line, or move an end of it",
                ),
            ],
            Self::Look => &[
                ("Wheel on a picture", "Zoom at that place"),
                ("Drag a picture", "Move it, once it is enlarged"),
                ("Right drag on a picture", "Window and level"),
                ("Double click on a picture", "That pane alone, and back"),
            ],
            Self::Measure => &[
                (
                    "Click, or drag, on a picture",
                    "Set points, or draw a border",
                ),
                ("Double click", "End an area or a border"),
            ],
            Self::Ef | Self::Save | Self::Program => &[],
        }
    }
}

impl Command {
    /// One sentence on what it does.
    pub fn about(self) -> &'static str {
        match self {
            Self::GoToExplore => "One heart at other ejection fractions",
            Self::GoToTraining => "Guess the EF, and see how well",
            Self::GoToStudy => "Reader studies: real or fake",
            Self::OpenFile => "Opens one frame or clip: DICOM, PNG, JPEG, GIF, AVI",
            Self::OpenFolder => "Opens a folder, or a disc with a DICOMDIR, as a grid",
            Self::NextSimulatedHeart => "Opens the next of the hearts that are in the program",
            Self::NextClip => "Opens the recording after this one",
            Self::PreviousClip => "Opens the recording before this one",
            Self::BackToFolder => "Shows the folder's recordings again",
            Self::OpenCascade => "Opens other weights: a published folder, or an imported one",
            Self::OpenRegressor => "Opens another network to measure EF with",
            Self::PlayPause => "Plays all cines, or holds them",
            Self::StepBack => "One frame back, and still",
            Self::StepForward => "One frame on, and still",
            Self::Slower => "Plays slower",
            Self::Faster => "Plays faster",
            Self::EfDown => "Asks for one point less",
            Self::EfUp => "Asks for one point more",
            Self::EfDownFive => "Asks for five points less",
            Self::EfUpFive => "Asks for five points more",
            Self::RerollSeed => "The same with other noise",
            Self::EditSource => {
                "The whole frame in the centre, with its square and masks, and back"
            }
            Self::EditInPane => {
                "The whole frame with its square and masks beside the cines, and back"
            }
            Self::SourceBeside => {
                "The source in a pane of its own, as large as the cines, and back"
            }
            Self::Mirror => "Left and right change places",
            Self::UpsideDown => "Top and bottom change places",
            Self::SideBySide => "All pictures beside each other",
            Self::Wipe => "Two in one picture, with an edge to drag",
            Self::Flicker => "Two in turn in one place",
            Self::Difference => "Where one is brighter than the other, and where darker",
            Self::MMode => "One line of each picture over time",
            Self::Invert => "Black and white change places",
            Self::ResetView => "The whole picture, in its own tones",
            Self::SourcePanel => "Shows the panel at the left, or gives its room to the pictures",
            Self::SettingsPanel => {
                "Shows the panel at the right, or gives its room to the pictures"
            }
            Self::FullScreen => "The window fills the screen, and back",
            Self::Bounce => "Plays round and round, or forth and back",
            Self::Outline => "The left ventricle's outline, as the cascade gives it",
            Self::Overlays => "Hides all that lies over the pictures, and shows it again",
            Self::Pin => "Keeps this counterfactual beside the next ones",
            Self::BeforeAfter => {
                "While it is held, the other is shown in the counterfactual's place"
            }
            Self::CaliperLength => "Measures from one point to another",
            Self::CaliperArea => "Measures what a line encloses",
            Self::CaliperEf => "An EF from two borders that you draw, by the method of disks",
            Self::RemoveCaliper => "Takes back the last point, else the last measurement",
            Self::EndDiastole => "Holds the cines where the ventricle is largest",
            Self::EndSystole => "Holds the cines where the ventricle is smallest",
            Self::Ladder => "The same heart at six to eight EFs",
            Self::Run => "Makes what is set once more",
            Self::Proceed => "What the main button of the screen does",
            Self::Export => "Writes what is shown to a file, marked as synthetic",
            Self::Undo => "Takes the last step back",
            Self::Redo => "Takes the step again",
            Self::Cancel => "Closes what is on top, else stops what is being made",
            Self::ToggleTheme => "A dark screen for a dark room, or a light one",
            Self::Palette => "Finds a command by its name; \"ef 35\" and \"factual 62\" set EFs",
            Self::Shortcuts => "All keys and what the mouse does",
            Self::Manual => "Ten pages on how to use the program",
            Self::About => "Version, licences, and what is kept on this machine",
        }
    }

    pub fn group(self) -> Group {
        match self {
            Self::OpenFile
            | Self::OpenFolder
            | Self::NextSimulatedHeart
            | Self::NextClip
            | Self::PreviousClip
            | Self::BackToFolder
            | Self::OpenCascade
            | Self::OpenRegressor
            | Self::EditSource
            | Self::EditInPane
            | Self::Mirror
            | Self::UpsideDown => Group::Open,
            Self::EfDown
            | Self::EfUp
            | Self::EfDownFive
            | Self::EfUpFive
            | Self::RerollSeed
            | Self::Ladder
            | Self::Run
            | Self::Proceed
            | Self::Cancel => Group::Ef,
            Self::PlayPause
            | Self::StepBack
            | Self::StepForward
            | Self::Slower
            | Self::Faster
            | Self::Bounce
            | Self::EndDiastole
            | Self::EndSystole => Group::Play,
            Self::SideBySide
            | Self::Wipe
            | Self::Flicker
            | Self::Difference
            | Self::MMode
            | Self::SourceBeside
            | Self::Pin
            | Self::BeforeAfter => Group::Compare,
            Self::Invert
            | Self::ResetView
            | Self::SourcePanel
            | Self::SettingsPanel
            | Self::FullScreen
            | Self::Outline
            | Self::Overlays => Group::Look,
            Self::CaliperLength | Self::CaliperArea | Self::CaliperEf | Self::RemoveCaliper => {
                Group::Measure
            }
            Self::Export | Self::Undo | Self::Redo => Group::Save,
            Self::GoToExplore
            | Self::GoToTraining
            | Self::GoToStudy
            | Self::ToggleTheme
            | Self::Palette
            | Self::Shortcuts
            | Self::Manual
            | Self::About => Group::Program,
        }
    }
}
