//! From echoes to a picture: beams, envelope, decibels, sector.

use super::SIZE;
use super::anatomy::View;
use super::blur::{Edge, Kernel};
use super::maths::{arc_tangent, bell, exp, log2, power, sine_cosine};
use super::random::Random;
use super::settings::Settings;
use super::texture::{GRAIN, Texture};
use super::tissue::Section;

/// Samples of a beam, and beams.
const SAMPLES: usize = 224;
const BEAMS: usize = 128;
/// The first sample, in cm from the probe.
const NEAREST: f64 = 0.05;

/// A pixel of the sector: where it lies among beams and samples.
#[derive(Clone, Copy, Debug)]
struct Pixel {
    /// In the picture.
    at: usize,
    /// The sample before and above, and how far past it.
    from: usize,
    down: f32,
    across: f32,
}

/// What of a view and settings is the same for all frames.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    /// Of each beam sine and cosine, and what is left of its echoes.
    beams: Vec<[f32; 3]>,
    /// Of each sample the depth in cm, what speckle is multiplied with, and the clutter there.
    samples: Vec<[f32; 3]>,
    along: Kernel,
    across: Kernel,
    /// What envelopes are averaged by.
    average: Option<[Kernel; 2]>,
    noise: f32,
    /// Gray is `((20 log10 amplitude + offset) / range)^gamma`.
    offset: f32,
    range: f32,
    gamma: f32,
    pixels: Vec<Pixel>,
}

/// Room for one frame's samples.
pub(super) struct Room {
    real: Vec<f32>,
    imaginary: Vec<f32>,
    spare: Vec<f32>,
    noise: Vec<f32>,
}

impl Room {
    pub(super) fn new() -> Self {
        let field = || vec![0.0; SAMPLES * BEAMS];
        Self {
            real: field(),
            imaginary: field(),
            spare: field(),
            noise: field(),
        }
    }
}

impl Scanner {
    pub(super) fn new(view: &View, settings: &Settings) -> Self {
        let step = (view.depth - NEAREST) / (SAMPLES - 1) as f64;
        let turn = 2.0 * view.half_angle / (BEAMS - 1) as f64;
        let along = Kernel::new(settings.blur_along / step);
        let across = Kernel::new(settings.blur_across / turn);
        // Speckle is to be as bright at every depth, though beams part and fewer scatterers echo together.
        let together = |apart: f32| bell(apart * apart / (4.0 * GRAIN * GRAIN));
        let left_along = along.variance_left(|k| together(k * step as f32));
        let compounding = settings.compounding.as_ref();
        let samples = (0..SAMPLES)
            .map(|i| {
                let depth = NEAREST + step * i as f64;
                let left_across = across.variance_left(|k| together(k * (depth * turn) as f32));
                let near = settings.near_field as f32 * exp(-depth as f32);
                let kept = exp((-settings.attenuation * depth) as f32);
                let by_hand = compounding.map_or(1.0, |c| {
                    amplitude(between(&c.by_depth, i as f64 / (SAMPLES - 1) as f64))
                });
                let kept = kept * by_hand;
                [depth as f32, kept / (left_along * left_across).sqrt(), near]
            })
            .collect();
        let beams = (0..BEAMS)
            .map(|i| {
                let place = 2.0 * i as f64 / (BEAMS - 1) as f64 - 1.0;
                let (sine, cosine) = sine_cosine(place * view.half_angle);
                let square = place * place;
                let edge = 1.0 - settings.edge * square * square;
                let shadows = settings.shadows.iter().map(|shadow| {
                    let z = (place - shadow.middle) / shadow.width;
                    1.0 - shadow.lost as f32 * bell((z * z) as f32)
                });
                let contact = compounding.map_or(1.0, |c| {
                    amplitude(between(&c.by_beam, i as f64 / (BEAMS - 1) as f64))
                });
                let left = edge as f32 * shadows.product::<f32>() * contact;
                [sine as f32, cosine as f32, left]
            })
            .collect();
        // Noise comes through the same receiver, and is then as long as speckle is.
        let received = compounding.map_or(1.0, |_| along.variance_left(|_| 0.0).sqrt());
        Self {
            beams,
            samples,
            average: compounding
                .map(|c| [Kernel::new(c.along / step), Kernel::new(c.across / turn)]),
            along,
            across,
            noise: 0.3 * settings.noise as f32 / received,
            offset: (settings.gain + settings.dynamic_range) as f32,
            range: settings.dynamic_range as f32,
            gamma: settings.gamma as f32,
            pixels: pixels(view, step, turn),
        }
    }

    /// One frame, `[112, 112]` gray levels row by row.
    pub(super) fn frame(
        &self,
        section: &Section<'_>,
        texture: &Texture,
        mut noise: Random,
        stir: f32,
        room: &mut Room,
        picture: &mut [u8],
    ) {
        self.echoes(section, texture, stir, room);
        for field in [&mut room.real, &mut room.imaginary] {
            self.along
                .across_rows(field, &mut room.spare, BEAMS, Edge::Repeat);
            self.across.along_rows(&mut room.spare, BEAMS, Edge::Repeat);
            std::mem::swap(field, &mut room.spare);
        }
        noise.fill(&mut room.noise);
        self.across.along_rows(&mut room.noise, BEAMS, Edge::Repeat);
        if self.average.is_some() {
            self.along
                .across_rows(&room.noise, &mut room.spare, BEAMS, Edge::Repeat);
            std::mem::swap(&mut room.noise, &mut room.spare);
        }
        self.envelope(room);
        if let Some([along, across]) = &self.average {
            along.across_rows(&room.spare, &mut room.real, BEAMS, Edge::Repeat);
            across.along_rows(&mut room.real, BEAMS, Edge::Repeat);
            std::mem::swap(&mut room.real, &mut room.spare);
        }
        self.to_gray(&mut room.spare);
        for pixel in &self.pixels {
            let gray = |k: usize| room.spare[pixel.from + k];
            let above = gray(0) + (gray(1) - gray(0)) * pixel.across;
            let below = gray(BEAMS) + (gray(BEAMS + 1) - gray(BEAMS)) * pixel.across;
            let level = above + (below - above) * pixel.down;
            if let Some(place) = picture.get_mut(pixel.at) {
                *place = (level * 255.0) as u8;
            }
        }
    }

    /// Complex amplitudes of all samples. Blood takes its scatterers `stir` cm away, elsewhere in each frame.
    fn echoes(&self, section: &Section<'_>, texture: &Texture, stir: f32, room: &mut Room) {
        let rows = room.real.chunks_exact_mut(BEAMS);
        let rows = rows.zip(room.imaginary.chunks_exact_mut(BEAMS));
        for ((real, imaginary), [depth, _, near]) in rows.zip(&self.samples) {
            let values = real.iter_mut().zip(imaginary);
            for ((re, im), [sine, cosine, _]) in values.zip(&self.beams) {
                let echo = section.echo(depth * sine, depth * cosine);
                let [along, aside] = echo.material;
                let along = if echo.blood { along + stir } else { along };
                let scatter = texture.scatter(along, aside);
                let strength = echo.strength + near;
                *re = strength * scatter[0];
                *im = strength * scatter[1];
            }
        }
    }

    /// The envelope of all samples, into the spare field.
    fn envelope(&self, room: &mut Room) {
        let rows = room.spare.chunks_exact_mut(BEAMS);
        let rows = rows.zip(room.real.chunks_exact(BEAMS));
        let rows = rows.zip(room.imaginary.chunks_exact(BEAMS));
        let rows = rows.zip(room.noise.chunks_exact(BEAMS));
        for ((((envelope, real), imaginary), noise), [_, gain, _]) in rows.zip(&self.samples) {
            let values = envelope.iter_mut().zip(real).zip(imaginary).zip(noise);
            for ((((envelope, re), im), noise), [_, _, left]) in values.zip(&self.beams) {
                *envelope = (re * re + im * im).sqrt() * gain * left + self.noise * noise.abs();
            }
        }
    }

    /// Amplitudes in decibels as gray, from 0 (black) to 1.
    fn to_gray(&self, values: &mut [f32]) {
        // 20 log10 of x is this times log2 of x.
        const DECIBELS: f32 = 6.020_6;
        for value in values {
            let level = DECIBELS * log2(*value + 1e-5) + self.offset;
            *value = power((level / self.range).clamp(0.0, 1.0), self.gamma);
        }
    }
}

/// An amplitude of decibels.
fn amplitude(decibels: f64) -> f32 {
    exp((decibels * std::f64::consts::LN_10 / 20.0) as f32)
}

/// At a share of the way along values, straight from one to the next.
fn between(values: &[f64; 5], share: f64) -> f64 {
    let at = share.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let i = (at as usize).min(values.len() - 2);
    values[i] + (values[i + 1] - values[i]) * (at - i as f64)
}

/// All pixels within the sector.
fn pixels(view: &View, step: f64, turn: f64) -> Vec<Pixel> {
    let split = |place: f64, count: usize| {
        let from = (place as usize).min(count - 2);
        (from, (place - from as f64) as f32)
    };
    let one = |at: usize| {
        let [x, y] = view.to_cm([(at % SIZE) as f64, (at / SIZE) as f64]);
        let radius = (x * x + y * y).sqrt();
        if y <= 0.0 || radius <= NEAREST || radius > view.depth {
            return None;
        }
        let angle = arc_tangent(x / y);
        if angle.abs() > view.half_angle {
            return None;
        }
        let (row, down) = split((radius - NEAREST) / step, SAMPLES);
        let (column, across) = split((angle + view.half_angle) / turn, BEAMS);
        Some(Pixel {
            at,
            from: row * BEAMS + column,
            down,
            across,
        })
    };
    (0..SIZE * SIZE).filter_map(one).collect()
}
