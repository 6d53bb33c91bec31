use super::super::{
    Adam, AdamConfig, Draws, Ema, EmaConfig, LossConfig, Tensors, loss, read_state, write_state,
};
use super::{SHAPE, batch, later, recipe};
use crate::edm::Seed;
use crate::models::unet3d::{Pass, Unet, UnetConfig};
use crate::nn::{Fetched, Interrupt, Params, TensorSource};
use candle_core::{Device, Var};
use std::collections::BTreeMap;
use std::path::Path;

/// Averages soon, so that a short run does.
const EMA: EmaConfig = EmaConfig { every: 1, after: 1 };

struct Run {
    unet: Unet,
    vars: BTreeMap<String, Var>,
    adam: Adam,
    ema: Ema,
    losses: Vec<f32>,
}

struct Kept<'a>(&'a Tensors);

impl TensorSource for Kept<'_> {
    fn fetch(&self, name: &str, _: &[usize]) -> Result<Fetched, String> {
        let values = self.0[name].flatten_all().and_then(|t| t.to_vec1());
        Ok(Fetched::Data(values.unwrap()))
    }
    fn origin(&self) -> String {
        "the test".into()
    }
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Run {
    fn new(config: &UnetConfig) -> Self {
        let (unet, vars) =
            Params::learn(&recipe(), &Device::Cpu, |p| Unet::new(config, p)).unwrap();
        Self {
            adam: Adam::new(AdamConfig::PUBLISHED),
            ema: Ema::new(EMA, &vars).unwrap(),
            unet,
            vars,
            losses: Vec::new(),
        }
    }

    fn steps(&mut self, steps: std::ops::Range<u64>) {
        let (config, interrupt) = (LossConfig::PUBLISHED, Interrupt::new());
        let batch = batch(self.unet.config());
        for step in steps {
            let lowres = self.unet.config().lowres_cond;
            let draws = Draws::seeded(Seed(3), step, SHAPE, lowres, &config).unwrap();
            let made = loss(&self.unet, &config, &batch, &draws, &Pass::new(&interrupt)).unwrap();
            self.losses.push(made.value.to_scalar().unwrap());
            let grads = made.value.backward().unwrap();
            self.adam.step(&self.vars, &grads).unwrap();
            self.ema.step(&self.vars).unwrap();
        }
    }

    fn write(&self, path: &Path) {
        let weights = self
            .vars
            .iter()
            .map(|(n, v)| (n.clone(), v.as_tensor().clone()));
        let (adam, ema) = (self.adam.state().unwrap(), self.ema.state().unwrap());
        let weights: Tensors = weights.collect();
        write_state(
            path,
            &[("weights", &weights), ("adam", &adam), ("ema", &ema)],
        )
        .unwrap();
    }

    fn read(path: &Path, config: &UnetConfig) -> Self {
        let parts = read_state(path).unwrap();
        let kept = Kept(&parts["weights"]);
        let (unet, vars) = Params::learn(&kept, &Device::Cpu, |p| Unet::new(config, p)).unwrap();
        Self {
            adam: Adam::with_state(AdamConfig::PUBLISHED, &vars, &parts["adam"]).unwrap(),
            ema: Ema::with_state(EMA, &vars, &parts["ema"]).unwrap(),
            unet,
            vars,
            losses: Vec::new(),
        }
    }

    /// Everything that a later step depends on, to the bit.
    fn bits(&self) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        self.write(&path);
        std::fs::read(path).unwrap()
    }
}

fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    // The whole graph is walked, and freed, by functions that call themselves.
    let pool = pool.stack_size(64 << 20).build().unwrap();
    pool.install(run)
}

#[test]
fn a_resumed_run_is_the_unbroken_one_to_the_bit_with_one_and_with_two_threads() {
    let config = later();
    let unbroken = |threads| {
        with_threads(threads, || {
            let mut run = Run::new(&config);
            run.steps(0..6);
            (run.losses.clone(), run.bits())
        })
    };
    let resumed = |threads| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        let first = with_threads(threads, || {
            let mut run = Run::new(&config);
            run.steps(0..3);
            run.write(&path);
            run.losses
        });
        with_threads(threads, || {
            let mut run = Run::read(&path, &config);
            run.steps(3..6);
            ([first, run.losses.clone()].concat(), run.bits())
        })
    };
    let one = unbroken(1);
    for threads in [1, 2] {
        assert!(unbroken(threads) == one, "{threads} threads");
        assert!(resumed(threads) == one, "{threads} threads, resumed");
    }
    // It did learn.
    let untouched = Run::new(&config);
    assert!(untouched.bits() != one.1);
    assert!(one.0.iter().all(|loss| loss.is_finite()) && one.0[0] != one.0[1]);
}

#[test]
fn a_state_of_another_network_is_refused_by_name() {
    let run = Run::new(&later());
    let other = Run::new(&super::plain());
    let error = Ema::with_state(EMA, &other.vars, &run.ema.state().unwrap());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("is not of this network")
    );
    let mut trained = Run::new(&later());
    trained.steps(0..1);
    let error = Adam::with_state(
        AdamConfig::PUBLISHED,
        &other.vars,
        &trained.adam.state().unwrap(),
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("is not of this network")
    );
}
