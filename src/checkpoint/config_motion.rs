//! What a stage of a motion cascade has in `config.yaml` beside the published options: `output`,
//! `motion` and `encoder`.

use super::yaml_values::{Section, number};
use crate::edm::Output;
use crate::models::anatomy_encoder::EncoderConfig;
use serde::Deserialize;
use serde_json::Value;

/// Keys of a network's options that are read here.
const KEYS: [&str; 3] = ["output", "motion", "encoder"];

/// The section `motion`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Motion {
    /// Pixels of displacement that make 1 in a channel.
    scale: Value,
    /// Height and width of the picture that those pixels are of.
    picture_size: usize,
    third_channel: String,
}

/// What a stage is, apart from its network's options.
pub(super) struct Kind {
    pub output: Output,
    pub encoder: Option<EncoderConfig>,
    /// The network's own options.
    pub unet: Section,
}

/// Takes the options of a motion stage out of a network's.
///
/// # Errors
/// A phrase that names the option that is missing, unknown or out of range.
pub(super) fn split(name: &str, options: &Section) -> Result<Kind, String> {
    let section = |key: &str| options.get(key).filter(|v| !v.is_null());
    let output = match section("output").map(Value::as_str) {
        None | Some(Some("picture")) => Output::Picture,
        Some(Some("motion")) => motion(name, section("motion"))?,
        Some(_) => return Err(format!("`{name}.output` must be picture or motion")),
    };
    if output == Output::Picture && section("motion").is_some() {
        return Err(format!("`{name}.motion` needs `output: motion` beside it"));
    }
    let encoder = section("encoder").map(|value| {
        let config = EncoderConfig::deserialize(value)
            .map_err(|e| format!("`{name}.encoder` cannot be understood ({e})"))?;
        config.check().map_err(|why| format!("`{name}`: {why}"))?;
        Ok::<_, String>(config)
    });
    let mut unet = options.clone();
    unet.retain(|key, _| !KEYS.contains(&key.as_str()));
    Ok(Kind {
        output,
        encoder: encoder.transpose()?,
        unet,
    })
}

fn motion(name: &str, section: Option<&Value>) -> Result<Output, String> {
    let section =
        section.ok_or_else(|| format!("`{name}` lacks `motion`, which says its scale"))?;
    let motion = Motion::deserialize(section)
        .map_err(|e| format!("`{name}.motion` cannot be understood ({e})"))?;
    if motion.third_channel != "lv_cavity" {
        return Err(format!("`{name}.motion.third_channel` must be lv_cavity"));
    }
    let scale = number(&motion.scale).filter(|s| (1e-3..=1e3).contains(s));
    let scale = scale.filter(|_| (16..=1024).contains(&motion.picture_size));
    Ok(Output::Motion {
        scale: scale.ok_or_else(|| {
            format!("`scale` or `picture_size` of `{name}.motion` is out of range")
        })?,
        picture_size: motion.picture_size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::yaml;

    const STAGE: &str = "{dim: 16, output: motion, motion: {scale: 3, picture_size: 112, \
        third_channel: lv_cavity}, encoder: {width: 24, embedding: 64, features: 16, size: 112}}";

    fn read(text: &str) -> Result<Kind, String> {
        split("unets.unet1", &yaml::read(text).unwrap())
    }

    #[test]
    fn a_motion_stage_is_told_apart_from_its_network() {
        let kind = read(STAGE).unwrap();
        let expected = Output::Motion {
            scale: 3.0,
            picture_size: 112,
        };
        assert_eq!(kind.output, expected);
        assert_eq!(kind.encoder.unwrap().features, 16);
        assert_eq!(kind.unet.len(), 1);
        let plain = read("{dim: 16}").unwrap();
        assert_eq!((plain.output, plain.encoder), (Output::Picture, None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, word) in [
            ("scale: 3", "scale: .nan", "scale"),
            ("scale: 3, ", "", "scale"),
            ("lv_cavity", "phase", "third_channel"),
            ("output: motion, ", "", "output: motion"),
            ("output: motion", "output: sound", "output"),
            ("features: 16", "features: 0", "features"),
            ("width: 24", "width: 25", "width"),
        ] {
            let why = read(&STAGE.replace(from, to)).map(|_| ()).unwrap_err();
            assert!(why.contains(word), "{to}: {why}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_value_makes_it_panic(value in "[-0-9.e\\[\\], a-z{}:]{0,16}") {
            for needle in ["3", "112", "lv_cavity", "motion", "24"] {
                if let Ok(options) = yaml::read(&STAGE.replacen(needle, &value, 1)) {
                    let _ = split("unets.unet1", &options);
                }
            }
        }
    }
}
