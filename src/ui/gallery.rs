//! A ward's export as a grid of thumbnails: kind, frames, size. No names: neither the files' nor
//! what is burned in outside the square.

use super::theme::{GAP, tokens};
use crate::clip::Frame;
use crate::media::region::Anatomy;
use crate::media::{self, Found};
use egui::{Color32, ColorImage, RichText, Sense, TextureHandle, TextureOptions, Ui, vec2};
use std::path::PathBuf;

/// A recording of the collection; its first frame's square is the thumbnail.
pub struct Thumbnail {
    pub picture: Frame,
    /// Kind, frames, size.
    pub about: String,
}

/// One file that was looked at.
pub struct Card {
    pub path: PathBuf,
    /// Nothing for a file that is no picture.
    pub thumbnail: Option<Thumbnail>,
}

/// Looks at a file of a collection. Not for the window's thread.
pub fn look(path: PathBuf) -> Card {
    let thumbnail = match media::look(&path) {
        Ok(Found::Recording(opened)) => {
            let recording = &opened.recording;
            let n = recording.frames();
            let frames = if n == 1 {
                "still".to_owned()
            } else {
                format!("{n} frames")
            };
            let about = format!(
                "{}, {frames}, {} x {}",
                opened.kind.text(),
                recording.width(),
                recording.height()
            );
            let crop = opened.first_square().into();
            let picture = recording.frame(0).ok();
            let anatomy = picture.and_then(|p| Anatomy::from_frame(&p, &crop).ok());
            anatomy.map(|anatomy| Thumbnail {
                picture: anatomy.to_frame(),
                about,
            })
        }
        _ => None,
    };
    Card { path, thumbnail }
}

/// The grid, filled while it is read.
pub struct Gallery {
    total: usize,
    looked_at: usize,
    shown: Vec<Shown>,
}

struct Shown {
    path: PathBuf,
    picture: Frame,
    about: String,
    /// Made when it first comes into view.
    texture: Option<TextureHandle>,
}

/// What the user wants.
pub enum Answer {
    Open(PathBuf),
    Close,
    /// No more files are to be looked at.
    Stop,
}

const SIDE: f32 = 148.0;
const CAPTION: f32 = 34.0;

impl Gallery {
    pub fn new(total: usize) -> Self {
        Self {
            total,
            looked_at: 0,
            shown: Vec::new(),
        }
    }

    pub fn add(&mut self, card: Card) {
        self.looked_at += 1;
        if let Some(thumbnail) = card.thumbnail {
            self.shown.push(Shown {
                path: card.path,
                picture: thumbnail.picture,
                about: thumbnail.about,
                texture: None,
            });
        }
    }

    pub fn show(&mut self, ui: &mut Ui, is_surveying: bool) -> Option<Answer> {
        let muted = tokens(ui).muted;
        let mut answer = None;
        ui.horizontal(|ui| {
            ui.label(RichText::new("Choose a recording").strong().size(15.0));
            if ui.button("Close").clicked() {
                answer = Some(Answer::Close);
            }
            if is_surveying {
                let share = self.looked_at as f32 / self.total.max(1) as f32;
                let text = format!("{} of {} files", self.looked_at, self.total);
                ui.add(
                    egui::ProgressBar::new(share)
                        .text(text)
                        .desired_width(220.0),
                );
                if ui.button("Stop").clicked() {
                    answer = Some(Answer::Stop);
                }
            } else {
                let none = self.looked_at - self.shown.len();
                let mut text = format!("{} recordings", self.shown.len());
                if none > 0 {
                    let files = if none == 1 { "file" } else { "files" };
                    text += &format!(", {none} {files} without a picture");
                }
                if self.looked_at < self.total {
                    text += &format!(", {} not looked at", self.total - self.looked_at);
                }
                ui.label(RichText::new(text).color(muted));
            }
        });
        ui.add_space(GAP);
        if self.shown.is_empty() && !is_surveying {
            ui.label("There is no recording here. Open another folder or a single file.");
            return answer;
        }
        let columns = ((ui.available_width() + GAP) / (SIDE + GAP))
            .floor()
            .max(1.0) as usize;
        let rows = self.shown.len().div_ceil(columns);
        egui::ScrollArea::vertical().auto_shrink(false).show_rows(
            ui,
            SIDE + CAPTION,
            rows,
            |ui, visible| {
                for row in visible {
                    ui.horizontal(|ui| {
                        ui.spacing_mut().item_spacing.x = GAP;
                        for i in row * columns..((row + 1) * columns).min(self.shown.len()) {
                            if card(ui, i, &mut self.shown[i]) {
                                answer = Some(Answer::Open(self.shown[i].path.clone()));
                            }
                        }
                    });
                }
            },
        );
        answer
    }
}

/// Whether the card was clicked.
fn card(ui: &mut Ui, i: usize, shown: &mut Shown) -> bool {
    let size = vec2(SIDE, SIDE + CAPTION);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let name = format!("Recording {}: {}", i + 1, shown.about);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    let tokens = tokens(ui);
    let texture = shown.texture.get_or_insert_with(|| {
        let size = [shown.picture.width, shown.picture.height];
        let image = match &shown.picture.pixels {
            crate::clip::Pixels::Gray(p) => ColorImage::from_gray(size, p),
            crate::clip::Pixels::Rgb(p) => ColorImage::from_rgb(size, p),
        };
        ui.ctx()
            .load_texture(format!("card {i}"), image, TextureOptions::LINEAR)
    });
    let picture = egui::Rect::from_min_size(rect.min, egui::Vec2::splat(SIDE));
    let whole = egui::Rect::from_min_max(egui::Pos2::ZERO, egui::pos2(1.0, 1.0));
    ui.painter().rect_filled(picture, 4.0, tokens.picture);
    ui.painter()
        .image(texture.id(), picture, whole, Color32::WHITE);
    if response.hovered() || response.has_focus() {
        let stroke = egui::Stroke::new(2.0, tokens.accent);
        ui.painter()
            .rect_stroke(picture, 4.0, stroke, egui::StrokeKind::Inside);
    }
    let galley = ui.painter().layout(
        shown.about.clone(),
        egui::FontId::proportional(11.5),
        ui.visuals().text_color(),
        SIDE,
    );
    ui.painter().galley(
        picture.left_bottom() + vec2(0.0, 4.0),
        galley,
        ui.visuals().text_color(),
    );
    response.clicked()
}
