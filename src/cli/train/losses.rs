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
        let rows = reader.deserialize::<(u64, f64, f64, f64)>();
        let read = rows.filter_map(Result::ok).filter(|row| row.1.is_finite());
        let read: Vec<_> = read.collect();
        let mut all = Self::default();
        // A row that is damaged, or whose step is not between those around it, is left out; the others are as they were.
        for (i, &(step, loss, norm, step_size)) in read.iter().enumerate() {
            let follows = all.steps.last().is_none_or(|last| last.step < step);
            // The next may be the one that is damaged.
            let after = read.get(i + 1..).unwrap_or_default();
            let is_followed = after.is_empty() || after.iter().take(2).any(|next| step < next.0);
            if step < steps && follows && is_followed {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::train::picture;
    use proptest::prelude::*;

    const HEAD: &str = "step,loss,gradient_norm,step_size\n";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// What somebody's hand or a power cut made of the table is losses that can be drawn and written again.
        #[test]
        fn what_is_left_of_a_table_is_drawn(
            rows in prop::collection::vec("([0-9]{1,19}|-1|x),(-?[0-9.]{1,4}|inf|NaN|1e308|1e-320),1,1\n?", 0..12),
            damage in any::<prop::sample::Index>(),
            with in any::<[u8; 3]>(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("loss.csv");
            let mut bytes = (HEAD.to_owned() + &rows.concat()).into_bytes();
            let at = damage.index(bytes.len() - 2);
            bytes[at..at + 3].copy_from_slice(&with);
            std::fs::write(&path, bytes).unwrap();
            let Ok(read) = Losses::read(&path, u64::MAX) else {
                return Ok(());
            };
            prop_assert!(read.steps.is_sorted_by(|a, b| a.step < b.step));
            picture::of(&read.steps).unwrap();
            read.write(&path).unwrap();
            let again = Losses::read(&path, u64::MAX).unwrap();
            prop_assert_eq!(again.steps.len(), read.steps.len());
        }
    }

    #[test]
    fn steps_after_the_kept_state_are_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loss.csv");
        let kept = |rows: &str| {
            std::fs::write(&path, HEAD.to_owned() + rows).unwrap();
            let losses = Losses::read(&path, 4).unwrap().steps;
            losses.iter().map(|s| s.loss).collect::<Vec<f64>>()
        };
        let rows = "0,3,1,1\n1,2,1,1\ntwo,9,1,1\n2,1.5,1,1\n3,1,1,1\n4,0.5,1,1\n5,0.4,1,1\n";
        assert_eq!(kept(rows), [3.0, 2.0, 1.5, 1.0]);
        // A damaged number costs its own row alone, whether it is now too large or too small.
        for wrong in ["92", "0"] {
            let damaged = rows.replace("2,1.5", &format!("{wrong},1.5"));
            assert_eq!(kept(&damaged), [3.0, 2.0, 1.0], "{wrong}");
        }
    }
}
