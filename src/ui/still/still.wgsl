// What was kept of the window, pixel by pixel, as it was drawn.

@group(0) @binding(0) var kept: texture_2d<f32>;

@vertex
fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
    let at = vec2<f32>(f32(i & 1u), f32(i >> 1u));
    return vec4<f32>(2.0 * at.x - 1.0, 1.0 - 2.0 * at.y, 0.0, 1.0);
}

@fragment
fn as_it_was(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    return textureLoad(kept, vec2<i32>(at.xy), 0);
}
