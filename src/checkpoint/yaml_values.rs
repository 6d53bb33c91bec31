//! Values of a `config.yaml`: scalars that stand for lists, numbers that are strings.

use crate::nn::ResizeMode;
use serde::Deserialize as _;
use serde_json::Value;

/// A section: its options, in the order of the file.
pub type Section = serde_json::Map<String, Value>;

type Outcome<T> = Result<T, String>;

/// Refuses keys that are neither known nor fixed at the one value that is computed here.
pub(super) fn refuse_unknown(
    name: &str,
    map: &Section,
    fixed: &[(&str, &str)],
    known: &[&str],
) -> Outcome<()> {
    let mut refused = Vec::new();
    for (key, value) in map {
        if known.contains(&key.as_str()) {
            continue;
        }
        let shown = plain(value);
        match fixed.iter().find(|(k, _)| k == key) {
            Some((_, wanted)) if shown == *wanted || value.is_null() => {}
            _ => refused.push(format!("{key}: {shown}")),
        }
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "`{name}` has options that this program does not compute ({})",
            refused.join(", ")
        ))
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.clone(),
        Value::Array(items) if items.windows(2).all(|w| w[0] == w[1]) => {
            items.first().map_or_else(|| "[]".into(), plain)
        }
        Value::Null => "null".into(),
        _ => "a list".into(),
    }
}

pub(super) fn resize_mode(name: &str, map: &Section) -> Outcome<ResizeMode> {
    match map.get("resize_mode") {
        None => Ok(ResizeMode::Nearest),
        Some(value) => ResizeMode::deserialize(value)
            .map_err(|_| format!("`{name}.resize_mode` must be nearest, trilinear or area")),
    }
}

/// A scalar for all of `n`, a list of `n`, or the default.
pub(super) fn per<T: Clone>(
    value: Option<&Value>,
    n: usize,
    key: &str,
    default: T,
    read: impl Fn(&Value) -> Option<T>,
) -> Outcome<Vec<T>> {
    let bad = || format!("`{key}` cannot be understood");
    match value {
        None => Ok(vec![default; n]),
        Some(Value::Array(items)) if items.len() == n => {
            items.iter().map(|v| read(v).ok_or_else(bad)).collect()
        }
        Some(Value::Array(items)) => Err(format!("`{key}` has {} values, not {n}", items.len())),
        Some(v) => Ok(vec![read(v).ok_or_else(bad)?; n]),
    }
}

/// An integer, a float, or a float that YAML 1.2 takes for a string (`5e-4`).
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
    .filter(|v: &f64| v.is_finite())
}

pub(super) fn whole(value: &Value, most: usize) -> Option<usize> {
    let v = number(value)?;
    (v >= 0.0 && v.fract() == 0.0 && v <= most as f64).then_some(v as usize)
}

pub(super) fn flag(value: Option<&Value>, default: bool) -> Option<bool> {
    value.map_or(Some(default), Value::as_bool)
}
