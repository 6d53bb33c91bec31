// A picture in its pane. The pane is the viewport; the picture's part that is seen in it is in `part`.

struct Part {
    // Of the picture, in shares of it: where the pane's upper left corner lies, and how much the pane holds.
    min: vec2<f32>,
    extent: vec2<f32>,
};

@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(1) var picture: texture_2d<f32>;
@group(0) @binding(2) var filtering: sampler;

// Four numbers, two of which are never read: of a place with two, Mesa's renderer in software fetches each pixel by
// itself; of these it draws a row of pixels at a time (docs/performance.md, *Playing*).
struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) place: vec4<f32>,
};

// Two triangles, corner by corner: 0 1 2, 3 2 1.
@vertex
fn corner(@builtin(vertex_index) i: u32) -> Corner {
    let k = select(i, 6u - i, i > 2u);
    let at = vec2<f32>(f32(k & 1u), f32(k >> 1u));
    return Corner(
        vec4<f32>(2.0 * at.x - 1.0, 1.0 - 2.0 * at.y, 0.0, 1.0),
        vec4<f32>(part.min + at * part.extent, 0.0, 1.0),
    );
}

fn sampled(place: vec2<f32>) -> vec3<f32> {
    return textureSample(picture, filtering, place).rgb;
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
    var sum = sampled(vec2<f32>(p0.x, p0.y)) * w0.x * w0.y;
    sum += sampled(vec2<f32>(p12.x, p0.y)) * w12.x * w0.y;
    sum += sampled(vec2<f32>(p3.x, p0.y)) * w3.x * w0.y;
    sum += sampled(vec2<f32>(p0.x, p12.y)) * w0.x * w12.y;
    sum += sampled(vec2<f32>(p12.x, p12.y)) * w12.x * w12.y;
    sum += sampled(vec2<f32>(p3.x, p12.y)) * w3.x * w12.y;
    sum += sampled(vec2<f32>(p0.x, p3.y)) * w0.x * w3.y;
    sum += sampled(vec2<f32>(p12.x, p3.y)) * w12.x * w3.y;
    sum += sampled(vec2<f32>(p3.x, p3.y)) * w3.x * w3.y;
    return clamp(sum, vec3<f32>(0.0), vec3<f32>(1.0));
}

// Levels are stored as the screen takes them. A picture is opaque.
@fragment
fn sampled_stored(at: Corner) -> @location(0) vec4<f32> {
    return textureSample(picture, filtering, at.place.xy);
}

@fragment
fn bicubic_stored(at: Corner) -> @location(0) vec4<f32> {
    return vec4<f32>(bicubic(at.place.xy), 1.0);
}

// For a screen whose format encodes what it is given: decoded before (IEC 61966-2-1).
fn decoded(level: vec3<f32>) -> vec4<f32> {
    let low = level / 12.92;
    let high = pow((level + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, level < vec3<f32>(0.04045)), 1.0);
}

@fragment
fn sampled_decoded(at: Corner) -> @location(0) vec4<f32> {
    return decoded(sampled(at.place.xy));
}

@fragment
fn bicubic_decoded(at: Corner) -> @location(0) vec4<f32> {
    return decoded(bicubic(at.place.xy));
}
