// A picture in its pane. The pane is the viewport; the picture's part that is seen in it is in `part`.

struct Part {
    // Of the picture, in shares of it: where the pane's upper left corner lies, and how much the pane holds.
    min: vec2<f32>,
    extent: vec2<f32>,
};

@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(1) var picture: texture_2d<f32>;
@group(0) @binding(2) var linear: sampler;

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) place: vec2<f32>,
};

@vertex
fn corner(@builtin(vertex_index) i: u32) -> Corner {
    let at = vec2<f32>(f32(i & 1u), f32(i >> 1u));
    return Corner(
        vec4<f32>(2.0 * at.x - 1.0, 1.0 - 2.0 * at.y, 0.0, 1.0),
        part.min + at * part.extent,
    );
}

// Levels are stored as the screen takes them.
@fragment
fn as_stored(at: Corner) -> @location(0) vec4<f32> {
    return vec4<f32>(textureSample(picture, linear, at.place).rgb, 1.0);
}

// For a screen whose format encodes what it is given: decoded before (IEC 61966-2-1).
@fragment
fn decoded(at: Corner) -> @location(0) vec4<f32> {
    let level = textureSample(picture, linear, at.place).rgb;
    let low = level / 12.92;
    let high = pow((level + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, level < vec3<f32>(0.04045)), 1.0);
}
