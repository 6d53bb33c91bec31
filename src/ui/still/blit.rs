//! How a picture that was kept is put back.

use crate::ui::widgets::filling;
use eframe::egui_wgpu::{self, RenderState, wgpu};
use std::sync::Arc;

/// Puts a kept picture back, pixel by pixel.
pub(super) struct Blit {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
}

impl Blit {
    pub(super) fn new(renderer: &RenderState) -> Self {
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
        let pipeline = filling(renderer, &layout, &module, "as_it_was");
        Self { pipeline, layout }
    }

    pub(super) fn group(&self, device: &wgpu::Device, view: &wgpu::TextureView) -> wgpu::BindGroup {
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
pub(super) struct Blitted {
    pub blit: Arc<Blit>,
    pub picture: wgpu::BindGroup,
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
