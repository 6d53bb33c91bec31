//! What echoes where: the section through a heart at one moment.

use super::anatomy::Anatomy;
use super::maths::{bell, exp, power, sine_cosine};
use super::motion::Moment;
use super::settings::Settings;
use super::texture::Texture;
use super::wall_motion::Inward;

/// How far the atrial and the right ventricle's wall reach, in cm.
const ATRIAL_WALL: f32 = 0.4;
const RIGHT_WALL: f32 = 0.4;
/// Below the annulus and beside the wall tissue follows it by 1/e in so many cm.
const BELOW: f32 = 3.0;
const BESIDE: f32 = 2.0;

/// A chamber, as an ellipse about a place along and aside of the axis.
struct Ellipse {
    centre: [f32; 2],
    radii: [f32; 2],
    /// To here its wall reaches, as the square of the distance in radii.
    outer: f32,
}

impl Ellipse {
    fn new(along: f64, aside: f64, [across, down]: [f64; 2], wall: f32) -> Self {
        let outer = 1.0 + wall / across as f32;
        Self {
            centre: [along as f32, aside as f32],
            radii: [down as f32, across as f32],
            outer: outer * outer,
        }
    }

    /// The squared distance from the centre, in radii: 1 on the border.
    fn square(&self, a: f32, l: f32) -> f32 {
        let x = (a - self.centre[0]) / self.radii[0];
        let y = (l - self.centre[1]) / self.radii[1];
        x * x + y * y
    }
}

/// A thin bright line.
struct Leaflet {
    from: [f32; 2],
    step: [f32; 2],
    /// One over the square of its length, and over that of its width.
    per_length: f32,
    per_width: f32,
}

impl Leaflet {
    fn new(from: [f64; 2], to: [f64; 2], width: f32) -> Self {
        let step = [(to[0] - from[0]) as f32, (to[1] - from[1]) as f32];
        Self {
            from: from.map(|v| v as f32),
            step,
            per_length: 1.0 / (step[0] * step[0] + step[1] * step[1]).max(1e-6),
            per_width: 1.0 / (width * width),
        }
    }

    fn light(&self, a: f32, l: f32) -> f32 {
        let (da, dl) = (a - self.from[0], l - self.from[1]);
        let t = ((da * self.step[0] + dl * self.step[1]) * self.per_length).clamp(0.0, 1.0);
        let (da, dl) = (da - t * self.step[0], dl - t * self.step[1]);
        bell((da * da + dl * dl) * self.per_width)
    }
}

/// An echo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Echo {
    pub(super) strength: f32,
    /// The place in tissue, in cm at end-diastole along and aside of the axis: scatterers move with it.
    pub(super) material: [f32; 2],
    /// Whether it is blood, whose scatterers do not stay.
    pub(super) blood: bool,
}

/// A heart at one moment, in cm. Places are given along its long axis from the apex, and aside of it, to the
/// lateral wall.
pub(super) struct Section<'a> {
    settings: &'a Settings,
    texture: &'a Texture,
    apex: [f32; 2],
    axis: [f32; 2],
    along: f32,
    length: f32,
    length_ed: f32,
    half_width_ed: f32,
    inward: Inward,
    widest: f32,
    taper: f32,
    wall: f32,
    /// The wall's thickness at the apex, as a share of the length.
    cap: f32,
    right_ventricle: f32,
    left_atrium: Ellipse,
    right_atrium: Ellipse,
    mitral: [Leaflet; 2],
    tricuspid: [Leaflet; 2],
    /// Where the annulus echoes, aside of the axis on the septal and on the lateral side.
    hinges: [f32; 2],
}

/// The `x` at or past `border` with `x + moved * exp((border - x) / reach) = target`, by Newton's method: the sum
/// rises where `moved` is less than `reach`, which it always is, and bends one way.
fn follows(target: f32, border: f32, moved: f32, reach: f32) -> f32 {
    let mut x = target.max(border);
    for _ in 0..24 {
        let left = moved * exp((border - x) / reach);
        x = (x + (target - x - left) / (1.0 - left / reach).max(0.02)).max(border);
    }
    x
}

/// A place, and the left ventricle's borders beside it.
struct Place {
    a: f32,
    l: f32,
    /// As a share of the cavity's length.
    s: f32,
    /// Distances from the axis: of the place, and of the inner and the outer border.
    aside: f32,
    inner: f32,
    outer: f32,
    inner_ed: f32,
    outer_ed: f32,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        anatomy: &Anatomy,
        moment: &Moment,
        settings: &'a Settings,
        texture: &'a Texture,
    ) -> Self {
        let length = anatomy.length * moment.along;
        let half = 0.5 * anatomy.width;
        // Atria fill while the ventricles empty.
        let filled = 1.0 + 0.18 * moment.contraction;
        let left = anatomy.left_atrium.map(|r| r * filled);
        let right = anatomy.right_atrium.map(|r| r * filled);
        let right_aside = -(half + anatomy.wall + anatomy.right_atrium[0] * 0.75);
        let hinges = [false, true].map(|lateral| {
            let hinge = half * moment.inward.at(lateral, 1.0) * anatomy.profile(1.0);
            if lateral { hinge } else { -hinge }
        });
        let open = moment.opening;
        let mitral = hinges.map(|hinge| {
            let tip = [length - 0.25 - 1.6 * open, hinge * (0.06 + 0.62 * open)];
            Leaflet::new([length, hinge], tip, 0.13)
        });
        let septum = -(half * moment.inward.at(false, 1.0) + anatomy.wall);
        let tip = length - 0.5 - 1.2 * open;
        let far = septum - 0.9 * anatomy.right_ventricle;
        let tricuspid = [
            Leaflet::new(
                [length - 0.3, septum - 0.1],
                [tip, septum - 0.5 - 0.5 * open],
                0.12,
            ),
            Leaflet::new([length - 0.2, far], [tip, far + 0.7], 0.12),
        ];
        Self {
            settings,
            texture,
            apex: moment.apex.map(|v| v as f32),
            axis: moment.axis.map(|v| v as f32),
            along: moment.along as f32,
            length: length as f32,
            length_ed: anatomy.length as f32,
            half_width_ed: half as f32,
            inward: moment.inward,
            widest: anatomy.widest as f32,
            taper: anatomy.taper as f32,
            wall: anatomy.wall as f32,
            cap: (anatomy.wall / anatomy.length) as f32,
            right_ventricle: (anatomy.right_ventricle * (1.0 - 0.35 * moment.ejected)) as f32,
            left_atrium: Ellipse::new(
                length + 0.95 * left[1],
                0.15 * anatomy.width,
                left,
                ATRIAL_WALL,
            ),
            right_atrium: Ellipse::new(length + 0.8 * right[1], right_aside, right, 0.35),
            mitral,
            tricuspid,
            hinges: hinges.map(|hinge| hinge as f32 + 0.3 * (hinge as f32).signum()),
        }
    }

    /// [`Anatomy::profile`], in the section's own numbers.
    fn profile(&self, s: f32) -> f32 {
        if s < self.widest {
            let from_widest = 1.0 - s.max(0.0) / self.widest;
            (1.0 - from_widest * from_widest).max(0.0).sqrt()
        } else {
            let past = s - self.widest;
            // Below the annulus it is no border any more, and must not cross the axis.
            (1.0 - self.taper * past * past).max(0.2)
        }
    }

    fn place(&self, x: f32, y: f32) -> Place {
        let (dx, dy) = (x - self.apex[0], y - self.apex[1]);
        let a = dx * self.axis[0] + dy * self.axis[1];
        self.beside(a, dx * self.axis[1] - dy * self.axis[0])
    }

    /// The place `a` cm along the axis and `l` cm aside of it.
    fn beside(&self, a: f32, l: f32) -> Place {
        let s = a / self.length;
        let inner_ed = self.half_width_ed * self.profile(s);
        let inner = inner_ed * self.inward.at(l > 0.0, f64::from(s)) as f32;
        let side = if l > 0.0 { 1.0 } else { 1.05 };
        let thick = ((s + self.cap) / (self.cap + 0.12)).clamp(0.0, 1.0).sqrt();
        let outer_ed = inner_ed + self.wall * side * thick;
        // Each disk keeps its wall's volume, so that walls thicken.
        let ring = (outer_ed * outer_ed - inner_ed * inner_ed).max(0.0) / self.along;
        Place {
            a,
            l,
            s,
            aside: l.abs(),
            inner,
            outer: (inner * inner + ring).sqrt(),
            inner_ed,
            outer_ed,
        }
    }

    /// Where the place was at end-diastole, along and aside of the axis: disks keep their wall's volume, and away
    /// from the wall tissue follows it less and less.
    fn material(&self, p: &Place) -> [f32; 2] {
        let along = if p.s < 1.0 {
            p.a / self.along
        } else {
            p.a + (self.length_ed - self.length) * exp((self.length - p.a) / BELOW)
        };
        let aside = if p.aside <= p.inner {
            p.aside * (p.inner_ed / p.inner.max(1e-3))
        } else if p.aside <= p.outer {
            let ring = (p.aside * p.aside - p.inner * p.inner) * self.along;
            (p.inner_ed * p.inner_ed + ring).sqrt()
        } else {
            p.aside + (p.outer_ed - p.outer) * exp((p.outer - p.aside) / BESIDE)
        };
        [along, if p.l < 0.0 { -aside } else { aside }]
    }

    /// Where tissue at a place in cm was at end-diastole.
    pub(super) fn material_at(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        self.material(&self.place(x, y))
    }

    /// Where tissue of a place at end-diastole is now, in cm: the inverse of [`Self::material_at`].
    pub(super) fn place_of(&self, [along, aside]: [f32; 2]) -> [f32; 2] {
        let a = if along < self.length_ed {
            along * self.along
        } else {
            follows(along, self.length, self.length_ed - self.length, BELOW)
        };
        // Its borders are those of its side.
        let p = self.beside(a, aside);
        let m = aside.abs();
        let l = if m <= p.inner_ed {
            m * (p.inner / p.inner_ed.max(1e-3))
        } else if m <= p.outer_ed {
            let ring = (m * m - p.inner_ed * p.inner_ed) / self.along;
            (p.inner * p.inner + ring).sqrt()
        } else {
            follows(m, p.outer, p.outer_ed - p.outer, BESIDE)
        };
        let l = if aside < 0.0 { -l } else { l };
        [
            self.apex[0] + a * self.axis[0] + l * self.axis[1],
            self.apex[1] + a * self.axis[1] - l * self.axis[0],
        ]
    }

    /// What comes back from a place in cm, before beams and blur.
    pub(super) fn echo(&self, x: f32, y: f32) -> Echo {
        let p = self.place(x, y);
        let material = self.material(&p);
        let compounding = self.settings.compounding.as_ref();
        let by = compounding.map_or(0.55, |c| c.walls as f32);
        let uneven = exp(by * self.texture.slow(material[0], material[1]));
        let amplitude = |v: f64| v as f32;
        let s = self.settings;
        let in_cavity = p.s > 0.0 && p.s < 1.0 && p.aside < p.inner;
        let in_wall = p.s > -self.cap && p.s < 1.0 && p.aside < p.outer;
        let (mut strength, blood) = if in_cavity {
            (amplitude(s.blood), true)
        } else if in_wall {
            (self.muscle(&p, uneven), false)
        } else {
            self.around(&p, [x, y], uneven)
        };
        if p.l > 0.0 && p.s > 0.1 && p.s < 1.05 {
            let z = (p.aside - p.outer - 0.12) / 0.13;
            strength += amplitude(s.pericardium) * bell(z * z) * uneven.clamp(0.2, 2.0);
        }
        strength += self.base(&p);
        Echo {
            strength,
            material,
            blood,
        }
    }

    /// Muscle of the left ventricle: brightest at its inner border, and weaker where it lies along the beam.
    fn muscle(&self, p: &Place, uneven: f32) -> f32 {
        let depth = ((p.aside - p.inner) / (p.outer - p.inner).max(1e-3)).clamp(0.0, 1.0) / 0.18;
        let border = 1.0 + 0.8 * bell(depth * depth);
        let side = if p.l > 0.0 { 1.3 } else { 0.3 };
        let s = p.s.clamp(0.0, 1.0);
        let along_beam = side * s * (1.0 - (s - 0.8).max(0.0) * 3.0);
        let loss = exp(-self.settings.anisotropy as f32 * along_beam);
        self.settings.muscle as f32 * uneven.clamp(0.3, 2.0) * border * loss
    }

    /// Right ventricle, atria and what is beyond; and whether it is blood.
    fn around(&self, p: &Place, [x, y]: [f32; 2], uneven: f32) -> (f32, bool) {
        let settings = self.settings;
        let from_septum = -p.l - p.outer;
        if p.l <= 0.0 && from_septum > 0.0 && p.s > 0.15 && p.s < 1.02 {
            let lengthwise = f64::from(((p.s - 0.22) / 0.9).clamp(0.0, 1.0)) * std::f64::consts::PI;
            let width = self.right_ventricle * power(sine_cosine(lengthwise).0 as f32, 0.7);
            if from_septum < width && p.s > 0.22 {
                return (1.3 * settings.blood as f32, true);
            }
            if from_septum >= width && from_septum < width + RIGHT_WALL {
                return (0.9 * settings.muscle as f32, false);
            }
        }
        let left = (p.s >= 1.0).then(|| self.left_atrium.square(p.a, p.l));
        let right = (p.s >= 0.98).then(|| self.right_atrium.square(p.a, p.l));
        let within = |square: Option<f32>, limit: f32| square.is_some_and(|d| d < limit);
        if within(left, 1.0) || within(right, 1.0) {
            return (settings.blood as f32, true);
        }
        if within(left, self.left_atrium.outer) || within(right, self.right_atrium.outer) {
            let below = exp(-(p.a - self.length).max(0.0) / 2.2);
            let strength = settings.atrial_wall as f32 * uneven.clamp(0.2, 2.0);
            return (strength * (0.35 + 0.65 * below), false);
        }
        let patches = match &settings.compounding {
            None => exp(0.9 * self.texture.slow(0.5 * x + 13.0, 0.5 * y)),
            // Streaks across the beams, as their width leaves them.
            Some(c) => {
                let r = (x * x + y * y).sqrt();
                let streaks = self.texture.slow(1.2 * r + 13.0, 2.5 * x / r.max(0.1));
                let behind = 1.0 + c.behind as f32 * ((p.s - 1.0) / 0.5).clamp(0.0, 1.0);
                exp(c.around as f32 * streaks) * behind
            }
        };
        let strength = settings.surroundings as f32 * patches;
        let strength = if p.s < 1.0 {
            0.8 * strength * uneven.clamp(0.1, 2.0)
        } else {
            strength * uneven.clamp(0.15, 2.5)
        };
        (strength, false)
    }

    /// Valves, annulus, and the pericardium behind the left atrium.
    fn base(&self, p: &Place) -> f32 {
        // Nothing of it is nearer to the apex than the open leaflets' tips.
        if p.a < self.length - 3.0 {
            return 0.0;
        }
        let valve = self.settings.valve as f32;
        let mut sum: f32 = self.mitral.iter().map(|m| valve * m.light(p.a, p.l)).sum();
        let from_annulus = p.a - self.length;
        for side in self.hinges {
            let aside = p.l - side;
            sum += 1.2 * valve * bell((from_annulus * from_annulus + aside * aside) / 0.12);
        }
        if p.l < 0.0 {
            let light = self.tricuspid.iter().map(|t| t.light(p.a, p.l));
            sum += 0.8 * valve * light.sum::<f32>();
        }
        if p.s > 1.15 && p.a > self.left_atrium.centre[0] {
            let z = (self.left_atrium.square(p.a, p.l) - 1.25) / 0.12;
            sum += 0.8 * self.settings.pericardium as f32 * bell(z * z);
        }
        sum
    }
}
