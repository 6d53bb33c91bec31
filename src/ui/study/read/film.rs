//! Clips are opened ahead of the screen, on another thread, and all frames of one are textures before it is shown.

use crate::study::bundle::Opened;
use crate::study::plan::{BARS, Presentation};
use crate::study::session;
use crate::ui::projector::Wake;
use crate::ui::task::Task;
use egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions};
use std::sync::Arc;

/// The clip that is shown and the one that comes next.
pub struct Films {
    bundle: Arc<Opened>,
    wake: Wake,
    /// On the graphics card.
    shown: Option<Film>,
    /// In memory.
    ready: Option<(String, Result<Vec<u8>, String>)>,
    opening: Option<(String, Opening)>,
}

type Opening = Task<Result<Vec<u8>, String>>;

struct Film {
    clip: String,
    frames: Vec<TextureHandle>,
}

impl Films {
    pub fn new(bundle: Arc<Opened>, wake: Wake) -> Self {
        Self {
            bundle,
            wake,
            shown: None,
            ready: None,
            opening: None,
        }
    }

    /// Makes a clip ready to be painted. Whether it is; `false` while it is opened.
    ///
    /// # Errors
    /// In a sentence, when the bundle does not give it.
    pub fn load(&mut self, clip: &str, ctx: &Context) -> Result<bool, String> {
        if self.shown.as_ref().is_some_and(|f| f.clip == clip) {
            return Ok(true);
        }
        if !self.prepare(clip) {
            return Ok(false);
        }
        if let Some((name, pixels)) = self.ready.take() {
            let size = self.bundle.plan.presentation;
            self.shown = Some(Film {
                frames: textures(&pixels?, &size, ctx),
                clip: name,
            });
        }
        // They are on the card when this pass ends.
        ctx.request_repaint();
        Ok(false)
    }

    /// Opens a clip ahead of its time. Whether it is there, or why it never will be.
    pub fn prepare(&mut self, clip: &str) -> bool {
        if self.ready.as_ref().is_some_and(|(name, _)| name == clip) {
            return true;
        }
        if let Some((name, task)) = &self.opening
            && name == clip
        {
            let Some(outcome) = task.take() else {
                return false;
            };
            self.opening = None;
            self.ready = Some((clip.to_owned(), outcome.and_then(|o| o)));
            return true;
        }
        let (bundle, name) = (self.bundle.clone(), clip.to_owned());
        let task = Task::start("clip", &self.wake, move |_| match name.as_str() {
            BARS => Ok(session::bars(&bundle.plan.presentation)),
            clip => bundle.clip(clip).map_err(|e| e.to_string()),
        });
        match task {
            Ok(task) => self.opening = Some((clip.to_owned(), task)),
            Err(why) => self.ready = Some((clip.to_owned(), Err(why))),
        }
        false
    }

    /// A frame of the clip that was made ready.
    pub fn frame(&self, clip: &str, frame: usize) -> Option<TextureId> {
        let film = self.shown.as_ref().filter(|f| f.clip == clip)?;
        film.frames.get(frame).map(TextureHandle::id)
    }
}

fn textures(pixels: &[u8], size: &Presentation, ctx: &Context) -> Vec<TextureHandle> {
    let frame = size.width * size.height;
    let of = |pixels: &[u8]| {
        let image = ColorImage::from_gray([size.width, size.height], pixels);
        // The name is the same for all.
        ctx.load_texture("frame", image, TextureOptions::LINEAR)
    };
    pixels.chunks_exact(frame.max(1)).map(of).collect()
}
