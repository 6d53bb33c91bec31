//! What stands still in a window is drawn once, where the renderer is software.
//!
//! egui draws the whole window for each frame of a cine. On a GPU that is nothing; in software it is most of what a
//! cine costs (docs/performance.md, *Playing*), and most of it is text and panels that are the same as before. They
//! are kept as a picture of the window, over which only what differs from it is drawn. What is on screen is the same
//! to the last pixel.

mod blit;
mod shapes;

use blit::{Blit, Blitted};
use eframe::egui_wgpu::{self, RenderState, ScreenDescriptor, wgpu};
use egui::epaint::{ClippedPrimitive, ClippedShape, Shape};
use egui::{Context, FullOutput, Rect, Ui, ViewportId};
use shapes::{covered, found, standing};
use std::sync::Arc;

/// Regions that something moves in, at most; with more all is looked at anew.
const MOST_REGIONS: usize = 64;

/// Passes that something must have been kept for.
const SHORT: u64 = 8;
/// Passes that are waited for at most until something is kept again.
const LONGEST: u64 = 32;

/// What the window is cleared to before anything is drawn.
#[derive(Clone, Copy)]
struct Ground([f32; 4]);

/// The plugin of egui's that does it.
pub struct Still {
    renderer: RenderState,
    blit: Arc<Blit>,
    /// Whether the pass that ends is the main window's.
    here: bool,
    before: Vec<ClippedShape>,
    kept: Option<Kept>,
    /// Where things moved that lie below others: their number, in the order of drawing, and their place.
    regions: Vec<(usize, Rect)>,
    rest: Rest,
}

/// When something may be kept again: what changes all the time is not worth it.
#[derive(Default)]
struct Rest {
    /// Passes so far.
    pass: u64,
    /// The pass in which something was kept last, and that from which on it may be.
    kept: u64,
    again: u64,
    /// Passes between the two, the last time.
    wait: u64,
}

impl Rest {
    /// What was kept is of no use any more.
    fn is_over(&mut self) {
        self.wait = match self.pass - self.kept {
            0..SHORT => (2 * self.wait).clamp(2, LONGEST),
            _ => 1,
        };
        self.again = self.pass + self.wait;
    }
}

struct Kept {
    /// In their order.
    shapes: Vec<ClippedShape>,
    picture: wgpu::BindGroup,
    size: [u32; 2],
    ground: [f32; 4],
}

/// Says what the window is cleared to.
pub fn ground(ctx: &Context, colour: [f32; 4]) {
    ctx.data_mut(|data| data.insert_temp(egui::Id::NULL, Ground(colour)));
}

impl Still {
    /// Has a window drawn so if its renderer is software.
    pub fn install(ctx: &Context, renderer: &RenderState) {
        if renderer.adapter.get_info().device_type == wgpu::DeviceType::Cpu {
            ctx.add_plugin(Self {
                blit: Arc::new(Blit::new(renderer)),
                renderer: renderer.clone(),
                here: false,
                before: Vec::new(),
                kept: None,
                regions: Vec::new(),
                rest: Rest::default(),
            });
        }
    }

    /// Draws what stands still into a picture of its own.
    fn keep(&self, ctx: &Context, shapes: Vec<ClippedShape>, screen: &Screen) -> Kept {
        let jobs = ctx.tessellate(shapes.clone(), screen.on.pixels_per_point);
        Kept {
            picture: self.draw(&jobs, screen),
            shapes,
            size: screen.on.size_in_pixels,
            ground: screen.ground,
        }
    }

    fn draw(&self, jobs: &[ClippedPrimitive], screen: &Screen) -> wgpu::BindGroup {
        let (device, queue) = (&self.renderer.device, &self.renderer.queue);
        let [width, height] = screen.on.size_in_pixels;
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("what stands still"),
            size: wgpu::Extent3d {
                width,
                height,
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: self.renderer.target_format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut renderer = self.renderer.renderer.write();
        let mut commands = renderer.update_buffers(device, queue, &mut encoder, jobs, &screen.on);
        let [r, g, b, a] = screen.ground.map(f64::from);
        let mut pass = encoder
            .begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("what stands still"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &view,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a }),
                        store: wgpu::StoreOp::Store,
                    },
                    depth_slice: None,
                })],
                ..wgpu::RenderPassDescriptor::default()
            })
            .forget_lifetime();
        renderer.render(&mut pass, jobs, &screen.on);
        drop(pass);
        commands.push(encoder.finish());
        queue.submit(commands);
        self.blit.group(device, &view)
    }
}

/// How large the window is, and what it is cleared to.
struct Screen {
    on: ScreenDescriptor,
    rect: Rect,
    ground: [f32; 4],
}

impl Screen {
    fn of(ctx: &Context, pixels_per_point: f32) -> Option<Self> {
        let Ground(ground) = ctx.data(|data| data.get_temp(egui::Id::NULL))?;
        let rect = ctx.input(egui::InputState::viewport_rect);
        let size = (rect.size() * pixels_per_point).round();
        Some(Self {
            on: ScreenDescriptor {
                size_in_pixels: [size.x as u32, size.y as u32],
                pixels_per_point,
            },
            rect,
            ground,
        })
    }

    fn is_of(&self, kept: &Kept) -> bool {
        kept.size == self.on.size_in_pixels && kept.ground == self.ground
    }
}

impl egui::Plugin for Still {
    fn debug_name(&self) -> &'static str {
        "what stands still"
    }

    fn on_end_pass(&mut self, ui: &mut Ui) {
        self.here = ui.ctx().viewport_id() == ViewportId::ROOT;
    }

    fn output_hook(&mut self, ctx: &Context, output: &mut FullOutput) {
        if !self.here {
            return;
        }
        let Some(screen) = Screen::of(ctx, output.pixels_per_point) else {
            return;
        };
        let shapes = std::mem::take(&mut output.shapes);
        let before = std::mem::replace(&mut self.before, shapes.clone());
        let set = &output.textures_delta.set;
        let had = self.kept.is_some();
        // A picture that is another one, in shapes that are the same.
        if set.keys().any(|id| *id != egui::TextureId::default()) {
            self.kept = None;
        }
        self.rest.pass += 1;
        let mut kept = self.kept.take().filter(|kept| screen.is_of(kept));
        let mut stand = kept.as_ref().and_then(|kept| found(&kept.shapes, &shapes));
        if let Some(found) = &stand
            && let Some(regions) = covered(&shapes, found)
        {
            // Something that moves came below what was kept.
            self.regions.extend(regions);
            stand = None;
        }
        // Letters that are new are on the GPU only after this pass.
        if stand.is_none() && had {
            self.rest.is_over();
        }
        if stand.is_none() && set.is_empty() && self.rest.pass >= self.rest.again {
            if before.len() != shapes.len() || self.regions.len() > MOST_REGIONS {
                self.regions.clear();
            }
            if before.len() == shapes.len() {
                let found = standing(&before, &shapes, &self.regions);
                let still = shapes.iter().zip(&found).filter(|(_, still)| **still);
                let still = still.map(|(shape, _)| shape.clone()).collect();
                kept = Some(self.keep(ctx, still, &screen));
                stand = Some(found);
                self.rest.kept = self.rest.pass;
            }
        }
        let (Some(kept), Some(stand)) = (kept, stand) else {
            output.shapes = shapes;
            return;
        };
        let blit = Blitted {
            blit: self.blit.clone(),
            picture: kept.picture.clone(),
        };
        let callback = egui_wgpu::Callback::new_paint_callback(screen.rect, blit);
        let whole = ClippedShape::new(screen.rect, Shape::Callback(callback));
        let moves = shapes.into_iter().zip(stand).filter(|(_, still)| !still);
        output.shapes = std::iter::once(whole)
            .chain(moves.map(|(shape, _)| shape))
            .collect();
        self.kept = Some(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_all_the_time_is_kept_less_and_less() {
        let mut rest = Rest::default();
        let mut kept = Vec::new();
        let mut is_kept = false;
        for pass in 1..=200 {
            rest.pass = pass;
            // All that is kept lasts one pass, until there is peace.
            if is_kept && pass < 100 {
                rest.is_over();
                is_kept = false;
            }
            if !is_kept && rest.pass >= rest.again {
                rest.kept = pass;
                is_kept = true;
                kept.push(pass);
            }
        }
        let between: Vec<u64> = kept.windows(2).map(|k| k[1] - k[0]).collect();
        assert_eq!(between, [3, 5, 9, 17, 33, 33]);
        // After it has lasted, it is kept again at once.
        rest.is_over();
        assert_eq!(rest.again, 201);
    }
}
