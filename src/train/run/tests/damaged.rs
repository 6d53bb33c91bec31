use super::*;
use crate::train::state::{Tensors, read_state, write_state};
use std::collections::HashMap;

#[test]
fn a_state_that_was_damaged_is_not_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut run = run(6);
    advance(&mut run, 1);
    run.keep(&path).unwrap();
    let whole = read_state(&path).unwrap();
    let write = |changed: &HashMap<String, Tensors>| {
        let parts: Vec<(&str, &Tensors)> = changed.iter().map(|(n, t)| (n.as_str(), t)).collect();
        write_state(&path, &parts).unwrap();
    };
    write(&whole);
    run.go_on(&path).unwrap();
    let counts = |v: &[i64]| Tensor::new(v, &Device::Cpu).unwrap();
    let no_numbers = |t: &Tensor| (t.zeros_like().unwrap() / 0.0).unwrap();
    let of = |part: &str, begins: &str| {
        let mut all = whole[part].iter();
        let (name, t) = all.find(|(name, _)| name.starts_with(begins)).unwrap();
        (name.clone(), t.clone())
    };
    let (weight, moment) = (of("weights", ""), of("adam", "v."));
    let (count, average) = (of("adam", "t.").0, of("ema", "weights"));
    for (part, name, other, words) in [
        ("run", "step", counts(&[-1]), "no step"),
        ("ema", "steps", counts(&[-1, 1]), "no counters"),
        ("adam", &count, counts(&[-1]), "no count"),
        ("weights", &weight.0, no_numbers(&weight.1), "no number"),
        ("adam", &moment.0, no_numbers(&moment.1), "no number"),
        ("ema", &average.0, no_numbers(&average.1), "no number"),
    ] {
        let mut changed = whole.clone();
        changed.get_mut(part).unwrap().insert(name.into(), other);
        write(&changed);
        let why = run.go_on(&path).unwrap_err().to_string();
        assert!(why.contains(words), "{part}/{name}: {why}");
    }
    write(&whole);
    let bytes = std::fs::read(&path).unwrap();
    for changed in crate::damage::mutations(&bytes, 60) {
        std::fs::write(&path, changed).unwrap();
        let _ = run.go_on(&path);
    }
}
