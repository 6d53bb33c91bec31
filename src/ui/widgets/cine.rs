use crate::clip::{Frame, Pixels, Video};
use crate::media::region::Crop;
use crate::ui::look::Look;
use crate::ui::theme::tokens;
use crate::ui::widgets::Texture;
use egui::{Color32, ColorImage, Rect, Response, Sense, Ui, Vec2};
use egui::{pos2, vec2};
use std::cell::Cell;
use std::collections::HashMap;

/// One picture of something that moves.
#[derive(Clone, Copy)]
pub enum Picture<'a> {
    Frame(&'a Frame),
    /// A generated clip and the number of the frame.
    Video(&'a Video, usize),
    /// Between two frames of a generated clip: how far from the first to the second, 0..1.
    Between(&'a Video, usize, usize, f32),
}

impl Picture<'_> {
    fn to_image(self, table: &[u8; 256]) -> ColorImage {
        let made;
        let frame = match self {
            Picture::Frame(frame) => frame,
            Picture::Video(video, f) => {
                made = video.gray_frame(f.min(video.frames.saturating_sub(1)));
                &made
            }
            Picture::Between(video, from, to, share) => {
                made = between(video, from, to, share);
                &made
            }
        };
        let size = [frame.width, frame.height];
        let through = |p: &Vec<u8>| {
            p.iter()
                .map(|&v| table[usize::from(v)])
                .collect::<Vec<u8>>()
        };
        match &frame.pixels {
            Pixels::Gray(p) => ColorImage::from_gray(size, &through(p)),
            Pixels::Rgb(p) => ColorImage::from_rgb(size, &through(p)),
        }
    }
}

fn between(video: &Video, from: usize, to: usize, share: f32) -> Frame {
    let last = video.frames.saturating_sub(1);
    let mut first = video.gray_frame(from.min(last));
    let second = video.gray_frame(to.min(last));
    if let (Pixels::Gray(a), Pixels::Gray(b)) = (&mut first.pixels, &second.pixels) {
        for (a, &b) in a.iter_mut().zip(b) {
            let mixed = f32::from(*a) * (1.0 - share) + f32::from(b) * share;
            *a = mixed.round() as u8;
        }
    }
    first
}

/// Tells pictures apart, so that each is uploaded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub clip: u64,
    pub frame: usize,
}

impl Key {
    /// Of a picture that is known by its SHA-256 in hexadecimal.
    pub fn of_hash(sha256: &str, frame: usize) -> Self {
        let clip = sha256
            .get(..16)
            .and_then(|h| u64::from_str_radix(h, 16).ok());
        Self {
            clip: clip.unwrap_or(0),
            frame,
        }
    }
}

/// A place where a moving picture is shown. The pictures of a loop are made and uploaded once, as far as there is room.
#[derive(Default)]
pub struct Cine {
    /// Of which clip the pictures are, and with which tone.
    of: Option<(u64, u64)>,
    /// By their number.
    kept: HashMap<usize, Texture>,
    /// What is kept takes so many bytes.
    bytes: usize,
    is_full: bool,
    /// Pictures since it was full that were not kept, none of the kept ones being asked for between them.
    missed: Cell<usize>,
    /// The last one of those for which there was no more room.
    last: Option<(usize, Texture)>,
}

/// Pictures that one place keeps, in bytes: a beat of 112 x 112, as smooth as it is shown. Of larger or longer ones the
/// first are kept, so that each time round some need not be made.
const ROOM: usize = 16 << 20;
/// Times what is kept, so many pictures are missed until others are kept.
const MISSES: usize = 2;

impl Cine {
    /// The texture, if it was made already.
    pub fn held(&self, key: Key, look: &Look) -> Option<Texture> {
        if self.of != Some((key.clip, look.tone_key())) {
            return None;
        }
        let last = self.last.as_ref().filter(|(frame, _)| *frame == key.frame);
        let held = self
            .kept
            .get(&key.frame)
            .or(last.map(|(_, texture)| texture));
        if held.is_some() {
            self.missed.set(0);
        }
        held.cloned()
    }

    /// The texture of `picture`, which `key` tells from others.
    pub fn texture(
        &mut self,
        ui: &Ui,
        name: &str,
        key: Key,
        look: &Look,
        picture: Picture<'_>,
    ) -> Texture {
        if let Some(texture) = self.held(key, look) {
            return texture;
        }
        let of = Some((key.clip, look.tone_key()));
        // What is kept may not be of the loop that plays now.
        if self.of != of || self.missed.get() > MISSES * self.kept.len() {
            // One of the textures is used again: while window and level are dragged, all are new each time.
            let last = self.last.take().map(|(_, texture)| texture);
            let one = last.or_else(|| self.kept.drain().next().map(|(_, texture)| texture));
            *self = Self {
                of,
                last: one.map(|texture| (key.frame, texture)),
                ..Self::default()
            };
        }
        let image = picture.to_image(&look.table());
        let texture = match self.last.take() {
            Some((_, mut texture)) => {
                texture.set(ui.ctx(), name, image);
                texture
            }
            None => Texture::new(ui.ctx(), name, image),
        };
        // The pictures of a clip are of one size: where one had no room, no other has.
        if self.is_full || self.bytes + texture.bytes() > ROOM {
            self.is_full = true;
            self.missed.update(|missed| missed + 1);
            self.last = Some((key.frame, texture.clone()));
        } else {
            self.bytes += texture.bytes();
            self.kept.insert(key.frame, texture.clone());
        }
        texture
    }

    /// Draws `texture` as large as fits into a square of `side`, on black. Returns the picture's
    /// rectangle.
    pub fn show(ui: &mut Ui, texture: Option<&Texture>, side: f32, name: &str) -> Rect {
        let rect = Self::ground(ui, Vec2::splat(side), name, Sense::hover()).rect;
        match texture {
            Some(texture) => Self::fit(ui, texture, rect, &Look::default()),
            None => rect,
        }
    }

    /// Draws the seen part of `texture` as large as fits into `rect`. Returns where.
    pub fn fit(ui: &Ui, texture: &Texture, rect: Rect, look: &Look) -> Rect {
        Self::fit_parts(ui, texture, rect, look, &[rect])
    }

    /// The same of these parts of `rect` alone.
    pub fn fit_parts(ui: &Ui, texture: &Texture, rect: Rect, look: &Look, parts: &[Rect]) -> Rect {
        let size = texture.size();
        let scale = (rect.size() / size.max(Vec2::splat(1.0))).min_elem();
        let picture = Rect::from_center_size(rect.center(), size * scale);
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        for part in parts {
            let painter = ui.painter_at(part.intersect(ui.clip_rect()));
            texture.paint(&painter, picture, look.part_of(whole));
        }
        picture
    }

    /// Draws what a crop takes of `texture`, turned and masked, into these parts of a square.
    pub fn fit_crop(
        ui: &Ui,
        texture: &Texture,
        crop: &Crop,
        rect: Rect,
        look: &Look,
        parts: &[Rect],
    ) {
        let size = texture.size();
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
        let uv = look.part_of(Rect {
            min: uv_min.to_pos2(),
            max: uv_max.to_pos2(),
        });
        for part in parts {
            let painter = ui.painter_at(part.intersect(ui.clip_rect()));
            texture.paint(&painter, rect, uv);
        }
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        let side = s.side.max(1) as f32;
        for mask in &crop.masks {
            let mut from = vec2(mask.x as f32 - s.x as f32, mask.y as f32 - s.y as f32) / side;
            let extent = vec2(mask.width as f32, mask.height as f32) / side;
            if crop.mirrored {
                from.x = 1.0 - from.x - extent.x;
            }
            if crop.upside_down {
                from.y = 1.0 - from.y - extent.y;
            }
            let black =
                Rect::from_min_max(look.on_pane(rect, from), look.on_pane(rect, from + extent));
            painter.rect_filled(black, 0.0, Color32::BLACK);
        }
    }

    /// A black area with a name.
    pub fn ground(ui: &mut Ui, size: Vec2, name: &str, sense: Sense) -> Response {
        let (rect, response) = ui.allocate_exact_size(size, sense);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, name));
        ui.painter().rect_filled(rect, 4.0, tokens(ui).picture);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_frames_levels_are_mixed() {
        let video = Video {
            channels: 1,
            frames: 2,
            height: 1,
            width: 2,
            data: vec![0.0, 1.0, 1.0, 0.0],
        };
        let at = |share| match between(&video, 0, 1, share).pixels {
            Pixels::Gray(levels) => levels,
            Pixels::Rgb(_) => Vec::new(),
        };
        assert_eq!(at(0.0), [0, 255]);
        assert_eq!(at(0.25), [64, 191]);
        assert_eq!(at(1.0), [255, 0]);
    }

    /// Where a picture is, made if it must be; and whether it had to be.
    fn shown(
        cine: &mut Cine,
        side: usize,
        clip: u64,
        frame: usize,
        look: &Look,
    ) -> (Texture, bool) {
        let key = Key { clip, frame };
        let held = cine.held(key, look);
        let pixels = Pixels::Gray(vec![0; side * side]);
        let frame = Frame {
            width: side,
            height: side,
            pixels,
        };
        let mut made = None;
        egui::__run_test_ui(|ui| {
            let picture = Picture::Frame(&frame);
            made = Some(cine.texture(ui, "test", key, look, picture));
        });
        (made.unwrap(), held.is_none())
    }

    #[test]
    fn the_pictures_of_a_loop_are_made_once() {
        let (mut cine, look) = (Cine::default(), Look::default());
        let mut made = |clip, frame, look: &Look| shown(&mut cine, 112, clip, frame, look).1;
        let round: Vec<bool> = (0..48).map(|i| made(7, i % 16, &look)).collect();
        assert!(round[..16].iter().all(|m| *m) && round[16..].iter().all(|m| !m));
        // Another clip has none of them, nor has the first when it comes again, nor another tone.
        assert!(made(8, 3, &look) && !made(8, 3, &look));
        assert!(made(7, 3, &look));
        let mut inverted = look;
        inverted.invert = true;
        assert!(made(7, 3, &inverted) && !made(7, 3, &inverted));
    }

    #[test]
    fn of_large_pictures_the_first_are_kept_and_one_more() {
        let (mut cine, look) = (Cine::default(), Look::default());
        // A megabyte each, of which so many have room.
        let room = ROOM / (512 * 512 * size_of::<Color32>());
        let mut made = |frame| shown(&mut cine, 512, 1, frame, &look).1;
        for _ in 0..2 {
            let round: Vec<bool> = (0..room + 3).map(&mut made).collect();
            assert!(round[room..].iter().all(|m| *m), "{round:?}");
        }
        assert!(!made(room + 2) && !made(0) && !made(room - 1));
        assert!(made(room));
        // A loop that has none of them is kept in their place, after a while.
        for _ in 0..4 {
            (100..100 + room).for_each(|frame| {
                made(frame);
            });
        }
        assert!((100..100 + room).all(|frame| !made(frame)));
        assert_eq!(cine.kept.len(), room);
        assert!(cine.bytes <= ROOM);
    }
}
