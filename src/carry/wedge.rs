//! A sector's shape: two straight sides that meet above, and arcs about the point where they do.

/// Pixels of a 112 x 112 frame from a side at which what is lit touches it.
const TOUCH: f32 = 1.5;
/// Share of the rows that may lie beyond a side: marks that stuck to the sector.
const BEYOND: f32 = 0.02;
/// A side that what is lit touches over less of the picture's height than this is not to be seen.
const SEEN: f32 = 0.3;
/// Half of most sectors' opening angle, in degrees: where a side is not to be seen, it is no steeper.
const USUAL: f32 = 45.0;
/// How far above what is lit the sides may meet, in heights of the picture: a curved probe's sector begins
/// far below; and where the sides are not to be seen.
const HIGHEST: f32 = 0.35;
const NEAR: f32 = 0.15;

/// The half-plane on a side of which the sector lies: `normal . (x, y) <= offset`.
#[derive(Clone, Copy, Debug)]
struct Side {
    /// Degrees from straight down.
    angle: f32,
    normal: [f32; 2],
    offset: f32,
    /// Length along which what is lit touches it, pixels.
    touched: f32,
}

impl Side {
    /// The side at an angle about what is outermost in each row; `toward` is -1 for the left one.
    fn at(angle: f32, toward: f32, outermost: &[[f32; 2]], width: usize) -> Option<Self> {
        let (sin, cos) = angle.to_radians().sin_cos();
        let normal = [toward * cos, -sin];
        let along = |p: &[f32; 2]| normal[0] * p[0] + normal[1] * p[1];
        let mut reach: Vec<f32> = outermost.iter().map(along).collect();
        let beyond = (BEYOND * reach.len() as f32) as usize;
        reach.sort_by(|a, b| b.total_cmp(a));
        let offset = *reach.get(beyond)?;
        let touch = TOUCH * width as f32 / 112.0;
        // What ends at the picture's border is cut there, not at a side.
        let border = if toward < 0.0 {
            0.0
        } else {
            width as f32 - 1.0
        };
        let touches = |p: &&[f32; 2]| (p[0] - border).abs() > 1.5;
        let near = |p: &[f32; 2]| (1.0 - (offset - along(p)).abs() / touch).max(0.0);
        let touched = outermost.iter().filter(touches).map(near).sum::<f32>() / cos;
        Some(Self {
            angle,
            normal,
            offset,
            touched,
        })
    }

    /// The side that is touched along the greatest length.
    fn find(toward: f32, outermost: &[[f32; 2]], width: usize) -> Option<Self> {
        let angles = (20..=140).map(|half| half as f32 / 2.0);
        angles
            .filter_map(|angle| Self::at(angle, toward, outermost, width))
            .max_by(|a, b| a.touched.total_cmp(&b.touched))
    }
}

/// A sector: between two sides, and between two arcs about where these meet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wedge {
    sides: [Side; 2],
    tip: [f32; 2],
    radii: [f32; 2],
}

impl Wedge {
    /// About what is lit, `[width, width]`; none where its sides do not meet at or a little above it.
    pub(super) fn of(lit: &[bool], width: usize) -> Option<Self> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (y, row) in lit.chunks_exact(width).enumerate() {
            let ends = row
                .iter()
                .position(|&l| l)
                .zip(row.iter().rposition(|&l| l));
            if let Some((first, last)) = ends {
                left.push([first as f32, y as f32]);
                right.push([last as f32, y as f32]);
            }
        }
        let find = |toward: f32, outermost: &[[f32; 2]]| Side::find(toward, outermost, width);
        let (mut a, mut b) = (find(-1.0, &left)?, find(1.0, &right)?);
        let seen = |s: &Side| s.touched >= SEEN * width as f32;
        let mut highest = HIGHEST * width as f32;
        match (seen(&a), seen(&b)) {
            (true, true) => {}
            (false, false) => {
                let usual = |s: Side, toward: f32, ends: &[[f32; 2]]| {
                    Side::at(s.angle.max(USUAL), toward, ends, width)
                };
                highest = NEAR * width as f32;
                (a, b) = (usual(a, -1.0, &left)?, usual(b, 1.0, &right)?);
            }
            // A sector is mostly as wide to the one side as to the other.
            (true, false) => b = Side::at(b.angle.max(a.angle), 1.0, &right, width)?,
            (false, true) => a = Side::at(a.angle.max(b.angle), -1.0, &left, width)?,
        }
        let (n, m) = (a.normal, b.normal);
        let across = n[0] * m[1] - n[1] * m[0];
        if across.abs() < 1e-3 {
            return None;
        }
        let tip = [
            (a.offset * m[1] - b.offset * n[1]) / across,
            (n[0] * b.offset - m[0] * a.offset) / across,
        ];
        // What is as wide at its top as below has corners, not sides.
        if tip[1] < left.first()?[1] - highest {
            return None;
        }
        let mut radii: Vec<f32> = (0..lit.len())
            .filter(|&i| lit[i])
            .map(|i| ((i % width) as f32 - tip[0]).hypot((i / width) as f32 - tip[1]))
            .collect();
        radii.sort_by(f32::total_cmp);
        // A few pixels may be a mark's.
        let few = width * width / 4000;
        let least = *radii.get(few)?;
        let most = *radii.iter().rev().nth(few)?;
        Some(Self {
            sides: [a, b],
            tip,
            radii: [least - 2.0, most + 1.0],
        })
    }

    /// How far inside the nearer straight side a place lies, pixels; below 0 outside.
    pub(super) fn depth(&self, x: f32, y: f32) -> f32 {
        // Pixels reach half a pixel beyond their centres.
        let depth = |s: &Side| s.offset + 0.6 - s.normal[0] * x - s.normal[1] * y;
        self.sides.iter().map(depth).fold(f32::INFINITY, f32::min)
    }

    /// Whether a place in the picture belongs to the sector.
    pub(super) fn contains(&self, x: f32, y: f32) -> bool {
        let radius = (x - self.tip[0]).hypot(y - self.tip[1]);
        self.depth(x, y) >= 0.0 && (self.radii[0]..=self.radii[1]).contains(&radius)
    }
}
