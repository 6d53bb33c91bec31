//! How a picture that was kept is put back.

use crate::ui::widgets::{FILLING, filling};
use eframe::egui_wgpu::{self, RenderState, wgpu};
use std::sync::Arc;

/// Puts a kept picture back, pixel by pixel.
pub(super) struct Blit {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    nearest: wgpu::Sampler,
}

impl Blit {
    pub(super) fn new(renderer: &RenderState) -> Self {
        let device = &renderer.device;
        let module = device.create_shader_module(wgpu::include_wgsl!("still.wgsl"));
        let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty,
            count: None,
        };
        let picture = wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: false },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        };
        let sampler = wgpu::BindingType::Sampler(wgpu::SamplerBindingType::NonFiltering);
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("what stands still"),
            entries: &[entry(0, picture), entry(1, sampler)],
        });
        Self {
            pipeline: filling(renderer, &layout, &module, "as_it_was"),
            layout,
            nearest: device.create_sampler(&wgpu::SamplerDescriptor::default()),
        }
    }

    pub(super) fn group(&self, device: &wgpu::Device, view: &wgpu::TextureView) -> wgpu::BindGroup {
        let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("what stands still"),
            layout: &self.layout,
            entries: &[
                entry(0, wgpu::BindingResource::TextureView(view)),
                entry(1, wgpu::BindingResource::Sampler(&self.nearest)),
            ],
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
        pass.draw(FILLING, 0..1);
    }
}
