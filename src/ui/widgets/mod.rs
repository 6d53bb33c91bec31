mod cine;
mod ef_scale;
mod ef_slider;
mod square_editor;
mod texture;

pub use cine::{Cine, Key, Picture};
pub use ef_scale::{Did, EfScale, Told};
pub use ef_slider::{EfSlider, Mark};
pub use square_editor::{Edit, mask_drawer, show_masks, square_editor};
pub use texture::{FILLING, Filter, Pipeline, Texture, filling};
