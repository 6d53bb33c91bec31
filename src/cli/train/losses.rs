//! The losses of a run, kept as a table.

use crate::files::write_atomically;
use crate::train::Step;
use anyhow::Context;
use std::path::Path;

/// The losses of a run.
#[derive(Default)]
pub struct Losses {
    pub steps: Vec<Step>,
}

impl Losses {
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The mean of the last, at most `n`, and of how many; none before the first.
    pub fn lately(&self, n: usize) -> Option<(f64, usize)> {
        let last = self.steps.iter().rev().take(n);
        let count = last.len();
        let mean = last.map(|s| s.loss).sum::<f64>() / count as f64;
        (count > 0).then_some((mean, count))
    }

    /// Those of the first `steps` steps: what came after the state was kept is made again.
    pub fn read(path: &Path, steps: u64) -> anyhow::Result<Self> {
        let mut reader = csv::Reader::from_path(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let mut all = Self::default();
        for row in reader.deserialize::<(u64, f64, f64, f64)>() {
            // A row that is damaged is left out; the others are as they were.
            let Ok((step, loss, norm, step_size)) = row else {
                continue;
            };
            if step < steps {
                all.push(Step {
                    step,
                    loss,
                    norm,
                    step_size,
                });
            }
        }
        Ok(all)
    }

    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["step", "loss", "gradient_norm", "step_size"])?;
        for s in &self.steps {
            writer.write_record([
                s.step.to_string(),
                s.loss.to_string(),
                s.norm.to_string(),
                s.step_size.to_string(),
            ])?;
        }
        write_atomically(path, &writer.into_inner()?)?;
        Ok(())
    }
}
