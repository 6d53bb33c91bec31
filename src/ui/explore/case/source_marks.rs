//! Masks over burned-in text, and turns of the picture.

use super::Case;
use crate::media::region::Mask;
use crate::media::text_areas;
use crate::ui::command::Command;
use crate::ui::hints::Hint as _;
use crate::ui::theme::tokens;
use crossbeam_channel::{TryRecvError, bounded};
use egui::{RichText, Ui};

impl Case {
    /// Whether areas that look like text wait for the user's word: until then the anatomy is not kept.
    pub(in crate::ui::explore) fn text_is_proposed(&self) -> bool {
        let source = self.source.as_ref();
        self.seeking.is_some() || source.is_some_and(|s| !s.proposals.is_empty())
    }

    /// Proposals wait for the user's word; masks can be drawn and taken away. True when the
    /// anatomy is to be taken anew.
    pub(in crate::ui::explore) fn mask_lines(&mut self, ui: &mut Ui) -> bool {
        let tokens = tokens(ui);
        let Some(source) = &mut self.source else {
            return false;
        };
        let mut changed = false;
        let proposed = source.proposals.len();
        if proposed > 0 {
            let text = if proposed == 1 {
                "One area looks like burned-in text.".to_owned()
            } else {
                format!("{proposed} areas look like burned-in text.")
            };
            ui.label(RichText::new(text).color(tokens.warning_text));
            ui.horizontal(|ui| {
                if ui
                    .button("Mask")
                    .hint("Blackens them in all that is made and exported.")
                    .clicked()
                {
                    source.crop.masks.append(&mut source.proposals);
                    changed = true;
                }
                if ui
                    .button("Leave as it is")
                    .hint("They are no text, or name nobody.")
                    .clicked()
                {
                    source.proposals.clear();
                }
            });
        }
        let masks = source.crop.masks.len();
        if masks > 0 {
            ui.horizontal(|ui| {
                let text = format!("{masks} masked");
                ui.label(RichText::new(text).color(tokens.muted));
                if ui
                    .small_button("Unmask last")
                    .hint("Takes the last mask away.")
                    .clicked()
                {
                    source.crop.masks.pop();
                    changed = true;
                }
            });
        }
        changed
    }

    /// Looks for burned-in text in another square, on another thread.
    pub(in crate::ui::explore) fn seek_text(&mut self) {
        let Some(source) = &mut self.source else {
            return;
        };
        let square = source.crop.square;
        if source.searched.is_none_or(|searched| searched == square) {
            return;
        }
        source.searched = Some(square);
        source.proposals.clear();
        let (sender, receiver) = bounded(1);
        let (recording, wake) = (source.recording.clone(), self.wake.clone());
        let spawned = std::thread::Builder::new()
            .name("seeking text".into())
            .spawn(move || {
                // Fails only when nobody waits any more.
                let _ = sender.send(text_areas::propose(&recording, square));
                wake();
            });
        self.seeking = spawned.ok().map(|_| (source.id, receiver));
    }

    /// Takes what was found, less what is masked already.
    pub(in crate::ui::explore) fn hear_of_text(&mut self) {
        let Some((id, receiver)) = &self.seeking else {
            return;
        };
        let found = match receiver.try_recv() {
            Err(TryRecvError::Empty) => return,
            other => other.unwrap_or_default(),
        };
        if let Some(source) = self.source.as_mut().filter(|s| s.id == *id) {
            let masks = &source.crop.masks;
            let is_new = |m: &Mask| !masks.iter().any(|known| known.covers(m));
            source.proposals = found.into_iter().filter(is_new).collect();
        }
        self.seeking = None;
    }

    /// Left and right, or top and bottom, change places.
    pub(in crate::ui::explore) fn turn(&mut self, command: Command) {
        let Some(source) = &mut self.source else {
            return;
        };
        match command {
            Command::Mirror => source.crop.mirrored ^= true,
            _ => source.crop.upside_down ^= true,
        }
    }
}
