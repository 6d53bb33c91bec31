use super::super::{LossConfig, loss};
use super::{batch, draws, later, learning, plain, recipe};
use crate::models::anatomy_encoder::{AnatomyEncoder, EncoderConfig};
use crate::models::unet3d::{Pass, Unet, UnetConfig};
use crate::nn::testing::{largest_difference, random};
use crate::nn::{Fetched, Interrupt, Params, TensorSource};
use candle_core::{Device, Tensor, Var};
use std::collections::{BTreeMap, BTreeSet};

fn gradients(config: &UnetConfig, ignore_time: bool) -> BTreeMap<String, Option<Vec<f32>>> {
    let (unet, vars) = learning(config);
    let interrupt = Interrupt::new();
    let mut pass = Pass::new(&interrupt);
    pass.ignore_time = ignore_time;
    let loss_config = LossConfig::PUBLISHED;
    let made = loss(&unet, &loss_config, &batch(config), &draws(config), &pass).unwrap();
    let grads = made.value.backward().unwrap();
    let gradient = |(name, var): (String, Var)| {
        let grad = grads.get(var.as_tensor());
        if let Some(grad) = grad {
            assert_eq!(grad.dims(), var.dims(), "{name}");
        }
        (name, grad.map(values))
    };
    vars.into_iter().map(gradient).collect()
}

fn values(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

/// In the checkpoints, and nowhere in the network.
const UNUSED: &str = "mid_attn.fn.fn.null_attn_bias";

#[test]
fn every_parameter_gets_a_gradient() {
    for config in [plain(), later()] {
        let all = gradients(&config, false);
        for (name, gradient) in &all {
            let Some(gradient) = gradient else {
                assert_eq!(name, UNUSED);
                continue;
            };
            assert!(gradient.iter().all(|g| g.is_finite()), "{name}");
            assert!(gradient.iter().any(|g| *g != 0.0), "{name}");
        }
        assert_eq!(all.contains_key(UNUSED), config.attend_at_middle);
    }
}

/// Of the network that reads the anatomy for a motion stage.
#[test]
fn every_parameter_of_an_encoder_gets_a_gradient_and_its_next_pass_sees_the_step() {
    let config = EncoderConfig {
        size: 32,
        width: 8,
        embedding: 6,
        features: 3,
    };
    let build = |p: &Params| AnatomyEncoder::new(&config, p);
    let (encoder, vars) = Params::learn(&recipe(), &Device::Cpu, build).unwrap();
    let anatomy = ((random(&[1, 1, 32, 32], 1) + 1.0).unwrap() / 2.0).unwrap();
    let forward = || {
        encoder
            .forward(&anatomy, &[0.3, 0.7], &Interrupt::new())
            .unwrap()
    };
    let (out, loaded) = (
        forward(),
        Params::load(&recipe(), &Device::Cpu, build).unwrap().0,
    );
    let same = loaded
        .forward(&anatomy, &[0.3, 0.7], &Interrupt::new())
        .unwrap();
    assert!(largest_difference(&out, &same) < 1e-4);
    let loss = out.sqr().and_then(|out| out.sum_all()).unwrap();
    let grads = loss.backward().unwrap();
    for (name, var) in &vars {
        let gradient = values(grads.get(var.as_tensor()).unwrap());
        assert!(gradient.iter().all(|g| g.is_finite()), "{name}");
        assert!(gradient.iter().any(|g| *g != 0.0), "{name}");
    }
    // In its beginning, which depends on the anatomy alone.
    let stem = &vars["stem.1.weight"];
    stem.set(&(stem.as_tensor() * 1.5).unwrap()).unwrap();
    assert!(largest_difference(&out, &forward()) > 1e-3);
}

#[test]
fn a_step_of_pictures_leaves_alone_what_acts_over_frames() {
    let all = gradients(&plain(), true);
    let over_time = |name: &str| {
        ["temporal", ".fn.1.", ".fn.fn."]
            .iter()
            .any(|s| name.contains(s))
    };
    let over_time = |name: &str| over_time(name) && !name.contains("cross_attn");
    for (name, gradient) in &all {
        assert_eq!(gradient.is_none(), over_time(name), "{name}");
    }
}

/// A recipe's weights, moved.
struct Moved<'a>(&'a BTreeMap<String, Vec<f32>>, f32);

impl TensorSource for Moved<'_> {
    fn fetch(&self, name: &str, shape: &[usize]) -> Result<Fetched, String> {
        let Fetched::Data(mut data) = recipe().fetch(name, shape)? else {
            return Ok(Fetched::Missing);
        };
        for (value, along) in data.iter_mut().zip(&self.0[name]) {
            *value += self.1 * along;
        }
        Ok(Fetched::Data(data))
    }
    fn origin(&self) -> String {
        "the test".into()
    }
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The loss of the network that does not learn, by the kernels, with its weights moved.
fn by_kernels(config: &UnetConfig, along: &BTreeMap<String, Vec<f32>>, by: f32) -> f64 {
    let moved = Moved(along, by);
    let (unet, _) = Params::load(&moved, &Device::Cpu, |p| Unet::new(config, p)).unwrap();
    let interrupt = Interrupt::new();
    let (loss_config, pass) = (LossConfig::PUBLISHED, Pass::new(&interrupt));
    let made = loss(&unet, &loss_config, &batch(config), &draws(config), &pass).unwrap();
    assert!(!made.value.track_op());
    f64::from(made.value.to_scalar::<f32>().unwrap())
}

/// Of each kind of layer by itself, as the names tell them apart.
fn kind(name: &str) -> String {
    let digit = |c: char| c.is_ascii_digit();
    let words = name.split('.').filter(|word| !word.chars().all(digit));
    let words: Vec<&str> = words.collect();
    words[words.len().saturating_sub(3)..].join(".")
}

/// Down its gradient the loss falls as the gradient says, as the kernels have it: what learns is what is sampled.
#[test]
fn the_kernels_loss_falls_as_the_gradients_say() {
    for config in [plain(), later()] {
        let all = gradients(&config, false);
        let kinds: BTreeSet<String> = all.keys().map(|name| kind(name)).collect();
        assert!(kinds.len() > 20);
        let still = |of: &dyn Fn(&str) -> bool| -> BTreeMap<String, Vec<f32>> {
            let part = |(name, gradient): (&String, &Option<Vec<f32>>)| {
                let gradient = gradient.clone().unwrap_or_else(|| vec![0.0; 8]);
                let zero = vec![0.0; gradient.len()];
                (name.clone(), if of(name) { gradient } else { zero })
            };
            all.iter().map(part).collect()
        };
        let mut checked = 0;
        for each in kinds {
            let along = still(&|name| kind(name) == each);
            let squares: f64 = along
                .values()
                .flatten()
                .map(|g| f64::from(*g).powi(2))
                .sum();
            // What hardly matters drowns in the rounding of the loss.
            if squares.sqrt() < 0.1 {
                continue;
            }
            let by = (5e-3 / squares.sqrt()) as f32;
            let rise = by_kernels(&config, &along, by) - by_kernels(&config, &along, -by);
            let wanted = 2.0 * f64::from(by) * squares;
            let apart = (rise / wanted - 1.0).abs();
            assert!(apart < 0.05, "{each}: {rise} where {wanted} was said");
            checked += 1;
        }
        assert!(checked > 15, "{checked}");
    }
}
