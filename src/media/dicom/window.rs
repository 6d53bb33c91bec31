//! Windows: how stored values become levels (PS3.3 C.11.2.1.2), of the whole image or, in enhanced
//! multi-frame images, of the functional groups of all frames or of each (C.7.6.16.2.9 and 10).

use super::dataset::{DataSet, Values};
use dicom_dictionary_std::tags;

/// `v * slope + intercept`, then by a function to 0..255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    slope: f64,
    intercept: f64,
    /// `None` where the file does not say.
    function: Option<Function>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Function {
    /// From the lowest to the highest.
    Linear([f64; 2]),
    /// Centre and width.
    Sigmoid([f64; 2]),
}

impl Window {
    /// By the first of these that has an attribute.
    fn read(places: &[&Values]) -> Self {
        let first = |tag| places.iter().find_map(|p| p.floats(tag).first().copied());
        let name = places.iter().find_map(|p| p.text(tags::VOILUT_FUNCTION));
        // Centre and width belong together.
        let mut pairs = places.iter().filter_map(|p| {
            let of = |tag| p.floats(tag).first().copied();
            of(tags::WINDOW_CENTER).zip(of(tags::WINDOW_WIDTH))
        });
        let function = pairs.find_map(|(centre, width)| match name.as_deref() {
            Some("SIGMOID") if width > 0.0 => Some(Function::Sigmoid([centre, width])),
            Some("LINEAR_EXACT") if width > 0.0 => {
                let low = centre - width / 2.0;
                Some(Function::Linear([low, low + width]))
            }
            // PS3.3 C.11.2.1.2.1; a width of 1 is a threshold.
            _ if width >= 1.0 => {
                let low = centre - 0.5 - (width - 1.0) / 2.0;
                Some(Function::Linear([low, low + width - 1.0]))
            }
            _ => None,
        });
        Self {
            slope: first(tags::RESCALE_SLOPE)
                .filter(|s| *s != 0.0)
                .unwrap_or(1.0),
            intercept: first(tags::RESCALE_INTERCEPT).unwrap_or(0.0),
            function,
        }
    }

    /// 0 to 255.
    pub fn level(&self, value: f64) -> u8 {
        let value = value * self.slope + self.intercept;
        let part = match self.function {
            Some(Function::Linear([low, high])) if high > low => (value - low) / (high - low),
            Some(Function::Linear([low, _])) => f64::from(u8::from(value > low)),
            Some(Function::Sigmoid([centre, width])) => {
                1.0 / (1.0 + (-4.0 * (value - centre) / width).exp())
            }
            None => value,
        };
        (part.clamp(0.0, 1.0) * 255.0).round() as u8
    }
}

/// The window of every frame.
#[derive(Debug)]
pub struct Windows {
    of_all: Window,
    of_frames: Vec<Window>,
    are_of_groups: bool,
}

impl Windows {
    /// A frame's own group counts before the shared one, and that before the image's attributes.
    pub fn read(data: &DataSet) -> Self {
        let has_window = |v: &Values| v.get(tags::WINDOW_CENTER).is_some();
        let of_frames = data
            .of_frames
            .iter()
            .map(|own| Window::read(&[own, &data.of_all, &data.values]));
        Self {
            of_all: Window::read(&[&data.of_all, &data.values]),
            of_frames: of_frames.collect(),
            are_of_groups: has_window(&data.of_all) || data.of_frames.iter().any(has_window),
        }
    }

    pub fn of_frame(&self, i: usize) -> &Window {
        self.of_frames.get(i).unwrap_or(&self.of_all)
    }

    /// Whether functional groups say it.
    pub fn are_of_groups(&self) -> bool {
        self.are_of_groups
    }

    /// Whether frames have none.
    pub fn need_settling(&self) -> bool {
        let mut all = self.of_frames.iter().chain([&self.of_all]);
        all.any(|w| w.function.is_none())
    }

    /// This range of stored values serves where the file gives none.
    pub fn settle(&mut self, [low, high]: [f64; 2]) {
        if low >= high {
            return;
        }
        for window in self.of_frames.iter_mut().chain([&mut self.of_all]) {
            let mut ends = [low, high].map(|v| v * window.slope + window.intercept);
            ends.sort_by(f64::total_cmp);
            window.function = window.function.or(Some(Function::Linear(ends)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(function: Function) -> Window {
        Window {
            slope: 1.0,
            intercept: 0.0,
            function: Some(function),
        }
    }

    #[test]
    fn each_function_has_its_middle_and_its_ends() {
        let linear = window(Function::Linear([100.0, 200.0]));
        assert_eq!([50.0, 150.0, 999.0].map(|v| linear.level(v)), [0, 128, 255]);
        let sigmoid = window(Function::Sigmoid([100.0, 20.0]));
        assert_eq!(sigmoid.level(100.0), 128);
        assert!(sigmoid.level(70.0) < 3 && sigmoid.level(130.0) > 252);
        let threshold = window(Function::Linear([9.5, 9.5]));
        assert_eq!([9.0, 10.0].map(|v| threshold.level(v)), [0, 255]);
    }
}
