use super::*;
use proptest::prelude::*;

const HINGES: Hinges = Hinges {
    septal: [40.0, 72.0],
    lateral: [72.0, 72.0],
    apex: [56.0, 15.0],
};

/// Height of the drawn valve at a column: a flat dome into the ventricle.
fn dome(x: f64) -> f64 {
    72.0 - 4.0 * (1.0 - ((x - 56.0) / 16.0).powi(2)).max(0.0)
}

/// Dark blood with a little speckle, two walls, and a valve of this brightness at each column.
fn drawn(valve: impl Fn(f64) -> f64) -> Vec<u8> {
    let level = |i: usize| {
        let (x, y) = ((i % SIDE) as f64, (i / SIDE) as f64);
        let speckle = ((i * 7919) % 9) as f64;
        let wall = if (x - 35.0).abs() < 4.0 || (x - 77.0).abs() < 4.0 {
            150.0
        } else {
            0.0
        };
        let line = if (40.0..=72.0).contains(&x) {
            valve(x) * (-(y - dome(x)).powi(2) / 2.5).exp()
        } else {
            0.0
        };
        f64::max(wall, line) + speckle
    };
    (0..SIDE * SIDE).map(|i| level(i) as u8).collect()
}

fn closed() -> Valve {
    Valve::find(&drawn(|_| 160.0), &HINGES).unwrap()
}

/// Mean level of a frame about a place.
fn around(frame: &[f32], x: usize, y: usize) -> f32 {
    let rows = y - 1..=y + 1;
    let sum: f32 = rows.flat_map(|y| &frame[y * SIDE + x - 1..][..3]).sum();
    sum / 9.0
}

#[test]
fn the_line_of_a_closed_valve_is_traced() {
    let frame: Vec<f32> = drawn(|_| 160.0).into_iter().map(f32::from).collect();
    let ridge = Ridge::trace(&frame, &HINGES).unwrap();
    let inner = ridge
        .points()
        .iter()
        .filter(|p| (46.0..66.0).contains(&p[0]));
    for point in inner {
        assert!((point[1] - dome(point[0])).abs() < 1.2, "{point:?}");
    }
}

#[test]
fn only_a_closed_valve_is_one() {
    let find = |valve: &dyn Fn(f64) -> f64| Valve::find(&drawn(valve), &HINGES);
    assert!(find(&|_| 160.0).is_some());
    assert!(find(&|_| 0.0).is_none(), "no valve");
    assert!(
        find(&|x| if x < 56.0 { 160.0 } else { 0.0 }).is_none(),
        "one leaflet"
    );
    assert!(
        find(&|x| if (x - 56.0).abs() > 6.0 { 160.0 } else { 0.0 }).is_none(),
        "a gap"
    );
    // Tissue right behind the line: its edge is no leaflet.
    let mut tissue = drawn(|_| 160.0);
    for (i, level) in tissue.iter_mut().enumerate() {
        if (i / SIDE) as f64 > dome((i % SIDE) as f64) {
            *level = (*level).max(140);
        }
    }
    assert!(Valve::find(&tissue, &HINGES).is_none());
    // Fog in the ventricle.
    let fog: Vec<u8> = drawn(|_| 160.0).iter().map(|v| (*v).max(80)).collect();
    assert!(Valve::find(&fog, &HINGES).is_none());
}

#[test]
fn closed_is_the_frame_itself_and_opening_begins_there() {
    let valve = closed();
    assert!(valve.residual(0.0).iter().all(|r| *r == 0.0));
    assert!(valve.residual(f64::NAN).iter().all(|r| *r == 0.0));
    let largest = |r: Vec<f32>| r.iter().fold(0f32, |m, v| m.max(v.abs()));
    assert!(largest(valve.residual(0.002)) < 4.0);
    assert!(largest(valve.residual(0.5)) > 100.0);
}

#[test]
fn where_the_leaflets_were_is_blood_and_no_ghost() {
    let opened = closed().opened(1.0);
    for x in 52..60 {
        let y = dome(x as f64).round() as usize;
        assert!(
            around(&opened, x, y) < 12.0,
            "{x}: {}",
            around(&opened, x, y)
        );
    }
    // They stand in the ventricle now, left and right of the way in.
    let above = |columns: std::ops::Range<usize>| {
        let levels = columns.flat_map(|x| (58..66).map(move |y| (x, y)));
        levels
            .map(|(x, y)| opened[y * SIDE + x])
            .fold(0f32, f32::max)
    };
    assert!(above(41..52) > 90.0 && above(61..71) > 90.0);
    assert!(above(54..59) < 20.0);
}

#[test]
fn the_residual_is_zero_away_from_the_valve() {
    let residual = closed().residual(0.8);
    for (i, r) in residual.iter().enumerate() {
        let (x, y) = (i % SIDE, i / SIDE);
        if !(34..78).contains(&x) || !(45..80).contains(&y) {
            assert_eq!(*r, 0.0, "{x} {y}");
        }
    }
}

#[test]
fn leaflets_keep_their_length_and_bend() {
    let length = |line: &[Point]| -> f64 {
        let steps = line
            .windows(2)
            .map(|p| (p[1][0] - p[0][0]).hypot(p[1][1] - p[0][1]));
        steps.sum()
    };
    for leaflet in closed().leaflets {
        let (closed, half, open) = (leaflet.line(0.0), leaflet.line(0.5), leaflet.line(1.0));
        for line in [&half, &open] {
            assert!((length(line) - length(&closed)).abs() < 1e-9);
            assert_eq!(line[0], closed[0]);
        }
        // The tip goes toward the apex, and more so than the middle.
        let rise = |k: usize| closed[k][1] - open[k][1];
        let last = closed.len() - 1;
        assert!(rise(last) > 6.0 && rise(last) > 2.5 * rise(last / 2));
        let turn =
            |a: usize, b: usize| (open[b][1] - open[a][1]).atan2((open[b][0] - open[a][0]).abs());
        assert!(turn(last - 4, last) < turn(0, 4) - 0.4);
    }
}

#[test]
fn a_turned_picture_opens_the_same() {
    // Left and right exchanged: the septal hinge is on the right.
    let frame: Vec<u8> = drawn(|_| 160.0)
        .chunks(SIDE)
        .flat_map(|row| row.iter().rev().copied())
        .collect();
    let mirror = |p: Point| [(SIDE - 1) as f64 - p[0], p[1]];
    let hinges = Hinges {
        septal: mirror(HINGES.septal),
        lateral: mirror(HINGES.lateral),
        apex: mirror(HINGES.apex),
    };
    let (one, other) = (
        closed().opened(0.7),
        Valve::find(&frame, &hinges).unwrap().opened(0.7),
    );
    let different = one
        .chunks(SIDE)
        .zip(other.chunks(SIDE))
        .flat_map(|(a, b)| a.iter().zip(b.iter().rev()))
        .filter(|(a, b)| (*a - *b).abs() > 20.0)
        .count();
    assert!(different < 12, "{different}");
}

#[test]
fn the_valve_opens_twice_in_a_beat() {
    assert!((0..=42).all(|k| opening(f64::from(k) / 100.0, 0.375) == 0.0));
    let early = opening(0.375 + 0.05 + 0.2 * 0.575, 0.375);
    let between = opening(0.375 + 0.05 + 0.55 * 0.575, 0.375);
    let atrial = opening(0.375 + 0.05 + 0.86 * 0.575, 0.375);
    assert!(early == 1.0 && between < 0.3 && (0.6..0.9).contains(&atrial));
    assert_eq!(opening(1.2, 0.375), 0.0);
    assert_eq!(opening(f64::NAN, 0.375), 0.0);
}

proptest! {
    #[test]
    fn any_frame_and_hinges_are_survived(
        septal in [-20f64..130.0, -20f64..130.0],
        lateral in [-20f64..130.0, -20f64..130.0],
        apex in [-20f64..130.0, -20f64..130.0],
        seed in 0usize..1000,
        opening in -1f64..2.0,
    ) {
        let noise = |i: usize| ((i * 7919 + seed * 104_729) % 251) as u8;
        let frame: Vec<u8> = (0..SIDE * SIDE).map(noise).collect();
        let hinges = Hinges { septal, lateral, apex };
        if let Some(valve) = Valve::find(&frame, &hinges) {
            prop_assert!(valve.opened(opening).iter().all(|v| (0.0..=255.0).contains(v)));
        }
        prop_assert!(Valve::find(&frame[1..], &hinges).is_none());
    }

    /// A closed valve may hang anywhere, also at the edge of the picture.
    #[test]
    fn a_valve_at_the_edge_opens(dx in 0usize..70, dy in 0usize..42, opening in 0f64..1.0) {
        let source = drawn(|_| 160.0);
        let moved = |i: usize| {
            let (x, y) = (i % SIDE + dx, i / SIDE);
            let y = (y + 42).saturating_sub(dy);
            if x < SIDE && y < SIDE { source[y * SIDE + x] } else { 0 }
        };
        let frame: Vec<u8> = (0..SIDE * SIDE).map(moved).collect();
        let shift = |p: Point| [p[0] - dx as f64, p[1] - 42.0 + dy as f64]
            .map(|v| v.clamp(0.0, 111.0));
        let hinges = Hinges {
            septal: shift(HINGES.septal),
            lateral: shift(HINGES.lateral),
            apex: shift(HINGES.apex),
        };
        if let Some(valve) = Valve::find(&frame, &hinges) {
            prop_assert!(valve.opened(opening).iter().all(|v| (0.0..=255.0).contains(v)));
        }
    }
}
