//! Which of the shapes that a window is drawn of stand still.

use egui::Rect;
use egui::epaint::{ClippedShape, Shape};
use std::sync::Arc;

/// Which of the shapes are those that were kept, if all of these are there, in their order.
pub(super) fn found(kept: &[ClippedShape], shapes: &[ClippedShape]) -> Option<Vec<bool>> {
    let mut next = kept.iter().peekable();
    let each = shapes.iter().map(|shape| {
        let is_next = next.peek().is_some_and(|kept| same(kept, shape));
        if is_next {
            next.next();
        }
        is_next
    });
    let found = each.collect();
    next.next().is_none().then_some(found)
}

/// Which of the shapes are as they were before and lie over nothing that moves, or that moved at a shape's turn before
/// (`regions`).
pub(super) fn standing(
    before: &[ClippedShape],
    shapes: &[ClippedShape],
    regions: &[(usize, Rect)],
) -> Vec<bool> {
    let mut moves: Vec<Rect> = Vec::new();
    let each = before.iter().zip(shapes).enumerate();
    let each = each.map(|(i, (before, shape))| {
        let place = place(shape);
        let stands = same(before, shape) && !moves.iter().any(|r| r.intersects(place));
        if !stands && place.is_positive() {
            moves.push(place);
        }
        let moved = regions.iter().filter(|(at, _)| *at == i);
        moves.extend(moved.map(|(_, place)| *place));
        stands
    });
    each.collect()
}

/// What moves, with its place, if some of it is below what stands.
pub(super) fn covered(shapes: &[ClippedShape], stand: &[bool]) -> Option<Vec<(usize, Rect)>> {
    let mut moves: Vec<(usize, Rect)> = Vec::new();
    let mut is_covered = false;
    for (i, (shape, stands)) in shapes.iter().zip(stand).enumerate() {
        let place = place(shape);
        match stands {
            true => is_covered |= moves.iter().any(|(_, r)| r.intersects(place)),
            false if place.is_positive() => moves.push((i, place)),
            false => (),
        }
    }
    is_covered.then_some(moves)
}

/// Where a shape is seen, and what its soft edges reach.
fn place(shape: &ClippedShape) -> Rect {
    let bounds = shape.transform_after_tessellation * shape.shape.visual_bounding_rect();
    shape.clip_rect.intersect(bounds.expand(1.0))
}

fn same(a: &ClippedShape, b: &ClippedShape) -> bool {
    a.clip_rect == b.clip_rect
        && a.transform_after_tessellation == b.transform_after_tessellation
        && same_shape(&a.shape, &b.shape)
}

fn same_shape(a: &Shape, b: &Shape) -> bool {
    match (a, b) {
        // What another pipeline draws may be anything.
        (Shape::Callback(_), _) | (_, Shape::Callback(_)) => false,
        (Shape::Vec(a), Shape::Vec(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        // Lines of text are laid out once: most are the same ones.
        (Shape::Text(a), Shape::Text(b)) if Arc::ptr_eq(&a.galley, &b.galley) => {
            let rest = |t: &egui::epaint::TextShape| {
                (
                    (t.pos, t.underline, t.fallback_color),
                    (t.override_text_color, t.opacity_factor, t.angle),
                )
            };
            rest(a) == rest(b)
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui_wgpu::{self, wgpu};
    use egui::{Color32, Pos2, pos2, vec2};

    fn rect(x: f32, colour: Color32) -> ClippedShape {
        let shape = Shape::rect_filled(
            Rect::from_min_size(pos2(x, 0.0), vec2(10.0, 10.0)),
            0,
            colour,
        );
        ClippedShape::new(Rect::from_min_size(Pos2::ZERO, vec2(100.0, 100.0)), shape)
    }

    #[test]
    fn what_is_kept_is_found_again_with_others_between() {
        let [a, b, c] = [Color32::RED, Color32::GREEN, Color32::BLUE].map(|c| rect(20.0, c));
        let kept = [a.clone(), c.clone()];
        let shapes = [a.clone(), b.clone(), c.clone()];
        assert_eq!(found(&kept, &shapes), Some(vec![true, false, true]));
        // In another order, or without one of them, it is another picture.
        assert_eq!(found(&kept, &[c.clone(), a.clone()]), None);
        assert_eq!(found(&kept, &[a, b]), None);
    }

    #[test]
    fn what_lies_over_something_that_moves_is_drawn_with_it() {
        let mover = |x| rect(x, Color32::RED);
        let [under, over, beside] = [0.0, 5.0, 60.0].map(|x| rect(x, Color32::GREEN));
        let before = [under.clone(), mover(0.0), over.clone(), beside.clone()];
        let now = [under.clone(), mover(1.0), over.clone(), beside.clone()];
        let stand = standing(&before, &now, &[]);
        assert_eq!(stand, [true, false, false, true]);
        assert_eq!(covered(&now, &stand), None);
        // Later it comes below what stood beside it.
        let later = [under, mover(55.0), over, beside];
        let regions = covered(&later, &[true, false, false, true]).unwrap();
        assert_eq!(
            standing(&before, &before, &regions),
            [true, true, true, false]
        );
    }

    #[test]
    fn what_another_pipeline_draws_is_never_the_same() {
        struct Nothing;
        impl egui_wgpu::CallbackTrait for Nothing {
            fn paint(
                &self,
                _: egui::PaintCallbackInfo,
                _: &mut wgpu::RenderPass<'static>,
                _: &egui_wgpu::CallbackResources,
            ) {
            }
        }
        let place = Rect::from_min_size(Pos2::ZERO, vec2(10.0, 10.0));
        let callback = egui_wgpu::Callback::new_paint_callback(place, Nothing);
        let shape = ClippedShape::new(place, Shape::Callback(callback));
        assert!(!same(&shape, &shape));
    }
}
