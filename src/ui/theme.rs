//! Design tokens: every colour and distance that screens use.

use egui::{Color32, CornerRadius, Stroke, Theme, Visuals};

/// Space between groups, inside panels, between lines.
pub const GAP: f32 = 12.0;
pub const SMALL_GAP: f32 = 6.0;

/// Colours of one theme that egui's own style has no name for.
#[derive(Clone, Copy)]
pub struct Tokens {
    pub accent: Color32,
    /// Behind a message of something that went well.
    pub success: Color32,
    pub muted: Color32,
    pub warning: Color32,
    pub warning_text: Color32,
    pub error: Color32,
    /// Something to look at twice.
    pub caution: Color32,
    pub reduced: Color32,
    pub mildly_reduced: Color32,
    pub preserved: Color32,
    pub mark: Color32,
    pub hatch: Color32,
    /// Behind pictures, in both themes: that is how echoes are read.
    pub picture: Color32,
    pub on_picture: Color32,
    /// Over a picture that is no longer what is set.
    pub dimmed: Color32,
    /// Behind words on a picture.
    pub plate: Color32,
    /// The left ventricle's outline, over a picture.
    pub outline: Color32,
}

const DARK: Tokens = Tokens {
    accent: Color32::from_rgb(88, 166, 255),
    success: Color32::from_rgb(24, 62, 44),
    muted: Color32::from_rgb(152, 160, 170),
    warning: Color32::from_rgb(78, 58, 16),
    warning_text: Color32::from_rgb(255, 211, 110),
    error: Color32::from_rgb(255, 138, 128),
    caution: Color32::from_rgb(255, 190, 70),
    reduced: Color32::from_rgb(158, 66, 66),
    mildly_reduced: Color32::from_rgb(158, 122, 48),
    preserved: Color32::from_rgb(58, 122, 82),
    mark: Color32::from_rgb(240, 244, 248),
    hatch: Color32::from_rgba_premultiplied(0, 0, 0, 150),
    picture: Color32::from_rgb(0, 0, 0),
    on_picture: Color32::from_rgb(226, 230, 236),
    dimmed: Color32::from_rgba_premultiplied(0, 0, 0, 140),
    plate: Color32::from_rgba_premultiplied(0, 0, 0, 190),
    outline: Color32::from_rgb(255, 206, 84),
};

const LIGHT: Tokens = Tokens {
    accent: Color32::from_rgb(9, 90, 190),
    success: Color32::from_rgb(214, 240, 224),
    muted: Color32::from_rgb(88, 96, 105),
    warning: Color32::from_rgb(255, 241, 204),
    warning_text: Color32::from_rgb(104, 72, 0),
    error: Color32::from_rgb(176, 32, 32),
    caution: Color32::from_rgb(140, 82, 0),
    reduced: Color32::from_rgb(226, 138, 138),
    mildly_reduced: Color32::from_rgb(232, 196, 110),
    preserved: Color32::from_rgb(134, 200, 158),
    mark: Color32::from_rgb(24, 28, 32),
    hatch: Color32::from_rgba_premultiplied(150, 150, 150, 150),
    picture: Color32::from_rgb(0, 0, 0),
    on_picture: Color32::from_rgb(226, 230, 236),
    dimmed: Color32::from_rgba_premultiplied(0, 0, 0, 140),
    plate: Color32::from_rgba_premultiplied(0, 0, 0, 190),
    outline: Color32::from_rgb(255, 206, 84),
};

pub fn tokens(ui: &egui::Ui) -> Tokens {
    if ui.visuals().dark_mode { DARK } else { LIGHT }
}

/// Whether panels paint their background. The window is cleared to it: filling it once more takes a renderer
/// in software as long as all the rest.
pub fn paint_background(ctx: &egui::Context, paints: bool) {
    ctx.data_mut(|data| data.insert_temp(paints_background(), paints));
}

/// A panel's frame without margins.
pub fn background(ui: &egui::Ui) -> egui::Frame {
    match is_background_painted(ui) {
        true => egui::Frame::new().fill(ui.visuals().panel_fill),
        false => egui::Frame::new(),
    }
}

/// Whether panels paint their background.
pub fn is_background_painted(ui: &egui::Ui) -> bool {
    let paints = ui.data(|data| data.get_temp(paints_background()));
    paints == Some(true)
}

fn paints_background() -> egui::Id {
    egui::Id::unique("paints background")
}

/// How much larger than usual all is to be on a screen of this height in pixels, where the desktop itself enlarges
/// by `native`: text of 13 points is small on 1440 lines, and what the desktop enlarges is large enough.
pub fn zoom_on(lines: f32, native: f32) -> f32 {
    match lines {
        _ if native > 1.05 => 1.0,
        lines if lines >= 2000.0 => 1.5,
        lines if lines >= 1400.0 => 1.2,
        _ => 1.0,
    }
}

/// Sets both themes' styles; dark is the default, because reading rooms are.
pub fn install(ctx: &egui::Context, light: bool) {
    ctx.set_theme(if light { Theme::Light } else { Theme::Dark });
    for (theme, mut visuals, tokens) in [
        (Theme::Dark, Visuals::dark(), DARK),
        (Theme::Light, Visuals::light(), LIGHT),
    ] {
        if theme == Theme::Dark {
            visuals.panel_fill = Color32::from_rgb(22, 25, 29);
            visuals.window_fill = Color32::from_rgb(28, 32, 37);
            visuals.extreme_bg_color = Color32::from_rgb(13, 15, 18);
            visuals.override_text_color = Some(Color32::from_rgb(224, 228, 233));
            visuals.widgets.noninteractive.bg_stroke =
                Stroke::new(1.0, Color32::from_rgb(48, 54, 61));
        }
        visuals.selection.bg_fill = tokens.accent.gamma_multiply(0.45);
        visuals.hyperlink_color = tokens.accent;
        for w in [
            &mut visuals.widgets.noninteractive,
            &mut visuals.widgets.inactive,
            &mut visuals.widgets.hovered,
            &mut visuals.widgets.active,
            &mut visuals.widgets.open,
        ] {
            w.corner_radius = CornerRadius::same(5);
        }
        ctx.set_visuals_of(theme, visuals);
        ctx.style_mut_of(theme, |style| {
            style.spacing.item_spacing = egui::vec2(8.0, SMALL_GAP);
            style.spacing.button_padding = egui::vec2(9.0, 4.0);
            style.spacing.window_margin = egui::Margin::same(GAP as i8);
            style.interaction.tooltip_delay = 0.4;
        });
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_follows_the_screen_but_not_twice() {
        let zoom = super::zoom_on;
        assert_eq!((zoom(800.0, 1.0), zoom(1080.0, 1.0)), (1.0, 1.0));
        assert_eq!((zoom(1440.0, 1.0), zoom(2160.0, 1.0)), (1.2, 1.5));
        assert_eq!(zoom(2160.0, 2.0), 1.0);
    }
}
