use crate::clip::{Frame, Pixels, Video};
use crate::ui::theme::tokens;
use egui::{ColorImage, Rect, Sense, TextureHandle, TextureOptions, Ui, Vec2};

/// One picture of something that moves.
#[derive(Clone, Copy)]
pub enum Picture<'a> {
    Frame(&'a Frame),
    /// A generated clip and the number of the frame.
    Video(&'a Video, usize),
}

impl Picture<'_> {
    fn to_image(self) -> ColorImage {
        let video_frame;
        let frame = match self {
            Picture::Frame(frame) => frame,
            Picture::Video(video, f) => {
                video_frame = video.gray_frame(f.min(video.frames.saturating_sub(1)));
                &video_frame
            }
        };
        let size = [frame.width, frame.height];
        match &frame.pixels {
            Pixels::Gray(p) => ColorImage::from_gray(size, p),
            Pixels::Rgb(p) => ColorImage::from_rgb(size, p),
        }
    }
}

/// A place where a moving picture is shown. Uploads a picture only when it changes.
#[derive(Default)]
pub struct Cine {
    texture: Option<TextureHandle>,
    /// What the texture holds: the clip's number and the frame's.
    shown: Option<(u64, usize)>,
}

impl Cine {
    /// The texture of `picture`, which is frame `frame` of the clip known as `clip`.
    pub fn texture(
        &mut self,
        ui: &Ui,
        name: &str,
        clip: u64,
        frame: usize,
        picture: Picture<'_>,
    ) -> TextureHandle {
        let options = TextureOptions::LINEAR;
        let stale = self.shown != Some((clip, frame));
        self.shown = Some((clip, frame));
        match &mut self.texture {
            Some(texture) => {
                if stale {
                    texture.set(picture.to_image(), options);
                }
                texture.clone()
            }
            None => {
                let texture = ui.ctx().load_texture(name, picture.to_image(), options);
                self.texture = Some(texture.clone());
                texture
            }
        }
    }

    /// Draws `texture` as large as fits into a square of `side`, on black. Returns the picture's
    /// rectangle.
    pub fn show(ui: &mut Ui, texture: Option<&TextureHandle>, side: f32, name: &str) -> Rect {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, name));
        ui.painter().rect_filled(rect, 4.0, tokens(ui).picture);
        let Some(texture) = texture else {
            return rect;
        };
        let size = texture.size_vec2();
        let scale = side / size.max_elem().max(1.0);
        let picture = Rect::from_center_size(rect.center(), size * scale);
        let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
        ui.painter()
            .image(texture.id(), picture, whole, egui::Color32::WHITE);
        picture
    }
}
