use super::{Outcome, text};
use candle_core::{DType, Device, Tensor};
use serde::Serialize;

/// One quantity, compared. The numbers are absent where it could not be computed at all.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub fixture: String,
    pub quantity: String,
    pub max_abs_difference: Option<f64>,
    pub max_abs_stored: Option<f64>,
    pub mean_abs_difference: Option<f64>,
    pub mean_abs_stored: Option<f64>,
    pub tolerance: Option<f64>,
    pub pass: bool,
}

/// How far a computed value may be from the stored one.
#[derive(Clone, Copy)]
pub enum Tolerance {
    /// `1e-3 * max(1, max |stored|)`.
    Network,
    /// Over all elements.
    Absolute(f64),
    /// Each element: relative 1e-5, absolute 1e-6 where the stored value is below 1e-3.
    Schedule,
    /// Each element: relative 1e-3, absolute 1e-6 where the stored value is below 1e-3. Never wider than
    /// [`Tolerance::Network`]: gradients may be small.
    Gradient,
}

pub struct Rows {
    fixture: String,
    rows: Vec<Row>,
}

impl Rows {
    pub fn new(fixture: &str) -> Self {
        Self {
            fixture: fixture.to_owned(),
            rows: Vec::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    pub fn failure(&mut self, why: &str) {
        self.rows.push(Row {
            fixture: self.fixture.clone(),
            quantity: why.to_owned(),
            max_abs_difference: None,
            max_abs_stored: None,
            mean_abs_difference: None,
            mean_abs_stored: None,
            tolerance: None,
            pass: false,
        });
    }

    pub fn tensors(
        &mut self,
        quantity: &str,
        computed: &Tensor,
        stored: &Tensor,
        tolerance: Tolerance,
    ) -> Outcome<()> {
        if computed.dims() != stored.dims() {
            self.failure(&format!(
                "{quantity}: shape {:?} was computed, {:?} is stored",
                computed.dims(),
                stored.dims()
            ));
            return Ok(());
        }
        let values = |t: &Tensor| -> Outcome<Vec<f32>> {
            t.to_device(&Device::Cpu)
                .and_then(|t| t.to_dtype(DType::F32)?.flatten_all()?.to_vec1())
                .map_err(text)
        };
        let widen = |v: Vec<f32>| v.into_iter().map(f64::from).collect::<Vec<_>>();
        self.values(
            quantity,
            &widen(values(computed)?),
            &widen(values(stored)?),
            tolerance,
        );
        Ok(())
    }

    /// The tensors stacked along dimension 0 are taken each by itself; the row is the worst one's.
    pub fn stacked(
        &mut self,
        quantity: &str,
        computed: &[Tensor],
        stored: &Tensor,
        tolerance: Tolerance,
    ) -> Outcome<()> {
        if stored.dim(0).map_err(text)? != computed.len() {
            self.failure(&format!(
                "{quantity}: {} steps were computed, {:?} is stored",
                computed.len(),
                stored.dims()
            ));
            return Ok(());
        }
        let mut each = Rows::new(&self.fixture);
        for (i, t) in computed.iter().enumerate() {
            let stored = stored.get(i).map_err(text)?;
            each.tensors(&format!("{quantity}[{i}]"), t, &stored, tolerance)?;
        }
        self.worst(each, "steps");
        Ok(())
    }

    /// Named numbers, computed and stored, are taken each by itself; the row is the worst one's.
    pub fn each(&mut self, quantity: &str, values: &[(&str, f64, f64)], tolerance: Tolerance) {
        let mut each = Rows::new(&self.fixture);
        for (name, computed, stored) in values {
            let quantity = format!("{quantity} of {name}");
            each.values(&quantity, &[*computed], &[*stored], tolerance);
        }
        self.worst(each, "values");
    }

    /// Adds the row that is nearest to its limit, or beyond it by most.
    fn worst(&mut self, each: Self, of_what: &str) {
        let severity = |r: &Row| match (r.max_abs_difference, r.tolerance) {
            (Some(d), Some(t)) if d.is_finite() => d / t,
            _ => f64::INFINITY,
        };
        let n = each.rows.len();
        let worst = (each.rows.into_iter()).max_by(|a, b| severity(a).total_cmp(&severity(b)));
        if let Some(mut row) = worst {
            row.quantity = format!("{}, worst of {n} {of_what}", row.quantity);
            self.rows.push(row);
        }
    }

    pub fn values(
        &mut self,
        quantity: &str,
        computed: &[f64],
        stored: &[f64],
        tolerance: Tolerance,
    ) {
        if computed.len() != stored.len() || stored.is_empty() {
            self.failure(&format!(
                "{quantity}: {} values were computed, {} are stored",
                computed.len(),
                stored.len()
            ));
            return;
        }
        let differences: Vec<f64> = computed
            .iter()
            .zip(stored)
            .map(|(a, b)| (a - b).abs())
            .collect();
        let largest = |v: &mut dyn Iterator<Item = f64>| {
            v.fold(0.0, |a: f64, b| if b.is_nan() { b } else { a.max(b) })
        };
        let max_difference = if differences.iter().any(|d| d.is_nan()) {
            f64::NAN
        } else {
            largest(&mut differences.iter().copied())
        };
        let max_stored = largest(&mut stored.iter().map(|v| v.abs()));
        let n = stored.len() as f64;
        let (limit, pass) = match tolerance {
            Tolerance::Network => {
                let limit = 1e-3 * max_stored.max(1.0);
                (limit, max_difference <= limit)
            }
            Tolerance::Absolute(limit) => (limit, max_difference <= limit),
            Tolerance::Schedule | Tolerance::Gradient => {
                let relative = match tolerance {
                    Tolerance::Gradient => 1e-3,
                    _ => 1e-5,
                };
                let limit = |s: f64| {
                    if s.abs() < 1e-3 {
                        1e-6
                    } else {
                        relative * s.abs()
                    }
                };
                let ratio = |i: usize| differences[i] / limit(stored[i]);
                let pass = (0..stored.len()).all(|i| ratio(i) <= 1.0);
                // The row shows the limit of the element that differs most, or of the one that
                // fails by most.
                let severity = |i: usize| if pass { differences[i] } else { ratio(i) };
                let shown = (0..stored.len())
                    .max_by(|&a, &b| severity(a).total_cmp(&severity(b)))
                    .unwrap_or(0);
                (limit(stored[shown]), pass)
            }
        };
        self.rows.push(Row {
            fixture: self.fixture.clone(),
            quantity: quantity.to_owned(),
            max_abs_difference: Some(max_difference),
            max_abs_stored: Some(max_stored),
            mean_abs_difference: Some(differences.iter().sum::<f64>() / n),
            mean_abs_stored: Some(stored.iter().map(|v| v.abs()).sum::<f64>() / n),
            tolerance: Some(limit),
            pass,
        });
    }
}
