//! `config.yaml` of a published cascade, resolved with the published code's defaults.
//!
//! What could change the arithmetic and is not known is refused by name; sections that only matter
//! to training are ignored.

use super::config_motion;
use super::yaml_values::{Section, flag, number, per, refuse_unknown, resize_mode, whole};
use crate::edm::{CascadeConfig, NoiseLevels, Output, Solver, StageConfig};
use crate::files::yaml;
use crate::models::unet3d::UnetConfig;
use serde_json::Value;

type Outcome<T> = Result<T, String>;

/// Options of a U-Net that this program computes one way only.
const UNET_FIXED: &[(&str, &str)] = &[
    ("layer_attns", "false"),
    ("max_text_len", "1"),
    ("num_time_tokens", "2"),
    ("learned_sinu_pos_emb_dim", "16"),
    ("temporal_strides", "1"),
    ("use_linear_attn", "false"),
    ("use_linear_cross_attn", "false"),
    ("cond_on_text", "true"),
    ("init_cross_embed", "true"),
    ("cross_embed_downsample", "false"),
    ("attn_pool_text", "true"),
    ("init_conv_to_final_conv_residual", "false"),
    ("use_global_context_attn", "true"),
    ("scale_skip_connection", "true"),
    ("final_resnet_block", "true"),
    ("final_conv_kernel_size", "3"),
    ("cosine_sim_attn", "false"),
    ("self_cond", "false"),
    ("combine_upsample_fmaps", "false"),
    ("pixel_shuffle_upsample", "true"),
    ("time_rel_pos_bias_depth", "2"),
    ("time_causal_attn", "true"),
];

/// Options of a U-Net that are read, or that say nothing about sampling.
const UNET_KNOWN: &[&str] = &[
    "dim",
    "dim_mults",
    "num_resnet_blocks",
    "resnet_groups",
    "layer_cross_attns",
    "cond_images_channels",
    "attend_at_middle",
    "memory_efficient",
    "channels",
    "attn_heads",
    "attn_dim_head",
    "attn_pool_num_latents",
    "resize_mode",
    "lowres_cond",
    "text_embed_dim",
    "dropout",
];

const IMAGEN_FIXED: &[(&str, &str)] = &[
    ("elucidated", "true"),
    ("condition_on_text", "true"),
    ("text_embed_dim", "1"),
    ("auto_normalize_img", "true"),
    ("lowres_noise_schedule", "linear"),
];

const IMAGEN_KNOWN: &[&str] = &[
    "image_sizes",
    "num_sample_steps",
    "temporal_downsample_factor",
    "sigma_min",
    "sigma_max",
    "sigma_data",
    "rho",
    "S_churn",
    "S_tmin",
    "S_tmax",
    "S_noise",
    "resize_mode",
    "channels",
    "lowres_sample_noise_level",
    "dynamic_thresholding",
    "dynamic_thresholding_percentile",
    // Training only.
    "P_mean",
    "P_std",
    "random_crop_sizes",
    "cond_drop_prob",
    "per_sample_random_aug_noise_level",
];

/// Options without which nothing can be sampled.
const IMAGEN_REQUIRED: &[&str] = &[
    "image_sizes",
    "num_sample_steps",
    "sigma_min",
    "sigma_max",
    "sigma_data",
    "rho",
    "S_churn",
    "S_tmin",
    "S_tmax",
    "S_noise",
];

/// Sizes, frames and steps past these are a mistake in the file.
const MAX_STAGES: usize = 8;
const MAX_SIZE: usize = 1024;
const MAX_FRAMES: usize = 1024;
const MAX_STEPS: usize = 10_000;

/// Reads a cascade's `config.yaml`.
///
/// # Errors
/// A phrase that names the options that are missing, unknown or out of range.
pub fn parse_cascade(text: &str) -> Outcome<CascadeConfig> {
    let root: Value = yaml::read(text).map_err(|e| format!("it is not YAML ({e})"))?;
    let section = |name: &str| root.get(name).and_then(Value::as_object);
    let unets = section("unets").ok_or("the section `unets` is missing")?;
    let imagen = section("imagen").ok_or("the section `imagen` is missing")?;
    refuse_unknown("imagen", imagen, IMAGEN_FIXED, IMAGEN_KNOWN)?;
    let absent: Vec<&str> = IMAGEN_REQUIRED
        .iter()
        .copied()
        .filter(|k| imagen.get(*k).is_none())
        .collect();
    if !absent.is_empty() {
        return Err(format!("`imagen` lacks {}", absent.join(", ")));
    }
    let n = unets.len();
    if n == 0 || n > MAX_STAGES {
        return Err(format!(
            "it has {n} networks; from 1 to {MAX_STAGES} are possible"
        ));
    }
    let each = |key: &str, default: f64| per(imagen.get(key), n, key, default, number);
    let count = |key: &str, default: usize, most: usize| -> Outcome<Vec<usize>> {
        per(imagen.get(key), n, key, default, |v| whole(v, most))
    };
    let sizes = count("image_sizes", 0, MAX_SIZE)?;
    let steps = count("num_sample_steps", 0, MAX_STEPS)?;
    let factors = count("temporal_downsample_factor", 1, MAX_FRAMES)?;
    let channels = imagen
        .get("channels")
        .map_or(Some(3), |v| whole(v, 3))
        .ok_or("`channels` must be 1 or 3")?;
    let (fps, frames, beat_normalised) = video(root.get("dataset"))?;
    let cond_scale = root.get("checkpoint").and_then(|c| c.get("cond_scale"));
    let cond_scale = per(cond_scale, n, "cond_scale", 5.0, number)?;
    let (sigma_min, sigma_max) = (each("sigma_min", 0.0)?, each("sigma_max", 0.0)?);
    let (sigma_data, rho) = (each("sigma_data", 0.0)?, each("rho", 0.0)?);
    let (s_churn, s_noise) = (each("S_churn", 0.0)?, each("S_noise", 0.0)?);
    let (s_tmin, s_tmax) = (each("S_tmin", 0.0)?, each("S_tmax", 0.0)?);

    let mut stages = Vec::with_capacity(n);
    for (i, (name, options)) in unets.iter().enumerate() {
        let name = format!("unets.{}", name);
        let options = options
            .as_object()
            .ok_or_else(|| format!("`{name}` holds no options"))?;
        let kind = config_motion::split(&name, options)?;
        if i > 0 && kind.output != Output::Picture {
            return Err(format!(
                "`{name}` cannot make motion: only the first stage can"
            ));
        }
        let unet = parse_unet(&name, &kind.unet, channels, i > 0)?;
        let stage = StageConfig {
            encoder: kind.encoder,
            output: kind.output,
            size: sizes[i],
            frames: frames / factors[i].max(1),
            levels: NoiseLevels {
                steps: steps[i],
                sigma_min: sigma_min[i],
                sigma_max: sigma_max[i],
                sigma_data: sigma_data[i],
                rho: rho[i],
                s_churn: s_churn[i],
                s_tmin: s_tmin[i],
                s_tmax: s_tmax[i],
                s_noise: s_noise[i],
            },
            solver: Solver::Heun,
            cond_scale: cond_scale[i],
            guided_from: 0.0,
            unet,
        };
        check_stage(&name, &stage)?;
        stages.push(stage);
    }
    let fixed_percentile = imagen.get("dynamic_thresholding_percentile");
    let percentile = fixed_percentile
        .map_or(Some(0.95), number)
        .filter(|p| (0.0..=1.0).contains(p))
        .ok_or("`dynamic_thresholding_percentile` must be from 0 to 1")?;
    let dynamic = flag(imagen.get("dynamic_thresholding"), true)
        .ok_or("`dynamic_thresholding` must be true or false")?;
    let level = imagen
        .get("lowres_sample_noise_level")
        .map_or(Some(0.2), number)
        .filter(|l| (0.0..=1.0).contains(l))
        .ok_or("`lowres_sample_noise_level` must be from 0 to 1")?;
    Ok(CascadeConfig {
        stages,
        resize_mode: resize_mode("imagen", imagen)?,
        lowres_sample_noise_level: level,
        dynamic_threshold: dynamic.then_some(percentile as f32),
        fps,
        beat_normalised,
    })
}

/// Frames a second, frames, and whether a clip is one beat.
fn video(dataset: Option<&Value>) -> Outcome<(f64, usize, bool)> {
    let get = |key: &str| dataset.and_then(|d| d.get(key));
    let fps = get("fps")
        .and_then(number)
        .filter(|f| (0.1..=1000.0).contains(f));
    let duration = get("duration")
        .and_then(number)
        .filter(|d| (0.001..=1000.0).contains(d));
    let (Some(fps), Some(duration)) = (fps, duration) else {
        return Err(
            "`dataset` lacks `fps` or `duration`, which say how many frames to make".into(),
        );
    };
    let frames = (fps * duration).round() as usize;
    if frames == 0 || frames > MAX_FRAMES {
        return Err(format!(
            "`dataset` asks for {frames} frames; from 1 to {MAX_FRAMES} are possible"
        ));
    }
    let beat = flag(get("beat_normalised"), false)
        .ok_or("`dataset.beat_normalised` must be true or false")?;
    Ok((fps, frames, beat))
}

fn check_stage(name: &str, s: &StageConfig) -> Outcome<()> {
    match &s.encoder {
        Some(e) if 4 * s.size != e.size => {
            return Err(format!(
                "the encoder of `{name}` reads {}, not four times its size",
                e.size
            ));
        }
        Some(e) if s.unet.cond_images_channels != e.features => {
            return Err(format!(
                "`cond_images_channels` of `{name}` is not its encoder's `features`"
            ));
        }
        None if s.unet.cond_images_channels > 3 => {
            return Err(format!(
                "`cond_images_channels` of `{name}` must be at most 3"
            ));
        }
        _ => {}
    }
    if let Output::Motion { picture_size, .. } = s.output
        && (s.unet.channels != 3 || s.encoder.as_ref().is_some_and(|e| e.size != picture_size))
    {
        return Err(format!(
            "`{name}` makes motion: it needs three channels, and an encoder of its `picture_size`"
        ));
    }
    let step = s.unet.size_step();
    if s.size == 0 || !s.size.is_multiple_of(step) {
        return Err(format!(
            "the image size {} of `{name}` is not a multiple of {step}, which its levels need",
            s.size
        ));
    }
    if s.frames == 0 {
        return Err(format!(
            "`{name}` would make no frames: `temporal_downsample_factor` is too large"
        ));
    }
    let levels = &s.levels;
    if levels.steps == 0 {
        return Err(format!("`num_sample_steps` of `{name}` must be at least 1"));
    }
    let sound = levels.sigma_min > 0.0
        && levels.sigma_max >= levels.sigma_min
        && levels.sigma_max <= 1e6
        && levels.sigma_data > 0.0
        && levels.rho > 0.0
        && levels.s_churn >= 0.0
        && levels.s_noise >= 0.0;
    if !sound {
        return Err(format!(
            "the noise levels of `{name}` (sigma_*, rho, S_*) make no schedule"
        ));
    }
    Ok(())
}

/// Resolves one network's options.
///
/// # Errors
/// A phrase that names the option that is missing, unknown or out of range.
pub fn parse_unet(
    name: &str,
    options: &Section,
    channels: usize,
    lowres_cond: bool,
) -> Outcome<UnetConfig> {
    refuse_unknown(name, options, UNET_FIXED, UNET_KNOWN)?;
    let bad = |key: &str| format!("`{name}.{key}` cannot be understood");
    let count = |key: &str, default: usize, most: usize| {
        options
            .get(key)
            .map_or(Some(default), |v| whole(v, most))
            .ok_or_else(|| bad(key))
    };
    let switch = |key: &str, default: bool| flag(options.get(key), default).ok_or_else(|| bad(key));
    let dim = options
        .get("dim")
        .ok_or_else(|| format!("`{name}` lacks dim"))?;
    let dim_mults = match options.get("dim_mults") {
        None => vec![1, 2, 4, 8],
        Some(Value::Array(items)) => items
            .iter()
            .map(|v| whole(v, 64).ok_or_else(|| bad("dim_mults")))
            .collect::<Outcome<_>>()?,
        Some(_) => return Err(bad("dim_mults")),
    };
    let levels = dim_mults.len();
    if switch("lowres_cond", lowres_cond)? != lowres_cond {
        return Err(format!(
            "`{name}.lowres_cond` contradicts the network's place in the cascade"
        ));
    }
    let key = |k: &str| format!("{name}.{k}");
    let config = UnetConfig {
        dim: whole(dim, 1024).ok_or_else(|| bad("dim"))?,
        channels: count("channels", channels, 3)?,
        cond_images_channels: count("cond_images_channels", 0, 256)?,
        num_resnet_blocks: per(
            options.get("num_resnet_blocks"),
            levels,
            &key("num_resnet_blocks"),
            1,
            |v| whole(v, 16),
        )?,
        resnet_groups: per(
            options.get("resnet_groups"),
            levels,
            &key("resnet_groups"),
            8,
            |v| whole(v, 1024),
        )?,
        layer_cross_attns: per(
            options.get("layer_cross_attns"),
            levels,
            &key("layer_cross_attns"),
            true,
            Value::as_bool,
        )?,
        attend_at_middle: switch("attend_at_middle", true)?,
        memory_efficient: switch("memory_efficient", false)?,
        attn_heads: count("attn_heads", 8, 64)?,
        attn_dim_head: count("attn_dim_head", 64, 512)?,
        attn_pool_num_latents: count("attn_pool_num_latents", 32, 512)?,
        lowres_cond,
        resize_mode: resize_mode(name, options)?,
        dim_mults,
    };
    config.check().map_err(|why| format!("`{name}`: {why}"))?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::ResizeMode;

    const MINIMAL: &str = "
unets: {unet1: {dim: 16, dim_mults: [1, 2], attend_at_middle: false}}
imagen: {image_sizes: 16, num_sample_steps: 4, sigma_min: 0.002, sigma_max: 80, sigma_data: 0.25,
  rho: 7, S_churn: 80, S_tmin: 0.05, S_tmax: 50, S_noise: 1.003}
dataset: {fps: 8, duration: 2.0}
";

    #[test]
    fn defaults_are_the_published_ones() {
        let c = parse_cascade(MINIMAL).unwrap();
        let s = &c.stages[0];
        assert_eq!((s.frames, s.size, s.cond_scale), (16, 16, 5.0));
        assert_eq!(s.unet.layer_cross_attns, [true, true]);
        assert_eq!(c.dynamic_threshold, Some(0.95));
        assert_eq!(c.resize_mode, ResizeMode::Nearest);
        assert_eq!(c.channels(), 3);
    }

    #[test]
    fn stages_come_in_the_order_of_the_file() {
        let two = "{low: {dim: 8, dim_mults: [1, 2], attend_at_middle: false}, high: {dim: 16, dim_mults: [1, 2], \
            attend_at_middle: false, memory_efficient: true}}";
        let text = MINIMAL
            .replace(
                "{unet1: {dim: 16, dim_mults: [1, 2], attend_at_middle: false}}",
                two,
            )
            .replace("image_sizes: 16", "image_sizes: [16, 32]");
        let c = parse_cascade(&text).unwrap();
        let dims: Vec<usize> = c.stages.iter().map(|s| s.unet.dim).collect();
        assert_eq!(dims, [8, 16]);
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let e = parse_cascade(
            &MINIMAL
                .replace("rho: 7, ", "")
                .replace("S_noise: 1.003", "x: 1"),
        );
        assert!(e.unwrap_err().contains("x: 1"));
        let e = parse_cascade(&MINIMAL.replace("rho: 7, S_churn: 80, ", "")).unwrap_err();
        assert!(e.contains("rho, S_churn"), "{e}");
        let e = parse_cascade(&MINIMAL.replace("dim: 16", "dim: 16, cosine_sim_attn: true"));
        assert!(e.unwrap_err().contains("cosine_sim_attn: true"));
        let e = parse_cascade(&MINIMAL.replace("image_sizes: 16", "image_sizes: 15"));
        assert!(e.unwrap_err().contains("multiple"));
    }

    proptest::proptest! {
        #[test]
        fn no_value_makes_it_panic(key in 0usize..IMAGEN_REQUIRED.len(), value in "[-0-9.e\\[\\], a-z{}:]{0,12}") {
            let needle = format!("{}: ", IMAGEN_REQUIRED[key]);
            if let Some(at) = MINIMAL.find(&needle) {
                let mut text = MINIMAL.to_owned();
                let start = at + needle.len();
                let end = start + MINIMAL[start..].find([',', '}', '\n']).unwrap_or(0);
                text.replace_range(start..end, &value);
                let _ = parse_cascade(&text);
            }
        }
    }
}
