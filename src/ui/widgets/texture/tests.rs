use super::*;
use egui::pos2;

#[test]
fn places_in_a_picture_do_not_move_with_the_viewports_pixels() {
    let rect = Rect::from_min_max(pos2(10.4, 20.0), pos2(110.4, 220.0));
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    let seen = Rect::from_min_max(pos2(10.0, 20.0), pos2(111.0, 220.0));
    let [x, y, width, height] = part(rect, uv, seen);
    let near = |a: f32, b: f32| (a - b).abs() < 1e-6;
    assert!(near(x, -0.004) && near(y, 0.0) && near(width, 1.01) && near(height, 1.0));
    // A mirrored part runs the other way.
    let mirrored = Rect::from_min_max(pos2(0.75, 0.0), pos2(0.25, 1.0));
    let [x, _, width, _] = part(rect, mirrored, rect);
    assert!(near(x, 0.75) && near(width, -0.5));
}
/// Levels that a picture of 9 x 7 is drawn with, 90 x 70, by a pipeline for a GPU or for software.
#[cfg(feature = "snapshots")]
fn drawn(is_software: bool, filter: Filter, levels: &[u8]) -> Vec<u8> {
    let image = ColorImage::from_gray([9, 7], levels);
    let pixels = pixels(is_software, filter, &image);
    pixels.iter().map(|[level, ..]| *level).collect()
}

/// The same of a picture in colour: red, green, blue and alpha.
#[cfg(feature = "snapshots")]
fn pixels(is_software: bool, filter: Filter, image: &ColorImage) -> Vec<[u8; 4]> {
    const SIZE: [usize; 2] = [90, 70];
    let renderer = egui_kittest::wgpu::create_render_state(
        egui_kittest::wgpu::default_wgpu_setup(),
        egui_wgpu::RendererOptions::default(),
    );
    let pipeline = Arc::new(Pipeline::new(&renderer, is_software));
    let (device, queue) = (&renderer.device, &renderer.queue);
    let own = Own::new(pipeline, [9, 7]);
    own.write(image);
    let target = device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: extent(SIZE),
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: renderer.target_format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    // Rows of a copy begin at multiples of 256 bytes.
    let row = 512;
    let read = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: (row * SIZE[1]) as u64,
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let view = target.create_view(&wgpu::TextureViewDescriptor::default());
    {
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                resolve_target: None,
                ops: wgpu::Operations::default(),
                depth_slice: None,
            })],
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_pipeline(&own.pipeline.pipelines[filter as usize]);
        let whole = Part {
            place: [0.0, 0.0, 1.0, 1.0],
            filter,
            is_enlarged: true,
        };
        pass.set_bind_group(0, &own.group(whole), &[]);
        pass.draw(FILLING, 0..1);
    }
    let rows = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(row as u32),
        rows_per_image: None,
    };
    let to = wgpu::TexelCopyBufferInfo {
        buffer: &read,
        layout: rows,
    };
    encoder.copy_texture_to_buffer(target.as_image_copy(), to, extent(SIZE));
    queue.submit([encoder.finish()]);
    read.slice(..)
        .map_async(wgpu::MapMode::Read, |mapped| mapped.unwrap());
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let bytes = read.slice(..).get_mapped_range().unwrap();
    let is_bgra = matches!(
        renderer.target_format,
        wgpu::TextureFormat::Bgra8Unorm | wgpu::TextureFormat::Bgra8UnormSrgb
    );
    let pixel = |i: usize| {
        let at = i / SIZE[0] * row + 4 * (i % SIZE[0]);
        let [a, b, c, alpha] = std::array::from_fn(|k| bytes[at + k]);
        if is_bgra {
            [c, b, a, alpha]
        } else {
            [a, b, c, alpha]
        }
    };
    (0..SIZE[0] * SIZE[1]).map(pixel).collect()
}

/// Catmull and Rom's cubic at a place of a picture of 9 x 7, whose edge goes on; Keys (1981), a = -0.5.
#[cfg(feature = "snapshots")]
fn cubic(levels: &[u8], [x, y]: [f64; 2]) -> f64 {
    let weight = |d: f64| match d.abs() {
        d if d < 1.0 => 1.5 * d.powi(3) - 2.5 * d.powi(2) + 1.0,
        d if d < 2.0 => -0.5 * d.powi(3) + 2.5 * d.powi(2) - 4.0 * d + 2.0,
        _ => 0.0,
    };
    let mut sum = 0.0;
    for row in -3..10i32 {
        for column in -3..12i32 {
            let at = row.clamp(0, 6) * 9 + column.clamp(0, 8);
            let by = weight(x - 0.5 - f64::from(column)) * weight(y - 0.5 - f64::from(row));
            sum += by * f64::from(levels[at as usize]);
        }
    }
    sum.clamp(0.0, 255.0)
}

/// Between the four nearest pixels of a picture of 9 x 7.
#[cfg(feature = "snapshots")]
fn linear(levels: &[u8], [x, y]: [f64; 2]) -> f64 {
    let [x, y] = [(x - 0.5).clamp(0.0, 8.0), (y - 0.5).clamp(0.0, 6.0)];
    let at = |x: f64, y: f64| f64::from(levels[y.min(6.0) as usize * 9 + x.min(8.0) as usize]);
    let row = |y| at(x, y) + x.fract() * (at(x + 1.0, y) - at(x, y));
    row(y) + y.fract() * (row(y + 1.0) - row(y))
}

#[cfg(feature = "snapshots")]
#[test]
fn a_gpus_smooth_picture_is_the_cubic_and_squares_are_squares() {
    let levels: Vec<u8> = (0..63u32).map(|i| (i * 7919 % 256) as u8).collect();
    let place = |i: usize| [(i % 90) as f64 + 0.5, (i / 90) as f64 + 0.5].map(|v| v / 10.0);
    let far = |drawn: &[u8], right: &dyn Fn([f64; 2]) -> f64| {
        let each = drawn.iter().enumerate();
        each.map(|(i, level)| (f64::from(*level) - right(place(i))).abs())
            .fold(0.0, f64::max)
    };
    let smooth = drawn(false, Filter::Smooth, &levels);
    let off = far(&smooth, &|at| cubic(&levels, at));
    println!("off by {off:.2} levels of 255 at most");
    // The sampler mixes neighbours in steps of 1/256.
    assert!(off < 3.0, "{off}");
    // Larger before, and drawn bilinearly: nearly that. By the four nearest pixels alone it would not be.
    let software = drawn(true, Filter::Smooth, &levels);
    let mean = |shown: &dyn Fn(usize) -> f64| {
        let each = (0..software.len()).map(|i| (shown(i) - cubic(&levels, place(i))).abs());
        each.sum::<f64>() / software.len() as f64
    };
    let ours = mean(&|i| f64::from(software[i]));
    let plain = mean(&|i| linear(&levels, place(i)));
    println!("in software off by {ours:.2} on average, bilinearly {plain:.2}");
    assert!(2.0 * ours < plain, "{ours} {plain}");
    let nearest = |[x, y]: [f64; 2]| f64::from(levels[y as usize * 9 + x as usize]);
    for is_software in [false, true] {
        let squares = drawn(is_software, Filter::AsRecorded, &levels);
        assert_eq!(far(&squares, &nearest), 0.0);
    }
}

#[cfg(feature = "snapshots")]
#[test]
fn colours_are_those_of_the_picture_and_opaque() {
    let orange = Color32::from_rgba_premultiplied(200, 100, 50, 128);
    let image = ColorImage::filled([9, 7], orange);
    for is_software in [false, true] {
        for filter in [Filter::Smooth, Filter::AsRecorded] {
            for pixel in pixels(is_software, filter, &image) {
                assert_eq!(pixel, [200, 100, 50, 255], "{is_software} {filter:?}");
            }
        }
    }
}
