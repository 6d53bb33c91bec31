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

// Between the four nearest pixels.
fn bilinear(place: vec2<f32>) -> vec3<f32> {
    return textureSample(picture, linear, place).rgb;
}

// Catmull-Rom over the sixteen nearest pixels: the sampler mixes the two middle ones of each direction, so nine
// samples do. It stays as sharp as the picture is, and shows no squares.
fn bicubic(place: vec2<f32>) -> vec3<f32> {
    let size = vec2<f32>(textureDimensions(picture));
    let at = place * size;
    let pixel = floor(at - 0.5) + 0.5;
    let f = at - pixel;
    let w0 = f * (-0.5 + f * (1.0 - 0.5 * f));
    let w1 = 1.0 + f * f * (-2.5 + 1.5 * f);
    let w2 = f * (0.5 + f * (2.0 - 1.5 * f));
    let w3 = f * f * (-0.5 + 0.5 * f);
    let w12 = w1 + w2;
    let p0 = (pixel - 1.0) / size;
    let p12 = (pixel + w2 / w12) / size;
    let p3 = (pixel + 2.0) / size;
    var sum = bilinear(vec2<f32>(p0.x, p0.y)) * w0.x * w0.y;
    sum += bilinear(vec2<f32>(p12.x, p0.y)) * w12.x * w0.y;
    sum += bilinear(vec2<f32>(p3.x, p0.y)) * w3.x * w0.y;
    sum += bilinear(vec2<f32>(p0.x, p12.y)) * w0.x * w12.y;
    sum += bilinear(vec2<f32>(p12.x, p12.y)) * w12.x * w12.y;
    sum += bilinear(vec2<f32>(p3.x, p12.y)) * w3.x * w12.y;
    sum += bilinear(vec2<f32>(p0.x, p3.y)) * w0.x * w3.y;
    sum += bilinear(vec2<f32>(p12.x, p3.y)) * w12.x * w3.y;
    sum += bilinear(vec2<f32>(p3.x, p3.y)) * w3.x * w3.y;
    return clamp(sum, vec3<f32>(0.0), vec3<f32>(1.0));
}

// The nearest pixel.
fn nearest(place: vec2<f32>) -> vec3<f32> {
    let size = vec2<i32>(textureDimensions(picture));
    let at = clamp(vec2<i32>(floor(place * vec2<f32>(size))), vec2<i32>(0), size - 1);
    return textureLoad(picture, at, 0).rgb;
}

// Levels are stored as the screen takes them.
fn stored(level: vec3<f32>) -> vec4<f32> {
    return vec4<f32>(level, 1.0);
}

// For a screen whose format encodes what it is given: decoded before (IEC 61966-2-1).
fn decoded(level: vec3<f32>) -> vec4<f32> {
    let low = level / 12.92;
    let high = pow((level + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, level < vec3<f32>(0.04045)), 1.0);
}

@fragment
fn bilinear_stored(at: Corner) -> @location(0) vec4<f32> {
    return stored(bilinear(at.place));
}

@fragment
fn bicubic_stored(at: Corner) -> @location(0) vec4<f32> {
    return stored(bicubic(at.place));
}

@fragment
fn nearest_stored(at: Corner) -> @location(0) vec4<f32> {
    return stored(nearest(at.place));
}

@fragment
fn bilinear_decoded(at: Corner) -> @location(0) vec4<f32> {
    return decoded(bilinear(at.place));
}

@fragment
fn bicubic_decoded(at: Corner) -> @location(0) vec4<f32> {
    return decoded(bicubic(at.place));
}

@fragment
fn nearest_decoded(at: Corner) -> @location(0) vec4<f32> {
    return decoded(nearest(at.place));
}
