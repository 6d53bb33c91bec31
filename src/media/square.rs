//! Squares and rectangles of a frame, in its pixels.

/// Side of the anatomy, in pixels.
pub const SIDE: usize = 112;

/// A square of a frame, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Square {
    pub x: usize,
    pub y: usize,
    pub side: usize,
}

impl Square {
    /// The largest centred square of a picture.
    pub fn centred(width: usize, height: usize) -> Self {
        let side = width.min(height).max(1);
        Self {
            x: (width - side.min(width)) / 2,
            y: (height - side.min(height)) / 2,
            side,
        }
    }

    /// The same square, moved and shrunk as needed to lie within a picture.
    pub fn within(self, width: usize, height: usize) -> Self {
        let side = self.side.clamp(1, width.min(height).max(1));
        Self {
            x: self.x.min(width.saturating_sub(side)),
            y: self.y.min(height.saturating_sub(side)),
            side,
        }
    }
}

/// A rectangle that is blackened, in pixels of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mask {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

impl Mask {
    /// Whether another one lies within this.
    pub fn covers(&self, other: &Self) -> bool {
        let end = |m: &Self| (m.x.saturating_add(m.width), m.y.saturating_add(m.height));
        self.x <= other.x
            && self.y <= other.y
            && end(self).0 >= end(other).0
            && end(self).1 >= end(other).1
    }

    pub fn holds(&self, x: usize, y: usize) -> bool {
        // Its numbers may be anybody's.
        let (right, bottom) = (
            self.x.saturating_add(self.width),
            self.y.saturating_add(self.height),
        );
        (self.x..right).contains(&x) && (self.y..bottom).contains(&y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// A mask holds just what lies to the right of and below its corner, and not beyond its size, whatever is asked.
        #[test]
        fn a_mask_of_any_numbers_holds_what_it_says(x in 0..9usize, y in 0..9usize, width: usize, height: usize, at in (0..20usize, 0..20usize)) {
            let mask = Mask { x, y, width, height };
            let within = |at: usize, from: usize, n: usize| at >= from && at - from < n;
            let right = within(at.0, x, width) && within(at.1, y, height);
            proptest::prop_assert_eq!(mask.holds(at.0, at.1), right);
            proptest::prop_assert!(mask.covers(&mask));
        }
    }
}
