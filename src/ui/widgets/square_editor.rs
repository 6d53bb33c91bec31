use crate::media::region::{Mask, Square};
use crate::ui::theme::tokens;
use egui::{
    Color32, CursorIcon, PointerButton, Rect, Response, Sense, Stroke, StrokeKind, Ui, Vec2, pos2,
    vec2,
};

/// Smallest square, in pixels of the source.
const LEAST: usize = 32;
/// Side of a corner handle, in points.
const HANDLE: f32 = 12.0;
/// Edges closer than this to a guide jump to it, in points. Alt switches that off.
const SNAP: f32 = 6.0;

/// What happened to the square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    None,
    /// It is being dragged.
    Live,
    /// The user has let go.
    Done,
}

/// Shows a square on the picture in `picture`, which shows `size` pixels, and lets it be dragged
/// by its inside or by its corners. It snaps to the picture's edges and middle and to `guide`.
pub fn square_editor(
    ui: &mut Ui,
    picture: Rect,
    size: [usize; 2],
    guide: Square,
    square: &mut Square,
) -> Edit {
    let [width, height] = size;
    let scale = picture.width() / width.max(1) as f32;
    let rect = |s: Square| {
        Rect::from_min_size(
            picture.min + vec2(s.x as f32, s.y as f32) * scale,
            Vec2::splat(s.side as f32 * scale),
        )
    };
    let id = ui.scope_id().with("square");
    let before = *square;
    let outline = rect(before);
    let snap = if ui.input(|i| i.modifiers.alt) {
        0.0
    } else {
        SNAP / scale
    };

    let inside = ui.interact(outline, id, Sense::drag());
    name(&inside, "Square taken from the source");
    if inside.hovered() {
        ui.ctx().set_cursor_icon(CursorIcon::Grab);
    }
    let mut done = inside.drag_stopped_by(PointerButton::Primary);
    let mut live = inside.dragged_by(PointerButton::Primary);
    if let Some(moved) = total_drag(ui, &inside, id.with("inside"), before) {
        let (start, by) = (moved.0, moved.1 / scale);
        let place = |wish: f32, extent: usize, guide_at: usize| {
            let most = extent - before.side;
            let other_end = (guide_at + guide.side).saturating_sub(before.side);
            snapped(wish, &[0, most, most / 2, guide_at, other_end], snap).min(most)
        };
        square.x = place(start.x as f32 + by.x, width, guide.x);
        square.y = place(start.y as f32 + by.y, height, guide.y);
    }
    let corners = [
        ("upper left", outline.left_top(), [false, false]),
        ("upper right", outline.right_top(), [true, false]),
        ("lower left", outline.left_bottom(), [false, true]),
        ("lower right", outline.right_bottom(), [true, true]),
    ];
    for (text, at, [right, lower]) in corners {
        let inward = vec2(
            if right { -0.5 } else { 0.5 } * HANDLE,
            if lower { -0.5 } else { 0.5 } * HANDLE,
        );
        let area = Rect::from_center_size(at + inward, Vec2::splat(HANDLE + 4.0));
        let handle = ui.interact(area, id.with(text), Sense::drag());
        name(&handle, &format!("Size of the square, {text} corner"));
        if handle.hovered() || handle.dragged() {
            ui.ctx().set_cursor_icon(if right == lower {
                CursorIcon::ResizeNwSe
            } else {
                CursorIcon::ResizeNeSw
            });
        }
        done |= handle.drag_stopped_by(PointerButton::Primary);
        live |= handle.dragged_by(PointerButton::Primary);
        let Some((start, by)) = total_drag(ui, &handle, id.with(text).with("start"), before) else {
            continue;
        };
        // The corner opposite stays where it is.
        let by = by / scale;
        let grown = [
            if right { by.x } else { -by.x },
            if lower { by.y } else { -by.y },
        ];
        let most_x = if right {
            width - start.x
        } else {
            start.x + start.side
        };
        let most_y = if lower {
            height - start.y
        } else {
            start.y + start.side
        };
        let most = most_x.min(most_y);
        let wish = start.side as f32 + (grown[0] + grown[1]) / 2.0;
        let side = snapped(wish, &[most, guide.side], snap).clamp(LEAST.min(most), most);
        *square = Square {
            x: if right {
                start.x
            } else {
                start.x + start.side - side
            },
            y: if lower {
                start.y
            } else {
                start.y + start.side - side
            },
            side,
        };
    }
    draw(ui, picture, rect(*square));
    match (done, live) {
        (true, _) => Edit::Done,
        (_, true) if *square != before => Edit::Live,
        _ => Edit::None,
    }
}

/// Where the square was when the drag began, and how far the pointer has come since. The pointer
/// moves by fractions of a pixel, so whole pixels are counted from the beginning.
fn total_drag(
    ui: &Ui,
    response: &Response,
    key: egui::Id,
    square: Square,
) -> Option<(Square, Vec2)> {
    if response.drag_stopped() {
        ui.data_mut(|d| d.remove::<Square>(key));
    }
    if !response.dragged_by(PointerButton::Primary) {
        return None;
    }
    let start = ui.data_mut(|d| *d.get_temp_mut_or_insert_with(key, || square));
    let origin = ui.input(|i| i.pointer.press_origin())?;
    Some((start, response.interact_pointer_pos()? - origin))
}

/// The nearest of the guides if it is near, else the value itself.
fn snapped(value: f32, guides: &[usize], reach: f32) -> usize {
    let near = guides
        .iter()
        .map(|&g| (g, (g as f32 - value).abs()))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    match near {
        Some((guide, distance)) if distance <= reach => guide,
        _ => value.max(0.0).round() as usize,
    }
}

fn draw(ui: &Ui, picture: Rect, outline: Rect) {
    let accent = tokens(ui).accent;
    let painter = ui.painter();
    let shade = Color32::from_black_alpha(120);
    for part in [
        Rect::from_min_max(picture.min, pos2(picture.right(), outline.top())),
        Rect::from_min_max(pos2(picture.left(), outline.bottom()), picture.max),
        Rect::from_min_max(
            pos2(picture.left(), outline.top()),
            pos2(outline.left(), outline.bottom()),
        ),
        Rect::from_min_max(
            pos2(outline.right(), outline.top()),
            pos2(picture.right(), outline.bottom()),
        ),
    ] {
        if part.is_positive() {
            painter.rect_filled(part, 0.0, shade);
        }
    }
    painter.rect_stroke(outline, 0.0, Stroke::new(1.5, accent), StrokeKind::Inside);
    let small = HANDLE * 0.7;
    for (tip, dx, dy) in [
        (outline.left_top(), 1.0, 1.0),
        (outline.right_top(), -1.0, 1.0),
        (outline.left_bottom(), 1.0, -1.0),
        (outline.right_bottom(), -1.0, -1.0),
    ] {
        let triangle = vec![
            tip,
            tip + vec2(dx * small, 0.0),
            tip + vec2(0.0, dy * small),
        ];
        painter.add(egui::Shape::convex_polygon(triangle, accent, Stroke::NONE));
    }
}

/// Shows masks on the picture: confirmed ones black, proposed ones outlined.
pub fn show_masks(ui: &Ui, picture: Rect, width: usize, masks: &[Mask], proposals: &[Mask]) {
    let scale = picture.width() / width.max(1) as f32;
    let rect = |m: &Mask| {
        Rect::from_min_size(
            picture.min + vec2(m.x as f32, m.y as f32) * scale,
            vec2(m.width as f32, m.height as f32) * scale,
        )
        .intersect(picture)
    };
    let tokens = tokens(ui);
    for mask in masks {
        ui.painter().rect_filled(rect(mask), 0.0, Color32::BLACK);
        let stroke = Stroke::new(1.0, tokens.muted);
        ui.painter()
            .rect_stroke(rect(mask), 0.0, stroke, StrokeKind::Inside);
    }
    for proposal in proposals {
        let stroke = Stroke::new(1.5, tokens.warning_text);
        ui.painter()
            .rect_stroke(rect(proposal), 0.0, stroke, StrokeKind::Inside);
    }
}

/// Lets a rectangle be drawn on the picture; the mask when the user lets go.
pub fn mask_drawer(ui: &mut Ui, picture: Rect, size: [usize; 2]) -> Option<Mask> {
    let scale = picture.width() / size[0].max(1) as f32;
    let response = ui.interact(picture, ui.scope_id().with("mask"), Sense::drag());
    name(&response, "Draw a mask");
    if response.hovered() {
        ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
    }
    // Where it began and where it is: the pointer may leave the window as it is let go.
    let key = ui.scope_id().with("mask from and to");
    if response.drag_started_by(PointerButton::Primary)
        && let Some(origin) = ui.input(|i| i.pointer.press_origin())
    {
        ui.data_mut(|d| d.insert_temp(key, (origin, origin)));
    }
    let (from, mut to) = ui.data_mut(|d| d.get_temp::<(egui::Pos2, egui::Pos2)>(key))?;
    let drags = response.dragged_by(PointerButton::Primary);
    if let Some(at) = response.interact_pointer_pos().filter(|_| drags) {
        to = at;
        ui.data_mut(|d| d.insert_temp(key, (from, to)));
    }
    let drawn = Rect::from_two_pos(from, to).intersect(picture);
    let stroke = Stroke::new(1.5, tokens(ui).accent);
    ui.painter()
        .rect_stroke(drawn, 0.0, stroke, StrokeKind::Inside);
    if !response.drag_stopped_by(PointerButton::Primary) {
        return None;
    }
    ui.data_mut(|d| d.remove::<(egui::Pos2, egui::Pos2)>(key));
    let at = (drawn.min - picture.min) / scale;
    let extent = drawn.size() / scale;
    let mask = Mask {
        x: at.x.max(0.0) as usize,
        y: at.y.max(0.0) as usize,
        width: extent.x.ceil().max(0.0) as usize,
        height: extent.y.ceil().max(0.0) as usize,
    };
    (mask.width > 0 && mask.height > 0 && drawn.is_positive()).then_some(mask)
}

fn name(response: &Response, text: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::GenericContainer, true, text));
}
