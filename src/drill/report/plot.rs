//! Bland and Altman's plot, as SVG.

use crate::drill::case::Truth;
use crate::drill::progress::{Point, Progress};
use maud::{Markup, html};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 44.0;
const BELOW: f64 = 36.0;
/// EFs along the axis.
const EFS: (f64, f64) = (10.0, 85.0);
/// Points of error that are always shown, above and below.
const LEAST: f64 = 20.0;

/// Differences against the truth, or against the mean of both.
pub fn bland_altman(points: &[Point], progress: &Progress, truth: Truth) -> Markup {
    let most = points.iter().map(|p| p.error().abs()).fold(LEAST, f64::max);
    let most = (most / 10.0).ceil() * 10.0;
    let x = |ef: f64| LEFT + (WIDTH - LEFT) * (ef - EFS.0) / (EFS.1 - EFS.0);
    let y = |error: f64| (HEIGHT - BELOW) * (0.5 - 0.5 * error / most);
    let line = |error: f64, class: &str| {
        html! {
            line class=(class) x1=(px(LEFT)) x2=(px(WIDTH)) y1=(px(y(error))) y2=(px(y(error))) {}
        }
    };
    let label = |error: f64, text: &str| {
        html! {
            text class="of" x=(px(WIDTH - 4.0)) y=(px(y(error) - 4.0)) text-anchor="end" { (text) }
        }
    };
    let axis = match truth {
        Truth::Exact => "true EF, %",
        Truth::Measured | Truth::Labelled => "mean of guess and truth, %",
    };
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label="Bland-Altman plot" {
            (line(0.0, "zero"))
            @if let Some([low, high]) = progress.limit_low_ci {
                rect class="ci" x=(px(LEFT)) width=(px(WIDTH - LEFT)) y=(px(y(high))) height=(px(y(low) - y(high))) {}
            }
            @if let Some([low, high]) = progress.limit_high_ci {
                rect class="ci" x=(px(LEFT)) width=(px(WIDTH - LEFT)) y=(px(y(high))) height=(px(y(low) - y(high))) {}
            }
            @if progress.limit_low.is_some() && let Some(bias) = progress.bias {
                (line(bias, "bias")) (label(bias, &format!("bias {bias:+.1}")))
            }
            @for limit in [progress.limit_low, progress.limit_high].into_iter().flatten() {
                (line(limit, "limit")) (label(limit, &format!("{limit:+.1}")))
            }
            @for point in points {
                circle cx=(px(x(point.abscissa(truth)))) cy=(px(y(point.error()))) r="3" {}
            }
            @for ef in [20.0, 40.0, 60.0, 80.0] {
                text x=(px(x(ef))) y=(px(HEIGHT - BELOW + 16.0)) text-anchor="middle" { (ef) }
            }
            @for error in [-most, -most / 2.0, 0.0, most / 2.0, most] {
                text x=(px(LEFT - 6.0)) y=(px((y(error) + 4.0).clamp(10.0, HEIGHT - BELOW))) text-anchor="end" {
                    (format!("{error:+.0}"))
                }
            }
            text x=(px((LEFT + WIDTH) / 2.0)) y=(px(HEIGHT - 4.0)) text-anchor="middle" { (axis) }
        }
    }
}

fn px(at: f64) -> String {
    format!("{at:.1}")
}
