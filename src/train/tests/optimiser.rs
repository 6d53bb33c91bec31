use super::super::{Adam, AdamConfig, Ema, EmaConfig};
use candle_core::{Device, Tensor, Var};
use std::collections::BTreeMap;

fn named(values: &[f32]) -> BTreeMap<String, Var> {
    let var = Var::from_slice(values, values.len(), &Device::Cpu).unwrap();
    BTreeMap::from([("x".to_owned(), var)])
}

fn values(var: &Var) -> Vec<f32> {
    var.to_vec1().unwrap()
}

/// A loss whose gradient with respect to x is `towards`.
fn slope(var: &Var, towards: &[f32]) -> candle_core::backprop::GradStore {
    let towards = Tensor::new(towards, &Device::Cpu).unwrap();
    let loss = (var.as_tensor() * towards).unwrap().sum_all().unwrap();
    loss.backward().unwrap()
}

/// The first step goes alpha against the gradient's sign, whatever its size; the second by hand:
/// g = 1, then 3: m = .9 * .1 + .1 * 3 = .39, v = .99 * .01 + .01 * 9 = .0999, of which the means are
/// .39 / .19 and .0999 / .0199.
#[test]
fn adams_first_steps_are_those_of_the_paper() {
    let vars = named(&[1.0, -2.0, 0.5]);
    let mut adam = Adam::new(AdamConfig::PUBLISHED);
    adam.step(&vars, &slope(&vars["x"], &[1.0, -0.001, 0.0]))
        .unwrap();
    let first = values(&vars["x"]);
    // Of the small gradient epsilon takes a hundred thousandth.
    for (x, wanted) in first.iter().zip([1.0 - 5e-4, -2.0 + 5e-4, 0.5]) {
        assert!((x - wanted).abs() < 2e-7, "{first:?}");
    }
    adam.step(&vars, &slope(&vars["x"], &[3.0, 0.0, 0.0]))
        .unwrap();
    let second = values(&vars["x"])[0];
    let by = 5e-4 * (0.39 / 0.19) / (0.0999f64 / 0.0199).sqrt();
    let wanted = 1.0 - 5e-4 - by;
    assert!(
        (f64::from(second) - wanted).abs() < 2e-7,
        "{second} {wanted}"
    );
}

/// A hundred steps beside the algorithm as the paper prints it, in `f64`.
#[test]
fn adam_follows_the_algorithm_as_it_is_printed() {
    let vars = named(&[1.0]);
    let config = AdamConfig::PUBLISHED;
    let mut adam = Adam::new(config);
    let (mut theta, mut m, mut v) = (1f64, 0f64, 0f64);
    for t in 1..=100 {
        let g = (f64::from(t) * 0.7).sin() + 0.3;
        adam.step(&vars, &slope(&vars["x"], &[g as f32])).unwrap();
        m = config.beta1 * m + (1.0 - config.beta1) * g;
        v = config.beta2 * v + (1.0 - config.beta2) * g * g;
        let m_hat = m / (1.0 - config.beta1.powi(t));
        let v_hat = v / (1.0 - config.beta2.powi(t));
        theta -= config.alpha * m_hat / (v_hat.sqrt() + config.epsilon);
        let ours = f64::from(values(&vars["x"])[0]);
        assert!((ours - theta).abs() < 2e-6, "step {t}: {ours} {theta}");
    }
    assert!(theta < 0.99);
}

#[test]
fn a_variable_without_a_gradient_stays_and_its_steps_are_not_counted() {
    let mut vars = named(&[1.0]);
    let other = Var::from_slice(&[2f32], 1, &Device::Cpu).unwrap();
    vars.insert("y".into(), other);
    let mut adam = Adam::new(AdamConfig::PUBLISHED);
    for _ in 0..3 {
        adam.step(&vars, &slope(&vars["x"], &[1.0])).unwrap();
    }
    assert_eq!(values(&vars["y"]), [2.0]);
    adam.step(&vars, &slope(&vars["y"], &[1.0])).unwrap();
    // As a first step.
    assert!((values(&vars["y"])[0] - (2.0 - 5e-4)).abs() < 3e-7);
}

#[test]
fn a_gradient_that_is_no_number_changes_nothing() {
    let mut vars = named(&[1.0]);
    let other = Var::from_slice(&[2f32], 1, &Device::Cpu).unwrap();
    vars.insert("y".into(), other);
    let sum = (vars["x"].as_tensor() + (vars["y"].as_tensor() * f64::NAN).unwrap()).unwrap();
    let mut adam = Adam::new(AdamConfig::PUBLISHED);
    let before = adam.clone();
    let error = adam.step(&vars, &sum.backward().unwrap()).unwrap_err();
    assert!(error.to_string().contains("y: its gradient is no number"));
    assert_eq!(values(&vars["x"]), [1.0]);
    assert!(adam == before);
}

/// Weights that are the step's number: what the average is, is known by hand.
#[test]
fn the_average_copies_up_to_step_100_and_averages_every_tenth_afterwards() {
    let vars = named(&[-1.0]);
    let mut ema = Ema::new(EmaConfig::PUBLISHED, &vars).unwrap();
    let average = |ema: &Ema| ema.weights()["x"].to_vec1::<f32>().unwrap()[0];
    assert_eq!(average(&ema), -1.0);
    let mut wanted = 0f64;
    for k in 0..500u32 {
        vars["x"]
            .set(&Tensor::new(&[k as f32], &Device::Cpu).unwrap())
            .unwrap();
        ema.step(&vars).unwrap();
        if k % 10 == 0 {
            // 110 is copied once more.
            let decay = match k {
                0..=110 => 0.0,
                _ => 1.0 - f64::from(k + 1 - 101 + 1).powf(-2.0 / 3.0),
            };
            wanted = decay * wanted + (1.0 - decay) * f64::from(k);
        }
        let ours = f64::from(average(&ema));
        assert!((ours - wanted).abs() < 1e-3, "step {k}: {ours} {wanted}");
    }
    // It lags.
    assert!(wanted > 100.0 && wanted < 480.0, "{wanted}");
}
