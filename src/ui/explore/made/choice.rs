//! What an export is asked for, and the dialog's lines about it.

use crate::media::export::{Format, SCALES};
use crate::media::region::SIDE;
use crate::ui::hints::Hint as _;
use egui::{ComboBox, Ui};
use std::path::PathBuf;

/// What is exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum What {
    #[default]
    Counterfactual,
    Factual,
    /// The panes side by side, one cine.
    Panes,
    /// The same at the moment that is shown, one picture.
    Moment,
    /// The M-mode strips, one picture.
    MMode,
    /// The ladder, one picture.
    Ladder,
}

impl What {
    /// One sentence on it.
    pub fn about(self) -> &'static str {
        match self {
            Self::Counterfactual => "The cine at the EF that is asked for.",
            Self::Factual => "The cine at the source's own EF.",
            Self::Panes => "What the panes show, as one cine.",
            Self::Moment => "What the panes show now, as one picture.",
            Self::MMode => "One line of each cine over the beat, as one picture.",
            Self::Ladder => "All rungs of the EF ladder, as one picture.",
        }
    }
}

/// The dialog's fields.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub what: What,
    pub format: Format,
    pub with_anatomy: bool,
    /// At the source's own resolution, where that is finer.
    pub fine: bool,
    /// Of panes: a picture's side in 112ths, whether the recorded source is among them, and the volumes.
    pub scale: usize,
    pub with_source: bool,
    pub with_volumes: bool,
    /// And the ladder's rungs beside them, the strips of the M-mode under them.
    pub with_ladder: bool,
    pub with_strips: bool,
    /// And the wipe or the difference that is on screen.
    pub with_comparison: bool,
    /// Of a moment: which of the loop's frames.
    pub at: usize,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            what: What::default(),
            format: Format::Gif,
            with_anatomy: true,
            fine: true,
            scale: 3,
            with_source: false,
            with_volumes: true,
            with_ladder: false,
            with_strips: false,
            with_comparison: false,
            at: 0,
        }
    }
}

impl Choice {
    /// The wipe or the difference, where one is on screen; with the source only where that is in the file, too.
    pub(super) fn comparison_line(
        &mut self,
        ui: &mut Ui,
        comparison: Option<(&'static str, bool)>,
        needs_source: bool,
    ) {
        let Some((text, is_there)) = comparison else {
            self.with_comparison = false;
            return;
        };
        let able = is_there && (self.with_source || !needs_source);
        self.with_comparison &= able;
        let line = egui::Checkbox::new(&mut self.with_comparison, text);
        ui.add_enabled(able, line).hint(match is_there {
            _ if able => "As it is on screen.",
            true => "It shows the source: tick that first.",
            false => "Both pictures of it are needed.",
        });
    }

    /// What panes can be written with: the source only once it is decided what in it is text.
    pub(super) fn panes_lines(&mut self, ui: &mut Ui, is_simulated: bool, is_undecided: bool) {
        ui.horizontal(|ui| {
            let label = ui.label("Size");
            ComboBox::from_id_salt("panes' size")
                .width(160.0)
                .selected_text(size_text(self.scale))
                .show_ui(ui, |ui| {
                    for scale in SCALES {
                        ui.selectable_value(&mut self.scale, scale, size_text(scale));
                    }
                })
                .response
                .labelled_by(label.id)
                .hint("How many pixels each pane has.");
        });
        self.source_line(ui, is_simulated, is_undecided);
        ui.checkbox(&mut self.with_volumes, "The volume over the beat")
            .hint("The curves of the cines, with the time.");
    }

    /// Whether the source is in the file: only once it is decided what in it is text.
    pub(super) fn source_line(&mut self, ui: &mut Ui, is_simulated: bool, is_undecided: bool) {
        let text = match is_simulated {
            true => "The source, a simulated heart",
            false => "The source, marked as recorded",
        };
        self.with_source &= !is_undecided;
        let source = egui::Checkbox::new(&mut self.with_source, text);
        ui.add_enabled(!is_undecided, source)
            .hint(match is_undecided {
                true => "First say of what looks like text whether it is masked.",
                false => "Its square alone, 112 x 112 and masked, as the networks see it.",
            });
    }
}

fn size_text(scale: usize) -> String {
    let side = SIDE * scale;
    format!("{scale}x, {side} x {side} each")
}

/// A name to begin with, which says nothing of the source.
pub fn usual_name(what: What, extension: &str) -> PathBuf {
    let stem = match what {
        What::Counterfactual => "counterfactual",
        What::Factual => "factual",
        What::Panes => "side_by_side",
        What::Moment => "moment",
        What::MMode => "m_mode",
        What::Ladder => "ladder",
    };
    PathBuf::from(stem).with_extension(extension)
}
