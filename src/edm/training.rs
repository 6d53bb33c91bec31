//! What training draws noise by.

/// How noise and conditions are drawn, in the paper's symbols.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossConfig {
    /// Of the data, in -1..1.
    pub sigma_data: f64,
    /// ln sigma is normal, of this mean (EDM table 1) ..
    pub p_mean: f64,
    /// .. and this standard deviation.
    pub p_std: f64,
    /// Share of samples that are not shown the EF, so that the network learns guidance's null branch.
    pub cond_drop_prob: f64,
}

impl LossConfig {
    /// As published.
    pub const PUBLISHED: Self = Self {
        sigma_data: 0.25,
        p_mean: -1.2,
        p_std: 1.2,
        cond_drop_prob: 0.1,
    };
}
