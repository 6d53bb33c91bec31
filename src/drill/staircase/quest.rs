//! QUEST+: the next stimulus is the one after whose answer the least uncertainty is expected.
//!
//! Watson AB. J Vision 2017;17(3):10, for answers that are right or wrong and any finite set of parameters.

/// A search for the parameters of a psychometric function.
#[derive(Clone, Debug)]
pub struct Quest {
    /// By stimulus, then by parameter: the probability of a right answer.
    right: Vec<Vec<f64>>,
    /// By parameter; adds up to 1.
    posterior: Vec<f64>,
}

impl Quest {
    /// `right(stimulus, parameter)` is the probability of a right answer; all parameters are equally likely
    /// before the first.
    pub fn new(stimuli: usize, parameters: usize, right: impl Fn(usize, usize) -> f64) -> Self {
        let row = |stimulus| (0..parameters).map(|p| right(stimulus, p)).collect();
        Self {
            right: (0..stimuli).map(row).collect(),
            posterior: vec![1.0 / parameters.max(1) as f64; parameters],
        }
    }

    /// By parameter.
    pub fn posterior(&self) -> &[f64] {
        &self.posterior
    }

    /// The place of the stimulus with the least expected entropy; the first of several.
    pub fn next(&self) -> usize {
        let mut best = (0, f64::INFINITY);
        for (stimulus, right) in self.right.iter().enumerate() {
            let entropy = self.expected_entropy(right);
            if entropy < best.1 {
                best = (stimulus, entropy);
            }
        }
        best.0
    }

    fn expected_entropy(&self, right: &[f64]) -> f64 {
        // Of both answers the weight w = sum(q), and w times the entropy of q / w: w ln w - sum(q ln q).
        let (mut sums, mut logs) = ([0.0; 2], [0.0; 2]);
        for (prior, right) in self.posterior.iter().zip(right) {
            let parts = [prior * right, prior * (1.0 - right)];
            for ((sum, log), part) in sums.iter_mut().zip(&mut logs).zip(parts) {
                *sum += part;
                *log += x_ln_x(part);
            }
        }
        let entropy = |(sum, log): (&f64, &f64)| x_ln_x(*sum) - log;
        sums.iter().zip(&logs).map(entropy).sum()
    }

    /// Learns from an answer to a stimulus. One that is not there teaches nothing.
    pub fn learn(&mut self, stimulus: usize, is_right: bool) {
        let Some(right) = self.right.get(stimulus) else {
            return;
        };
        let probability = |p: f64| if is_right { p } else { 1.0 - p };
        let updated = self.posterior.iter().zip(right);
        let updated: Vec<f64> = updated.map(|(q, p)| q * probability(*p)).collect();
        let sum: f64 = updated.iter().sum();
        if sum > 0.0 {
            self.posterior = updated.into_iter().map(|q| q / sum).collect();
        }
    }
}

fn x_ln_x(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Example 1 of the paper; levels and mode as questplus, an independent implementation, tests them.
    #[test]
    fn the_published_sequence() {
        let db: Vec<f64> = (-40..=0).map(f64::from).collect();
        let right = |x: usize, t: usize| {
            let steep = 10f64.powf(3.5 * (db[x] - db[t]) / 20.0);
            1.0 - 0.02 - (1.0 - 0.5 - 0.02) * (-steep).exp()
        };
        let mut quest = Quest::new(db.len(), db.len(), right);
        let answers = "CCCCIICCCCCCCCICCICCICCCCCCCCCCC";
        let mut shown = Vec::new();
        for answer in answers.chars() {
            let next = quest.next();
            shown.push(db[next] as i32);
            quest.learn(next, answer == 'C');
        }
        let published = [
            -18, -22, -25, -28, -30, -22, -13, -15, -16, -18, -19, -20, -21, -22, -23, -19, -20,
            -20, -18, -18, -19, -17, -17, -18, -18, -18, -19, -19, -19, -19, -19, -19,
        ];
        assert_eq!(shown, published);
        let posterior = quest.posterior();
        let mode = (0..db.len()).max_by(|a, b| posterior[*a].total_cmp(&posterior[*b]));
        assert_eq!(db[mode.unwrap()], -20.0);
        let mean: f64 = posterior.iter().zip(&db).map(|(q, x)| q * x).sum();
        let variance: f64 = posterior
            .iter()
            .zip(&db)
            .map(|(q, x)| q * (x - mean).powi(2))
            .sum();
        assert!((mean + 20.393_603_116_4).abs() < 1e-8, "{mean}");
        assert!((variance.sqrt() - 1.389_334_005_9).abs() < 1e-8);
    }

    #[test]
    fn what_cannot_be_learnt_from_changes_nothing() {
        let mut quest = Quest::new(2, 3, |_, _| 1.0);
        let before = quest.posterior().to_vec();
        quest.learn(0, false);
        quest.learn(7, true);
        assert_eq!(quest.posterior(), before);
    }
}
