//! A weight in parts, a head of an attention each.

use crate::nn::cpu::product::Packed;
use std::sync::Arc;

/// Where in a weight a head lies.
#[derive(Clone, Copy, Debug)]
pub(in crate::nn) enum Along {
    /// Rows of `[heads * d, c]`: queries.
    Rows,
    /// Columns of `[c, heads * d]`: what becomes of what was attended to.
    Columns,
}

/// As the CPU's kernels of attention read it.
#[derive(Clone, Debug)]
pub(super) struct Heads {
    pub parts: Arc<Vec<Packed>>,
    along: Along,
}

impl Heads {
    /// Of a weight `[rows, depth]`.
    pub fn of(w: &[f32], (rows, depth): (usize, usize), along: Along, heads: usize) -> Self {
        let part = |head: usize| match along {
            Along::Rows => {
                let d = rows / heads;
                Packed::new(d, depth, None, |row, k| w[(head * d + row) * depth + k])
            }
            Along::Columns => {
                let d = depth / heads;
                Packed::new(rows, d, None, |row, k| w[row * depth + head * d + k])
            }
        };
        Self {
            parts: Arc::new((0..heads).map(part).collect()),
            along,
        }
    }

    /// The weight, row by row, as it was given.
    pub fn joined(&self) -> Vec<f32> {
        let parts: Vec<Vec<f32>> = self.parts.iter().map(Packed::unpacked).collect();
        match self.along {
            Along::Rows => parts.concat(),
            Along::Columns => {
                let (rows, d) = (self.parts.first()).map_or((0, 0), |p| (p.rows(), p.depth()));
                let of_row = |row: usize| parts.iter().map(move |p| &p[row * d..][..d]);
                (0..rows).flat_map(of_row).flatten().copied().collect()
            }
        }
    }
}
