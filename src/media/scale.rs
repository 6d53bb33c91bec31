//! How large a pixel of a recording is.

use super::region::Square;

/// Sizes of a pixel that a scan can have, in centimetres.
const SIZES_CM: std::ops::RangeInclusive<f64> = 1e-4..=1.0;

/// The size of a pixel in a part of a recording, as the file says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Width and height of a pixel in centimetres.
    cm: [f64; 2],
    /// Where that holds: `[x, y, width, height]` in pixels of the recording.
    place: [usize; 4],
}

impl Scale {
    /// `cm` is a pixel's width and height in centimetres, `place` where that holds, as `[x, y, width, height]`.
    /// `None` of sizes that no scan has.
    pub fn new(cm: [f64; 2], place: [usize; 4]) -> Option<Self> {
        let sound = cm.iter().all(|size| SIZES_CM.contains(size));
        sound.then_some(Self { cm, place })
    }

    /// Width and height of a pixel of a square in centimetres; `None` of one whose middle lies elsewhere.
    pub fn of(&self, square: Square) -> Option<[f64; 2]> {
        let [x, y, width, height] = self.place;
        let middle = [square.x + square.side / 2, square.y + square.side / 2];
        let inside = (x..x + width).contains(&middle[0]) && (y..y + height).contains(&middle[1]);
        inside.then_some(self.cm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_holds_in_its_region_and_is_one_of_a_scan() {
        let scale = Scale::new([0.05, 0.06], [100, 50, 200, 200]).unwrap();
        let at = |x, y| Square { x, y, side: 100 };
        assert_eq!(scale.of(at(150, 100)), Some([0.05, 0.06]));
        assert_eq!(scale.of(at(0, 100)), None);
        for wrong in [[0.0, 0.05], [0.05, f64::NAN], [40.0, 40.0]] {
            assert_eq!(Scale::new(wrong, [0, 0, 9, 9]), None, "{wrong:?}");
        }
    }
}
