//! Mitral leaflets that open by rule.
//!
//! A warp of the anatomy moves walls but keeps a closed valve closed. Where the frame shows a closed
//! valve, its leaflets are lifted off, bent into the ventricle about their hinges, and laid back
//! into the frame; where they were, the frame's own blood is seen. What comes out is the anatomy
//! with its valve opened, to be carried by the motion afterwards.
//!
//! ```
//! use echoif::leaflets::{Hinges, Valve, opening};
//! let frame = vec![0; 112 * 112];
//! let hinges = Hinges { septal: [45.0, 70.0], lateral: [70.0, 72.0], apex: [58.0, 15.0] };
//! // Nothing bright between the hinges: no valve.
//! assert!(Valve::find(&frame, &hinges).is_none());
//! assert_eq!(opening(0.2, 0.375), 0.0);
//! ```

mod ridge;
mod strip;

use ridge::Ridge;
use strip::Strip;

/// `[x, y]` in pixels of the 112 x 112 frame.
type Point = [f64; 2];

/// Pixels along a side of a frame.
const SIDE: usize = 112;
/// The anterior leaflet's share of the closed valve's length. In a four-chamber view it is the
/// longer one, and it hangs from the septum.
const ANTERIOR: f64 = 0.6;
/// The opening from which a leaflet is drawn as one that moves; before it, the frame's own closed
/// valve fades over.
const SETTLED: f64 = 0.2;

/// Where a mitral valve hangs, in pixels of the 112 x 112 frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hinges {
    /// Of the anterior leaflet.
    pub septal: Point,
    /// Of the posterior leaflet.
    pub lateral: Point,
    /// The ventricle's apex: where the leaflets open to.
    pub apex: Point,
}

/// A closed mitral valve that was found in a frame.
#[derive(Clone, Debug)]
pub struct Valve {
    /// The frame, 0..255.
    frame: Vec<f32>,
    /// The frame without its leaflets.
    blood: Vec<f32>,
    leaflets: [Strip; 2],
    /// What the frame has and the closed leaflets, drawn into the blood, lack.
    missed: Vec<f32>,
}

impl Valve {
    /// The closed valve of a frame (112 x 112 gray levels, row by row), or None where none is seen.
    ///
    /// The rule: between the hinges, clear of them, runs a thin line that is brighter than what lies
    /// on both its sides, in either half and with hardly a gap; the ventricle before it is dark, and
    /// the atrium behind it at least darker. A raised leaflet alone, a shelf of tissue, a line that
    /// ends up on a wall are none.
    pub fn find(frame: &[u8], hinges: &Hinges) -> Option<Self> {
        if frame.len() != SIDE * SIDE {
            return None;
        }
        let frame: Vec<f32> = frame.iter().map(|v| f32::from(*v)).collect();
        let ridge = Ridge::trace(&frame, hinges)?;
        if !ridge.is_closed_valve() {
            return None;
        }
        let mut blood = frame.clone();
        let leaflets = ridge
            .leaflets(ANTERIOR)
            .map(|closed| Strip::lift(&frame, &mut blood, closed));
        let mut closed = blood.clone();
        for leaflet in &leaflets {
            leaflet.draw(0.0, &mut closed);
        }
        let missed = frame.iter().zip(&closed).map(|(f, c)| f - c).collect();
        Some(Self {
            frame,
            blood,
            leaflets,
            missed,
        })
    }

    /// The frame with its leaflets opened, from 0 (as it is) to 1; 112 x 112 levels, 0..255.
    pub fn opened(&self, opening: f64) -> Vec<f32> {
        let opening = opening.clamp(0.0, 1.0);
        if opening.is_nan() || opening == 0.0 {
            return self.frame.clone();
        }
        let mut out = self.blood.clone();
        for leaflet in &self.leaflets {
            leaflet.draw(opening, &mut out);
        }
        let share = smooth_step(SETTLED, 0.0, opening) as f32;
        for (out, missed) in out.iter_mut().zip(&self.missed) {
            *out = (*out + share * missed).clamp(0.0, 255.0);
        }
        out
    }

    /// What opening changes: `opened` less the frame. 0 wherever no leaflet was or is.
    pub fn residual(&self, opening: f64) -> Vec<f32> {
        let opened = self.opened(opening);
        opened.iter().zip(&self.frame).map(|(o, f)| o - f).collect()
    }
}

/// How far the mitral valve is open at a phase of the beat (0 at end-diastole), for a share
/// `systole` of the beat: closed in systole, wide in early filling, half shut in between, and open
/// again in atrial contraction.
pub fn opening(phase: f64, systole: f64) -> f64 {
    let bell = |u: f64, middle: f64, width: f64| (-((u - middle) / width).powi(2)).exp();
    // Isovolumic relaxation takes .05 of the beat; the valve closes at its very end.
    let filling = (phase.rem_euclid(1.0) - systole - 0.05) / (0.95 - systole);
    if filling.is_nan() || filling < 0.0 {
        return 0.0;
    }
    let between = if (0.1..0.95).contains(&filling) {
        0.18
    } else {
        0.0
    };
    (bell(filling, 0.2, 0.16) + 0.55 * bell(filling, 0.86, 0.09) + between).min(1.0)
}

/// A frame's level at a place, bilinearly; beyond the edge its pixels go on.
fn sampled(frame: &[f32], point: Point) -> f32 {
    let place = |v: f64| {
        let v = v.clamp(0.0, (SIDE - 1) as f64);
        let first = (v as usize).min(SIDE - 2);
        (first, (v - first as f64) as f32)
    };
    let ((x, right), (y, down)) = (place(point[0]), place(point[1]));
    let line = |y: usize| {
        let pair = frame.get(y * SIDE + x..y * SIDE + x + 2);
        pair.map_or(0.0, |p| p[0] * (1.0 - right) + p[1] * right)
    };
    line(y) * (1.0 - down) + line(y + 1) * down
}

/// 0 at `low` and before, 1 at `high` and beyond, smooth between; `low` may be the larger one.
fn smooth_step(low: f64, high: f64, v: f64) -> f64 {
    let u = ((v - low) / (high - low)).clamp(0.0, 1.0);
    u * u * (3.0 - 2.0 * u)
}

#[cfg(test)]
mod tests;
