//! What stands still in a window is drawn once, where the renderer is software.
//!
//! egui draws the whole window for each frame of a cine. On a GPU that is nothing; in software it is most of what a
//! cine costs (docs/performance.md, *Playing*), and most of it is text and panels that are the same as before. They
//! are kept as a picture of the window, over which only what differs from it is drawn. What is on screen is the same
//! to the last pixel.

use eframe::egui_wgpu::{self, RenderState, ScreenDescriptor, wgpu};
use egui::epaint::{ClippedPrimitive, ClippedShape, Shape};
use egui::{Context, FullOutput, Rect, Ui, ViewportId};
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

/// Which of the shapes are those that were kept, if all of these are there, in their order.
fn found(kept: &[ClippedShape], shapes: &[ClippedShape]) -> Option<Vec<bool>> {
    let mut next = kept.iter().peekable();
    let each = shapes.iter().map(|shape| {
        let is_next = next.peek().is_some_and(|kept| same(kept, shape));
        if is_next {
            next.next();
        }
        is_next
    });
    let found = each.collect();
    next.next().is_none().then_some(found)
}

/// Which of the shapes are as they were before and lie over nothing that moves, or that moved at a shape's turn before
/// (`regions`).
fn standing(
    before: &[ClippedShape],
    shapes: &[ClippedShape],
    regions: &[(usize, Rect)],
) -> Vec<bool> {
    let mut moves: Vec<Rect> = Vec::new();
    let each = before.iter().zip(shapes).enumerate();
    let each = each.map(|(i, (before, shape))| {
        let place = place(shape);
        let stands = same(before, shape) && !moves.iter().any(|r| r.intersects(place));
        if !stands && place.is_positive() {
            moves.push(place);
        }
        let moved = regions.iter().filter(|(at, _)| *at == i);
        moves.extend(moved.map(|(_, place)| *place));
        stands
    });
    each.collect()
}

/// What moves, with its place, if some of it is below what stands.
fn covered(shapes: &[ClippedShape], stand: &[bool]) -> Option<Vec<(usize, Rect)>> {
    let mut moves: Vec<(usize, Rect)> = Vec::new();
    let mut is_covered = false;
    for (i, (shape, stands)) in shapes.iter().zip(stand).enumerate() {
        let place = place(shape);
        match stands {
            true => is_covered |= moves.iter().any(|(_, r)| r.intersects(place)),
            false if place.is_positive() => moves.push((i, place)),
            false => (),
        }
    }
    is_covered.then_some(moves)
}

/// Where a shape is seen, and what its soft edges reach.
fn place(shape: &ClippedShape) -> Rect {
    let bounds = shape.transform_after_tessellation * shape.shape.visual_bounding_rect();
    shape.clip_rect.intersect(bounds.expand(1.0))
}

fn same(a: &ClippedShape, b: &ClippedShape) -> bool {
    a.clip_rect == b.clip_rect
        && a.transform_after_tessellation == b.transform_after_tessellation
        && same_shape(&a.shape, &b.shape)
}

fn same_shape(a: &Shape, b: &Shape) -> bool {
    match (a, b) {
        // What another pipeline draws may be anything.
        (Shape::Callback(_), _) | (_, Shape::Callback(_)) => false,
        (Shape::Vec(a), Shape::Vec(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        // Lines of text are laid out once: most are the same ones.
        (Shape::Text(a), Shape::Text(b)) if Arc::ptr_eq(&a.galley, &b.galley) => {
            let rest = |t: &egui::epaint::TextShape| {
                (
                    (t.pos, t.underline, t.fallback_color),
                    (t.override_text_color, t.opacity_factor, t.angle),
                )
            };
            rest(a) == rest(b)
        }
        _ => a == b,
    }
}

/// Puts a kept picture back, pixel by pixel.
struct Blit {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
}

impl Blit {
    fn new(renderer: &RenderState) -> Self {
        let device = &renderer.device;
        let module = device.create_shader_module(wgpu::include_wgsl!("still.wgsl"));
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("what stands still"),
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::FRAGMENT,
                ty: wgpu::BindingType::Texture {
                    sample_type: wgpu::TextureSampleType::Float { filterable: false },
                    view_dimension: wgpu::TextureViewDimension::D2,
                    multisampled: false,
                },
                count: None,
            }],
        });
        let whole = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("what stands still"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("what stands still"),
            layout: Some(&whole),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState {
                topology: wgpu::PrimitiveTopology::TriangleStrip,
                ..wgpu::PrimitiveState::default()
            },
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("as_it_was"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(renderer.target_format.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        Self { pipeline, layout }
    }

    fn group(&self, device: &wgpu::Device, view: &wgpu::TextureView) -> wgpu::BindGroup {
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("what stands still"),
            layout: &self.layout,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::TextureView(view),
            }],
        })
    }
}

/// A kept picture in its place.
struct Blitted {
    blit: Arc<Blit>,
    picture: wgpu::BindGroup,
}

impl egui_wgpu::CallbackTrait for Blitted {
    fn paint(
        &self,
        _: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        _: &egui_wgpu::CallbackResources,
    ) {
        pass.set_pipeline(&self.blit.pipeline);
        pass.set_bind_group(0, &self.picture, &[]);
        pass.draw(0..4, 0..1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Color32, Pos2, pos2, vec2};

    fn rect(x: f32, colour: Color32) -> ClippedShape {
        let shape = Shape::rect_filled(
            Rect::from_min_size(pos2(x, 0.0), vec2(10.0, 10.0)),
            0,
            colour,
        );
        ClippedShape::new(Rect::from_min_size(Pos2::ZERO, vec2(100.0, 100.0)), shape)
    }

    #[test]
    fn what_is_kept_is_found_again_with_others_between() {
        let [a, b, c] = [Color32::RED, Color32::GREEN, Color32::BLUE].map(|c| rect(20.0, c));
        let kept = [a.clone(), c.clone()];
        let shapes = [a.clone(), b.clone(), c.clone()];
        assert_eq!(found(&kept, &shapes), Some(vec![true, false, true]));
        // In another order, or without one of them, it is another picture.
        assert_eq!(found(&kept, &[c.clone(), a.clone()]), None);
        assert_eq!(found(&kept, &[a, b]), None);
    }

    #[test]
    fn what_lies_over_something_that_moves_is_drawn_with_it() {
        let mover = |x| rect(x, Color32::RED);
        let [under, over, beside] = [0.0, 5.0, 60.0].map(|x| rect(x, Color32::GREEN));
        let before = [under.clone(), mover(0.0), over.clone(), beside.clone()];
        let now = [under.clone(), mover(1.0), over.clone(), beside.clone()];
        let stand = standing(&before, &now, &[]);
        assert_eq!(stand, [true, false, false, true]);
        assert_eq!(covered(&now, &stand), None);
        // Later it comes below what stood beside it.
        let later = [under, mover(55.0), over, beside];
        let regions = covered(&later, &[true, false, false, true]).unwrap();
        assert_eq!(
            standing(&before, &before, &regions),
            [true, true, true, false]
        );
    }

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

    #[test]
    fn what_another_pipeline_draws_is_never_the_same() {
        struct Nothing;
        impl egui_wgpu::CallbackTrait for Nothing {
            fn paint(
                &self,
                _: egui::PaintCallbackInfo,
                _: &mut wgpu::RenderPass<'static>,
                _: &egui_wgpu::CallbackResources,
            ) {
            }
        }
        let place = Rect::from_min_size(Pos2::ZERO, vec2(10.0, 10.0));
        let callback = egui_wgpu::Callback::new_paint_callback(place, Nothing);
        let shape = ClippedShape::new(place, Shape::Callback(callback));
        assert!(!same(&shape, &shape));
    }
}
