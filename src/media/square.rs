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
        let end = |m: &Self| (m.x + m.width, m.y + m.height);
        self.x <= other.x
            && self.y <= other.y
            && end(self).0 >= end(other).0
            && end(self).1 >= end(other).1
    }

    pub fn holds(&self, x: usize, y: usize) -> bool {
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
    }
}
