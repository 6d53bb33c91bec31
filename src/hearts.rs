//! The simulated hearts inside the program: something to open with, belonging to nobody.

use crate::clip::{Frame, Pixels};
use crate::ef::EfPercent;
use serde::Deserialize;

/// An end-diastolic frame of a simulated heart whose EF is exact by construction.
#[derive(Clone, Debug)]
pub struct SimulatedHeart {
    pub frame: Frame,
    pub ef: EfPercent,
}

/// How many there are.
pub const COUNT: usize = 3;

const FRAMES: [&[u8]; COUNT] = [
    include_bytes!("../assets/a4c_1.png"),
    include_bytes!("../assets/a4c_2.png"),
    include_bytes!("../assets/a4c_3.png"),
];

#[derive(Deserialize)]
struct About {
    ef_percent: f64,
}

/// The `i`-th simulated heart, counted from 0 and around.
///
/// # Errors
/// A phrase, only when the program was built with a damaged asset.
pub fn simulated_heart(i: usize) -> Result<SimulatedHeart, String> {
    let i = i % COUNT;
    let about: Vec<About> =
        serde_json::from_str(include_str!("../assets/a4c.json")).map_err(|e| e.to_string())?;
    let picture = image::load_from_memory(FRAMES[i])
        .map_err(|e| e.to_string())?
        .to_luma8();
    let ef = about
        .get(i)
        .ok_or("the list of hearts is too short")?
        .ef_percent;
    Ok(SimulatedHeart {
        frame: Frame {
            width: picture.width() as usize,
            height: picture.height() as usize,
            pixels: Pixels::Gray(picture.into_raw()),
        },
        ef: EfPercent::new(ef)?,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_heart_opens_at_the_networks_size() {
        for i in 0..super::COUNT {
            let heart = super::simulated_heart(i).unwrap();
            assert_eq!((heart.frame.width, heart.frame.height), (112, 112));
        }
    }
}
