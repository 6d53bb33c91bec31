use crate::clip::{Frame, Pixels, Video};
use crate::media::region::Crop;
use crate::ui::theme::tokens;
use egui::{ColorImage, Rect, Sense, TextureHandle, TextureOptions, Ui, Vec2, vec2};

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
        let rect = Self::ground(ui, side, name);
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

    /// Draws what a crop takes of `texture`, turned and masked, into a square of `side`.
    pub fn show_crop(ui: &mut Ui, texture: &TextureHandle, crop: &Crop, side: f32, name: &str) {
        let rect = Self::ground(ui, side, name);
        let size = texture.size_vec2();
        let s = crop.square;
        let min = vec2(s.x as f32, s.y as f32) / size;
        let max = vec2((s.x + s.side) as f32, (s.y + s.side) as f32) / size;
        let (mut uv_min, mut uv_max) = (min, max);
        if crop.mirrored {
            std::mem::swap(&mut uv_min.x, &mut uv_max.x);
        }
        if crop.upside_down {
            std::mem::swap(&mut uv_min.y, &mut uv_max.y);
        }
        let uv = Rect {
            min: uv_min.to_pos2(),
            max: uv_max.to_pos2(),
        };
        ui.painter()
            .image(texture.id(), rect, uv, egui::Color32::WHITE);
        let painter = ui.painter().with_clip_rect(rect);
        for mask in &crop.masks {
            let scale = side / s.side.max(1) as f32;
            let mut x = (mask.x as f32 - s.x as f32) * scale;
            let mut y = (mask.y as f32 - s.y as f32) * scale;
            let extent = vec2(mask.width as f32, mask.height as f32) * scale;
            if crop.mirrored {
                x = side - x - extent.x;
            }
            if crop.upside_down {
                y = side - y - extent.y;
            }
            let black = Rect::from_min_size(rect.min + vec2(x, y), extent);
            painter.rect_filled(black, 0.0, egui::Color32::BLACK);
        }
    }

    /// A black square with a name.
    fn ground(ui: &mut Ui, side: f32, name: &str) -> Rect {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, name));
        ui.painter().rect_filled(rect, 4.0, tokens(ui).picture);
        rect
    }
}
