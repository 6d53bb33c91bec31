use crate::clip::Frame;
use crate::media::region::Square;
use crate::ui::theme::tokens;
use egui::{Color32, CursorIcon, Rect, Response, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

/// Smallest square, in pixels of the source.
const LEAST: usize = 32;
/// Reach of the corner handle, in points.
const HANDLE: f32 = 12.0;

/// Shows the square on the picture in `picture` and lets it be dragged, by its inside or by its
/// lower right corner. Returns true when the user has let go of a changed square.
pub fn square_editor(ui: &mut Ui, picture: Rect, frame: &Frame, square: &mut Square) -> bool {
    let scale = picture.width() / frame.width.max(1) as f32;
    let rect = |s: Square| {
        Rect::from_min_size(
            picture.min + vec2(s.x as f32, s.y as f32) * scale,
            vec2(s.side as f32, s.side as f32) * scale,
        )
    };
    let outline = rect(*square);
    let corner = Rect::from_center_size(
        outline.max - vec2(HANDLE / 2.0, HANDLE / 2.0),
        vec2(HANDLE, HANDLE),
    );
    let id = ui.scope_id().with("square");
    let inside = ui.interact(outline, id, Sense::drag());
    let handle = ui.interact(corner, id.with("corner"), Sense::drag());
    name(&inside, "Square taken from the source");
    name(&handle, "Size of the square");
    if inside.hovered() {
        ui.ctx().set_cursor_icon(CursorIcon::Grab);
    }
    if handle.hovered() {
        ui.ctx().set_cursor_icon(CursorIcon::ResizeNwSe);
    }
    // The pointer moves by fractions of a pixel; whole pixels are taken from where it is.
    if let (true, Some(at)) = (handle.dragged(), handle.interact_pointer_pos()) {
        let reach = (at - outline.min) / scale;
        let most = (frame.width - square.x).min(frame.height - square.y);
        let least = LEAST.min(most);
        square.side = (reach.max_elem().max(0.0) as usize).clamp(least, most);
    } else if inside.dragged() {
        let key = id.with("start");
        let start = ui.data_mut(|d| *d.get_temp_mut_or_insert_with(key, || (square.x, square.y)));
        if let (Some(at), Some(origin)) = (
            inside.interact_pointer_pos(),
            ui.input(|i| i.pointer.press_origin()),
        ) {
            let moved = (at - origin) / scale;
            let place = |start: usize, by: f32, most: usize| {
                (start as f32 + by).clamp(0.0, most as f32) as usize
            };
            square.x = place(start.0, moved.x, frame.width - square.side);
            square.y = place(start.1, moved.y, frame.height - square.side);
        }
    }
    let finished = inside.drag_stopped() || handle.drag_stopped();
    if finished {
        ui.data_mut(|d| d.remove::<(usize, usize)>(id.with("start")));
    }
    let outline = rect(*square);
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
    let tip = outline.max;
    painter.add(egui::Shape::convex_polygon(
        vec![tip, tip - vec2(HANDLE, 0.0), tip - vec2(0.0, HANDLE)],
        accent,
        Stroke::NONE,
    ));
    finished
}

fn name(response: &Response, text: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::GenericContainer, true, text));
}
