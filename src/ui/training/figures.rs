//! Figures of guesses, and Bland and Altman's plot of them.

use crate::drill::case::Truth;
use crate::drill::progress::{FEWEST_FOR_LIMITS, Group, Point, Progress};
use crate::drill::staircase::Noticeable;
use crate::ui::parts::{heading, muted};
use crate::ui::theme::{SMALL_GAP, tokens};
use egui::{Align2, Color32, FontId, Grid, Pos2, Rect, RichText, Sense, Shape, Stroke, Ui};
use egui::{pos2, vec2};

/// Answers under which limits are told with their intervals drawn as wide as they are.
const FEW: usize = 30;

fn signed(x: Option<f64>) -> String {
    x.map_or("-".into(), |x| format!("{x:+.1}"))
}

fn plain(x: Option<f64>, decimals: usize) -> String {
    x.map_or("-".into(), |x| format!("{x:.decimals$}"))
}

/// With its interval where there is one.
fn between(
    value: String,
    low: Option<f64>,
    high: Option<f64>,
    show: impl Fn(Option<f64>) -> String,
) -> String {
    match (low, high) {
        (Some(_), Some(_)) => format!("{value}  ({} to {})", show(low), show(high)),
        _ => value,
    }
}

/// All of them, in points and shares.
pub fn figures(ui: &mut Ui, p: &Progress) {
    if p.n == 0 {
        muted(ui, "Nothing was answered.");
        return;
    }
    let percent = |x: Option<f64>| x.map_or("-".into(), |x| format!("{:.0} %", 100.0 * x));
    Grid::new("figures of guesses")
        .num_columns(2)
        .striped(true)
        .spacing([24.0, 4.0])
        .show(ui, |ui| {
            let mut row = |what: &str, figure: String| {
                ui.label(what);
                ui.label(RichText::new(figure).monospace());
                ui.end_row();
            };
            row("Guesses", p.n.to_string());
            row("Mean absolute error, points", plain(p.mae, 1));
            row(
                "Median absolute error, points",
                plain(p.median_absolute_error, 1),
            );
            let bias = between(signed(p.bias), p.bias_low, p.bias_high, signed);
            row("Bias, points (guess less truth)", bias);
            row("SD of errors, points", plain(p.sd, 1));
            if p.limit_low.is_some() {
                let [low, high] = [p.limit_low_ci, p.limit_high_ci].map(|ci| {
                    let [a, b] = [ci.map(|c| c[0]), ci.map(|c| c[1])];
                    (a, b)
                });
                row(
                    "Lower limit of agreement",
                    between(signed(p.limit_low), low.0, low.1, signed),
                );
                row(
                    "Upper limit of agreement",
                    between(signed(p.limit_high), high.0, high.1, signed),
                );
            } else {
                row(
                    "Limits of agreement",
                    format!("from {FEWEST_FOR_LIMITS} guesses on"),
                );
            }
            let slope = between(plain(p.slope, 2), p.slope_low, p.slope_high, |x| {
                plain(x, 2)
            });
            row("Slope of guess on truth", slope);
            let right = between(
                percent(p.category_accuracy),
                p.wilson_low,
                p.wilson_high,
                percent,
            );
            row("Right category", right);
            row("Weighted kappa of categories", plain(p.weighted_kappa, 2));
        });
    if let Some(words) = p.slope_in_words() {
        ui.add_space(SMALL_GAP);
        ui.label(words);
    }
    if p.limit_low.is_some() && p.n < FEW {
        muted(
            ui,
            format!(
                "Of fewer than {FEW} guesses limits are uncertain: their intervals are as wide as drawn."
            ),
        );
    }
    table(ui, p);
}

/// Truth by row, guess by column.
fn table(ui: &mut Ui, p: &Progress) {
    heading(ui, "Categories");
    let names = ["reduced", "mildly reduced", "preserved"];
    let muted = tokens(ui).muted;
    Grid::new("categories")
        .num_columns(4)
        .striped(true)
        .spacing([24.0, 4.0])
        .show(ui, |ui| {
            ui.label(RichText::new("Truth, and what was said").color(muted));
            for name in names {
                ui.label(RichText::new(name).color(muted));
            }
            ui.end_row();
            for (name, row) in names.iter().zip(&p.category_table) {
                ui.label(*name);
                for n in row {
                    ui.label(RichText::new(n.to_string()).monospace());
                }
                ui.end_row();
            }
        });
}

/// EFs along the axis.
const EFS: (f64, f64) = (5.0, 90.0);
/// Points of error that are always shown, above and below.
const LEAST: f64 = 20.0;

/// Differences against the truth where that is exact, else against the mean of both: Bland JM, Altman DG. Lancet
/// 1986;i:307-310.
pub fn bland_altman(ui: &mut Ui, points: &[Point], p: &Progress, truth: Truth, height: f32) {
    if points.is_empty() {
        return;
    }
    heading(ui, "Error against EF (Bland-Altman)");
    let tokens = tokens(ui);
    let size = vec2(ui.available_width().min(900.0), height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let words = format!("Bland-Altman plot of {} guesses", points.len());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &words));
    let limits = [p.limit_low_ci, p.limit_high_ci]
        .into_iter()
        .flatten()
        .flatten();
    let errors = points.iter().map(Point::error);
    let most = errors.chain(limits).map(f64::abs).fold(LEAST, f64::max);
    let most = (most / 10.0).ceil() * 10.0;
    let plot = Rect::from_min_max(rect.min + vec2(46.0, 6.0), rect.max - vec2(8.0, 36.0));
    let x = |ef: f64| plot.left() + plot.width() * ((ef - EFS.0) / (EFS.1 - EFS.0)) as f32;
    let y = |error: f64| plot.center().y - plot.height() / 2.0 * (error / most) as f32;
    let painter = ui.painter();
    let font = FontId::proportional(12.0);
    painter.rect_filled(plot, 2.0, ui.visuals().extreme_bg_color);
    let band = |ci: Option<[f64; 2]>| {
        if let Some([low, high]) = ci {
            let area = Rect::from_min_max(pos2(plot.left(), y(high)), pos2(plot.right(), y(low)));
            let fill = tokens.accent.gamma_multiply(0.18);
            painter.rect_filled(area.intersect(plot), 0.0, fill);
        }
    };
    band(p.limit_low_ci);
    band(p.limit_high_ci);
    painter.hline(plot.x_range(), y(0.0), Stroke::new(1.0, tokens.muted));
    let label = |error: f64, text: String| {
        let at = pos2(plot.right() - 4.0, y(error) - 2.0);
        painter.text(at, Align2::RIGHT_BOTTOM, text, font.clone(), tokens.muted);
    };
    if let Some(bias) = p.bias.filter(|_| p.limit_low.is_some()) {
        painter.hline(plot.x_range(), y(bias), Stroke::new(2.0, tokens.accent));
        label(bias, format!("bias {bias:+.1}"));
    }
    for limit in [p.limit_low, p.limit_high].into_iter().flatten() {
        dashed(ui, plot, y(limit), tokens.accent);
        label(limit, format!("{limit:+.1}"));
    }
    for point in points {
        let at = pos2(x(point.abscissa(truth)), y(point.error()));
        painter.circle(
            at,
            3.5,
            tokens.mark,
            Stroke::new(1.0, ui.visuals().panel_fill),
        );
    }
    for ef in [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0] {
        let at = pos2(x(ef), plot.bottom() + 3.0);
        painter.text(at, Align2::CENTER_TOP, ef, font.clone(), tokens.muted);
    }
    for error in [-most, -most / 2.0, 0.0, most / 2.0, most] {
        let at = pos2(plot.left() - 6.0, y(error));
        let text = scale(error);
        painter.text(at, Align2::RIGHT_CENTER, text, font.clone(), tokens.muted);
    }
    let axis = match truth {
        Truth::Exact => "true EF, %",
        Truth::Measured | Truth::Labelled => "mean of guess and truth, %",
    };
    let at = pos2(plot.center().x, rect.bottom());
    painter.text(at, Align2::CENTER_BOTTOM, axis, font, tokens.muted);
}

/// A number of an axis, with its sign.
fn scale(points: f64) -> String {
    match points == 0.0 {
        true => "0".into(),
        false => format!("{points:+.0}"),
    }
}

fn dashed(ui: &Ui, plot: Rect, y: f32, colour: Color32) {
    let ends: [Pos2; 2] = [pos2(plot.left(), y), pos2(plot.right(), y)];
    let stroke = Stroke::new(1.5, colour);
    ui.painter()
        .extend(Shape::dashed_line(&ends, stroke, 8.0, 5.0));
}

/// As `5.1 points (3.2 to 8.0)`.
pub fn noticeable_in_words(found: &Noticeable) -> String {
    match found.is_measurable() {
        true => format!(
            "Just-noticeable difference: {:.1} points of EF (95 % interval {:.1} to {:.1}).",
            found.value, found.low, found.high
        ),
        false => "The just-noticeable difference is not measurable in this range: it is larger than 25 points."
            .into(),
    }
}

/// Mean absolute error, and the bias with its interval, session by session.
pub fn over_time(ui: &mut Ui, sessions: &[Group]) {
    if sessions.len() < 2 {
        return;
    }
    heading(ui, "Over sessions");
    let tokens = tokens(ui);
    let size = vec2(ui.available_width().min(900.0), 160.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let words = format!("Errors of {} sessions", sessions.len());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &words));
    let all = sessions.iter().flat_map(|g| {
        let p = &g.progress;
        [p.mae, p.bias_low, p.bias_high, p.bias]
    });
    let most = all.flatten().map(f64::abs).fold(10.0, f64::max);
    let most = (most / 10.0).ceil() * 10.0;
    let plot = Rect::from_min_max(rect.min + vec2(46.0, 6.0), rect.max - vec2(8.0, 24.0));
    let step = plot.width() / sessions.len() as f32;
    let x = |i: usize| plot.left() + step * (i as f32 + 0.5);
    let y = |points: f64| plot.center().y - plot.height() / 2.0 * (points / most) as f32;
    let painter = ui.painter();
    let font = FontId::proportional(12.0);
    painter.rect_filled(plot, 2.0, ui.visuals().extreme_bg_color);
    painter.hline(plot.x_range(), y(0.0), Stroke::new(1.0, tokens.muted));
    let errors: Vec<Pos2> = sessions
        .iter()
        .enumerate()
        .filter_map(|(i, g)| Some(pos2(x(i), y(g.progress.mae?))))
        .collect();
    painter.add(Shape::line(errors.clone(), Stroke::new(2.0, tokens.mark)));
    for at in errors {
        painter.circle_filled(at, 4.0, tokens.mark);
    }
    for (i, group) in sessions.iter().enumerate() {
        let p = &group.progress;
        if let Some((low, high)) = p.bias_low.zip(p.bias_high) {
            painter.vline(x(i), y(high)..=y(low), Stroke::new(1.5, tokens.accent));
        }
        if let Some(bias) = p.bias {
            let square = Rect::from_center_size(pos2(x(i), y(bias)), vec2(7.0, 7.0));
            painter.rect_filled(square, 0.0, tokens.accent);
        }
        // Every date where there is room for it.
        let every = (84.0 / step).ceil().max(1.0) as usize;
        if i % every == 0 {
            let at = pos2(x(i), plot.bottom() + 3.0);
            painter.text(
                at,
                Align2::CENTER_TOP,
                &group.label,
                font.clone(),
                tokens.muted,
            );
        }
    }
    for points in [-most, 0.0, most] {
        let at = pos2(plot.left() - 6.0, y(points));
        let text = scale(points);
        painter.text(at, Align2::RIGHT_CENTER, text, font.clone(), tokens.muted);
    }
    muted(
        ui,
        "Circles: mean absolute error. Squares: bias with its 95 % interval. Points of EF.",
    );
}

/// An EF as precisely as it is known: two decimals where one would hide on which side of a border it is.
pub fn ef_in_words(ef_percent: f64) -> String {
    let tenths = (10.0 * ef_percent).round() / 10.0;
    match (tenths - ef_percent).abs() < 1e-6 {
        true => format!("{ef_percent:.1} %"),
        false => format!("{ef_percent:.2} %"),
    }
}

/// As `1 point`, `2.5 points`.
pub fn points_in_words(points: f64) -> String {
    let tenths = (10.0 * points).round() / 10.0;
    let s = if tenths == 1.0 { "" } else { "s" };
    format!("{tenths} point{s}")
}
