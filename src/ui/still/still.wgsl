// What was kept of the window, pixel by pixel, as it was drawn.

@group(0) @binding(0) var kept: texture_2d<f32>;
@group(0) @binding(1) var nearest: sampler;

// Four numbers for the sake of Mesa's renderer in software, as for a picture (../widgets/picture.wgsl).
struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) place: vec4<f32>,
};

@vertex
fn corner(@builtin(vertex_index) i: u32) -> Corner {
    let k = select(i, 6u - i, i > 2u);
    let at = vec2<f32>(f32(k & 1u), f32(k >> 1u));
    return Corner(
        vec4<f32>(2.0 * at.x - 1.0, 1.0 - 2.0 * at.y, 0.0, 1.0),
        vec4<f32>(at, 0.0, 1.0),
    );
}

@fragment
fn as_it_was(at: Corner) -> @location(0) vec4<f32> {
    return textureSample(kept, nearest, at.place.xy);
}
