//! Pictures on the GPU, drawn by a pipeline of their own.
//!
//! egui's pipeline would draw the same. Its shader holds a second way to filter, for tests, which a renderer in
//! software runs through for every pixel, too, and which takes most of its time (docs/performance.md, *Playing*).
//! Without a renderer, as in most tests, a picture is a texture of egui's.

use eframe::egui_wgpu::{self, RenderState, wgpu};
use egui::{
    Color32, ColorImage, Context, Painter, Rect, TextureHandle, TextureOptions, Vec2, vec2,
};
use image::{RgbaImage, imageops};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use wgpu::util::DeviceExt as _;

/// How a picture is drawn larger than it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Bicubic. Where the renderer is software, for which that is too slow, a small picture is made larger so before,
    /// and drawn bilinearly.
    #[default]
    Smooth,
    /// Each pixel as a square.
    AsRecorded,
}

impl Filter {
    /// Has all pictures of a window drawn so, from now on.
    pub fn choose(self, ctx: &Context) {
        ctx.data_mut(|data| data.insert_temp(egui::Id::NULL, self));
    }

    fn of(ctx: &Context) -> Self {
        let chosen = ctx.data(|data| data.get_temp(egui::Id::NULL));
        chosen.unwrap_or_default()
    }
}

/// For a renderer in software: pixels a side of the largest picture that is made larger before it is drawn, and how
/// many times as large. 112 pixels are a pane of 336 then.
const SMALL: usize = 128;
const FINER: usize = 3;
/// Pixels of the window for each of a picture, below which it is drawn as it is: of the larger one too much would be left
/// out.
const ENLARGED: f32 = 1.5;

/// What all pictures are drawn with.
pub struct Pipeline {
    device: wgpu::Device,
    queue: wgpu::Queue,
    is_software: bool,
    /// By [`Filter`].
    pipelines: [wgpu::RenderPipeline; 2],
    samplers: [wgpu::Sampler; 2],
    layout: wgpu::BindGroupLayout,
}

impl Pipeline {
    /// Has the pictures of a window drawn by it.
    pub fn install(ctx: &Context, renderer: &RenderState) {
        let is_software = renderer.adapter.get_info().device_type == wgpu::DeviceType::Cpu;
        let pipeline = Arc::new(Self::new(renderer, is_software));
        ctx.data_mut(|data| data.insert_temp(egui::Id::NULL, Some(pipeline)));
    }

    /// The window's, if it has a renderer.
    fn of(ctx: &Context) -> Option<Arc<Self>> {
        ctx.data(|data| data.get_temp::<Option<Arc<Self>>>(egui::Id::NULL))?
    }

    fn new(renderer: &RenderState, is_software: bool) -> Self {
        let device = renderer.device.clone();
        let source = wgpu::include_wgsl!("picture.wgsl");
        let module = device.create_shader_module(source);
        let entry = |binding, ty, visibility| wgpu::BindGroupLayoutEntry {
            binding,
            visibility,
            ty,
            count: None,
        };
        let part = wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: false,
            min_binding_size: None,
        };
        let picture = wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: true },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        };
        let sampler = wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering);
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("picture"),
            entries: &[
                entry(0, part, wgpu::ShaderStages::VERTEX),
                entry(1, picture, wgpu::ShaderStages::FRAGMENT),
                entry(2, sampler, wgpu::ShaderStages::FRAGMENT),
            ],
        });
        let fragments = match (is_software, renderer.target_format.is_srgb()) {
            (true, true) => ["sampled_decoded"; 2],
            (true, false) => ["sampled_stored"; 2],
            (false, true) => ["bicubic_decoded", "sampled_decoded"],
            (false, false) => ["bicubic_stored", "sampled_stored"],
        };
        let pipelines = fragments.map(|fragment| filling(renderer, &layout, &module, fragment));
        let samplers = [wgpu::FilterMode::Linear, wgpu::FilterMode::Nearest].map(|filter| {
            device.create_sampler(&wgpu::SamplerDescriptor {
                label: Some("picture"),
                mag_filter: filter,
                min_filter: filter,
                ..wgpu::SamplerDescriptor::default()
            })
        });
        Self {
            queue: renderer.queue.clone(),
            device,
            is_software,
            pipelines,
            samplers,
            layout,
        }
    }

    /// Whether the device can hold a picture of this size.
    fn holds(&self, size: [usize; 2]) -> bool {
        let most = self.device.limits().max_texture_dimension_2d as usize;
        size.iter().all(|side| (1..=most).contains(side))
    }
}

/// The corners that [`filling`] draws.
pub const FILLING: std::ops::Range<u32> = 0..6;

/// What fills its viewport, by `corner` and a fragment's entry of a module, and covers what was there.
pub fn filling(
    renderer: &RenderState,
    layout: &wgpu::BindGroupLayout,
    module: &wgpu::ShaderModule,
    fragment: &str,
) -> wgpu::RenderPipeline {
    let device = &renderer.device;
    let whole = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(fragment),
        bind_group_layouts: &[Some(layout)],
        immediate_size: 0,
    });
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(fragment),
        layout: Some(&whole),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("corner"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some(fragment),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(renderer.target_format.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}

/// A picture on the GPU. Cloning it is cheap; both show the same.
#[derive(Clone)]
pub struct Texture(Kind);

#[derive(Clone)]
enum Kind {
    Own(Arc<Own>),
    Egui(TextureHandle),
}

struct Own {
    pipeline: Arc<Pipeline>,
    texture: wgpu::Texture,
    /// Its pixels, if a larger one is made of them to be drawn smoothly, and that.
    small: Option<Mutex<RgbaImage>>,
    finer: OnceLock<wgpu::Texture>,
    size: [usize; 2],
    /// The last part of it that was drawn, and how.
    part: Mutex<Option<(Part, wgpu::BindGroup)>>,
}

/// A part of a picture, and how it is drawn.
#[derive(Clone, Copy, PartialEq)]
struct Part {
    /// As in the shader.
    place: [f32; 4],
    filter: Filter,
    is_enlarged: bool,
}

impl Texture {
    pub fn new(ctx: &Context, name: &str, image: ColorImage) -> Self {
        match Pipeline::of(ctx).filter(|p| p.holds(image.size)) {
            Some(pipeline) => {
                let own = Own::new(pipeline, image.size);
                own.write(&image);
                Self(Kind::Own(Arc::new(own)))
            }
            None => Self(Kind::Egui(ctx.load_texture(
                name,
                image,
                TextureOptions::LINEAR,
            ))),
        }
    }

    /// Shows another picture from the next frame on.
    pub fn set(&mut self, ctx: &Context, name: &str, image: ColorImage) {
        match &mut self.0 {
            Kind::Own(own) if own.size == image.size => own.write(&image),
            Kind::Own(_) => *self = Self::new(ctx, name, image),
            Kind::Egui(texture) => texture.set(image, TextureOptions::LINEAR),
        }
    }

    /// Width and height, in its own pixels.
    pub fn size(&self) -> Vec2 {
        match &self.0 {
            Kind::Own(own) => vec2(own.size[0] as f32, own.size[1] as f32),
            Kind::Egui(texture) => texture.size_vec2(),
        }
    }

    /// What it takes of the renderer's memory at most.
    pub fn bytes(&self) -> usize {
        let finer = match &self.0 {
            Kind::Own(own) if own.small.is_some() => FINER * FINER,
            _ => 0,
        };
        4 * (1 + finer) * self.size().x as usize * self.size().y as usize
    }

    /// Fills `rect` with the part `uv` of it, in shares of the picture; mirrored where a side is negative.
    pub fn paint(&self, painter: &Painter, rect: Rect, uv: Rect) {
        match &self.0 {
            Kind::Own(own) if rect.is_positive() => {
                let drawn = Drawn {
                    own: own.clone(),
                    filter: Filter::of(painter.ctx()),
                    rect,
                    uv,
                };
                painter.add(egui_wgpu::Callback::new_paint_callback(rect, drawn));
            }
            Kind::Own(_) => (),
            Kind::Egui(texture) => {
                painter.image(texture.id(), rect, uv, Color32::WHITE);
            }
        }
    }
}

impl Own {
    fn new(pipeline: Arc<Pipeline>, size: [usize; 2]) -> Self {
        let is_small = size.iter().all(|side| *side <= SMALL);
        Self {
            texture: empty(&pipeline.device, size),
            small: (pipeline.is_software && is_small).then(Mutex::default),
            finer: OnceLock::new(),
            pipeline,
            size,
            part: Mutex::default(),
        }
    }

    fn write(&self, image: &ColorImage) {
        let opaque = |colour: &Color32| [colour.b(), colour.g(), colour.r(), u8::MAX];
        let bytes: Vec<u8> = image.pixels.iter().flat_map(opaque).collect();
        self.upload(&self.texture, &bytes, self.size);
        if let Some(small) = &self.small {
            let [width, height] = self.size.map(|side| side as u32);
            // The order of colours is nothing to it.
            let held = RgbaImage::from_raw(width, height, bytes).unwrap_or_default();
            *lock(small) = held;
            if let Some(finer) = self.finer.get() {
                self.enlarge(small, finer);
            }
        }
    }

    /// The picture, larger, if it is one that is drawn from there; made when it is drawn so for the first time.
    fn finer(&self) -> Option<&wgpu::Texture> {
        let small = self.small.as_ref()?;
        Some(self.finer.get_or_init(|| {
            let finer = empty(&self.pipeline.device, self.size.map(|side| side * FINER));
            self.enlarge(small, &finer);
            finer
        }))
    }

    fn enlarge(&self, small: &Mutex<RgbaImage>, to: &wgpu::Texture) {
        let small = lock(small);
        let [width, height] = [small.width(), small.height()].map(|side| side * FINER as u32);
        let large = imageops::resize(&*small, width, height, imageops::FilterType::CatmullRom);
        self.upload(to, &large, self.size.map(|side| side * FINER));
    }

    fn upload(&self, to: &wgpu::Texture, bytes: &[u8], size: [usize; 2]) {
        let rows = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(4 * size[0] as u32),
            rows_per_image: None,
        };
        let queue = &self.pipeline.queue;
        queue.write_texture(to.as_image_copy(), bytes, rows, extent(size));
    }

    /// What the shader reads to draw a part.
    fn group(&self, part: Part) -> wgpu::BindGroup {
        let mut held = lock(&self.part);
        if let Some((_, group)) = held.as_ref().filter(|(of, _)| *of == part) {
            return group.clone();
        }
        let is_smooth = part.filter == Filter::Smooth && part.is_enlarged;
        let (device, bytes) = (&self.pipeline.device, part.place.map(f32::to_le_bytes));
        let buffer = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("part of a picture"),
            contents: bytes.as_flattened(),
            usage: wgpu::BufferUsages::UNIFORM,
        });
        let finer = is_smooth.then(|| self.finer()).flatten();
        let texture = finer.unwrap_or(&self.texture);
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let sampler = &self.pipeline.samplers[part.filter as usize];
        let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("picture"),
            layout: &self.pipeline.layout,
            entries: &[
                entry(0, buffer.as_entire_binding()),
                entry(1, wgpu::BindingResource::TextureView(&view)),
                entry(2, wgpu::BindingResource::Sampler(sampler)),
            ],
        });
        *held = Some((part, group.clone()));
        group
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn empty(device: &wgpu::Device, size: [usize; 2]) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some("picture"),
        size: extent(size),
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Bgra8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    })
}

fn extent(size: [usize; 2]) -> wgpu::Extent3d {
    wgpu::Extent3d {
        width: size[0] as u32,
        height: size[1] as u32,
        depth_or_array_layers: 1,
    }
}

/// A picture in its place in the window.
struct Drawn {
    own: Arc<Own>,
    filter: Filter,
    rect: Rect,
    uv: Rect,
}

impl egui_wgpu::CallbackTrait for Drawn {
    fn paint(
        &self,
        info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        _: &egui_wgpu::CallbackResources,
    ) {
        let viewport = info.viewport_in_pixels();
        let points = |pixels: i32| pixels as f32 / info.pixels_per_point;
        let seen = Rect::from_min_size(
            egui::pos2(points(viewport.left_px), points(viewport.top_px)),
            vec2(points(viewport.width_px), points(viewport.height_px)),
        );
        let place = part(self.rect, self.uv, seen);
        let is_larger = |drawn: i32, share: f32, size: usize| {
            drawn as f32 >= ENLARGED * share.abs() * size as f32
        };
        let [width, height] = self.own.size;
        let group = self.own.group(Part {
            place,
            filter: self.filter,
            is_enlarged: is_larger(viewport.width_px, place[2], width)
                && is_larger(viewport.height_px, place[3], height),
        });
        let pipeline = &self.own.pipeline.pipelines[self.filter as usize];
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.draw(FILLING, 0..1);
    }
}

/// The part of a picture that lies in `seen`, where `rect` shows the part `uv`: a viewport has whole pixels, and a
/// place in a picture is to lie where all else that is drawn over it expects it.
fn part(rect: Rect, uv: Rect, seen: Rect) -> [f32; 4] {
    let scale = uv.size() / rect.size();
    let min = uv.min + (seen.min - rect.min) * scale;
    let extent = seen.size() * scale;
    [min.x, min.y, extent.x, extent.y]
}

#[cfg(test)]
mod tests;
