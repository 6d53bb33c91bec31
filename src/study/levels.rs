//! Gray levels: how many a clip was stored in, and as many for all.

/// Numbers of gray levels that are tried.
const LEVELS: [usize; 5] = [256, 128, 64, 32, 16];

/// How often each of the 256 values is in a clip, inside the sector.
#[derive(Clone, Debug)]
pub struct Histogram([usize; 256]);

impl Histogram {
    pub fn of(clip: &[u8], sector: &[bool]) -> Self {
        let mut counts = [0; 256];
        for frame in clip.chunks_exact(sector.len().max(1)) {
            for (&level, inside) in frame.iter().zip(sector) {
                if *inside {
                    counts[usize::from(level)] += 1;
                }
            }
        }
        Self(counts)
    }

    /// Whether a clip that is cut to so many levels has no gaps between them: one that was stored in fewer
    /// levels would be known by its gaps. A gap counts by how often the levels around it are there, since
    /// levels that hardly occur may be missing in any clip. Black and white are cut off by scanners and do not
    /// count.
    fn fills(&self, levels: usize) -> bool {
        const AROUND: usize = 4;
        const MISSING: f64 = 0.02;
        const FLAT: f64 = 6.0;
        let mut counts = vec![0usize; levels];
        for (value, &count) in self.0.iter().enumerate().take(255).skip(1) {
            counts[level_of(value as u8, levels)] += count;
        }
        let all: usize = counts.iter().sum();
        // Of a drawing in a few flat tones there is nothing to be seen of how it was stored.
        if effective(&counts) < FLAT {
            return true;
        }
        let used = |n: &usize| *n > 0;
        let first = counts.iter().position(used).unwrap_or(0);
        let last = counts.iter().rposition(used).unwrap_or(0);
        let gaps = (first..last).filter(|&i| counts[i] == 0).map(|i| {
            let around = counts
                .iter()
                .take(i + AROUND + 1)
                .skip(i.saturating_sub(AROUND));
            around.sum::<usize>() as f64 / (2 * AROUND + 1) as f64
        });
        gaps.sum::<f64>() <= MISSING * all as f64
    }
}

/// How many levels would be as even as these are uneven: two to the power of their entropy.
fn effective(counts: &[usize]) -> f64 {
    let all = counts.iter().sum::<usize>().max(1) as f64;
    let shares = counts.iter().filter(|n| **n > 0).map(|&n| n as f64 / all);
    shares.map(|p| -p * p.log2()).sum::<f64>().exp2()
}

/// The most levels that all clips fill.
pub fn levels(histograms: &[Histogram]) -> usize {
    let fill = |levels: &usize| histograms.iter().all(|h| h.fills(*levels));
    let least = LEVELS[LEVELS.len() - 1];
    LEVELS.into_iter().find(fill).unwrap_or(least)
}

fn level_of(value: u8, levels: usize) -> usize {
    usize::from(value) * levels / 256
}

/// Cuts a clip to so many levels, spread over 0 to 255; 0 stays 0.
pub fn cut(clip: &mut [u8], levels: usize) {
    let step = |value: u8| (level_of(value, levels) * 255 / (levels - 1).max(1)) as u8;
    for value in clip {
        *value = step(*value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_in_few_tones_costs_no_levels() {
        let mut flat = Histogram([0; 256]);
        (flat.0[40], flat.0[90], flat.0[200]) = (5000, 3000, 2000);
        assert_eq!(levels(&[flat]), 256);
        let mut stored = Histogram([0; 256]);
        (0..250).step_by(8).for_each(|level| stored.0[level] = 100);
        assert_eq!(levels(&[stored]), 32);
    }

    #[test]
    fn levels_are_spread_over_the_whole_range() {
        for levels in LEVELS {
            let mut all: Vec<u8> = (0..=255).collect();
            cut(&mut all, levels);
            assert_eq!((all[0], all[255]), (0, 255));
            all.dedup();
            assert_eq!(all.len(), levels);
        }
    }
}
