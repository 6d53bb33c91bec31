//! Which clips are read: so many of each class, and of no heart more than one in a list.

use super::quota::Quota;
use crate::study::secret::Random;

/// What choosing has to know of a clip: numbers of its class and of its heart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub class: usize,
    pub heart: usize,
}

/// A list of `quota` clips of `open`, by their places in `clips`; of each heart one at most. `None` where
/// that cannot be.
///
/// Each clip that is wanted looks for a heart; where all hearts of its class are taken, one that was taken
/// for another class looks again (Kuhn's algorithm), so a list is found whenever there is one. Hearts come
/// by how much is left of them, then by chance.
pub fn list(
    clips: &[Choice],
    open: &[bool],
    quota: Quota,
    random: &mut Random,
) -> Option<Vec<usize>> {
    let hearts = clips.iter().map(|c| c.heart + 1).max().unwrap_or(0);
    // Clips of each heart and class that are open.
    let mut of = vec![[const { Vec::new() }; 3]; hearts];
    for (i, clip) in clips.iter().enumerate() {
        if open.get(i) == Some(&true) {
            of[clip.heart][clip.class].push(i);
        }
    }
    let mut order: Vec<usize> = (0..hearts).collect();
    random.shuffle(&mut order);
    order.sort_by_key(|&h| std::cmp::Reverse(of[h].iter().map(Vec::len).sum::<usize>()));

    let mut taken: Vec<Option<usize>> = vec![None; hearts];
    for (class, wanted) in quota.into_iter().enumerate() {
        for _ in 0..wanted {
            let mut tried = vec![false; hearts];
            if !place(class, &order, &of, &mut taken, &mut tried) {
                return None;
            }
        }
    }
    let pick = |(heart, class): (usize, Option<usize>)| {
        let choices = &of[heart][class?];
        choices.get(random.below(choices.len())).copied()
    };
    Some(taken.into_iter().enumerate().filter_map(pick).collect())
}

/// Finds a heart for one more clip of a class, moving those that stand in the way.
fn place(
    class: usize,
    order: &[usize],
    of: &[[Vec<usize>; 3]],
    taken: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for &heart in order {
        if tried[heart] || of[heart][class].is_empty() || taken[heart] == Some(class) {
            continue;
        }
        tried[heart] = true;
        let free = match taken[heart] {
            None => true,
            Some(other) => place(other, order, of, taken, tried),
        };
        if free {
            taken[heart] = Some(class);
            return true;
        }
    }
    false
}

/// A list for each quota, no clip in two of them; `None` where none was found in many attempts. What one
/// reader takes may be what the last one would have needed, so that is tried again from the beginning.
pub fn lists(
    clips: &[Choice],
    open: &[bool],
    quotas: &[Quota],
    random: &mut Random,
) -> Option<Vec<Vec<usize>>> {
    const ATTEMPTS: usize = 200;
    (0..ATTEMPTS).find_map(|_| {
        let mut open = open.to_vec();
        let mut all = Vec::with_capacity(quotas.len());
        for &quota in quotas {
            let list = list(clips, &open, quota, random)?;
            for &i in &list {
                open[i] = false;
            }
            all.push(list);
        }
        Some(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::secret::Secret;
    use std::collections::BTreeSet;

    fn random(n: u8) -> Random {
        Secret::new([n; 32]).random("test")
    }

    /// Each heart in each of the classes given.
    fn clips(hearts: &[&[usize]]) -> Vec<Choice> {
        let of = |(heart, classes): (usize, &&[usize])| {
            classes
                .iter()
                .map(move |&class| Choice { class, heart })
                .collect::<Vec<_>>()
        };
        hearts.iter().enumerate().flat_map(of).collect()
    }

    fn check(clips: &[Choice], list: &[usize], quota: Quota) {
        let hearts: BTreeSet<usize> = list.iter().map(|&i| clips[i].heart).collect();
        assert_eq!(hearts.len(), list.len());
        let of = |class| list.iter().filter(|&&i| clips[i].class == class).count();
        assert_eq!([0, 1, 2].map(of), quota);
    }

    #[test]
    fn a_list_is_found_where_there_is_one() {
        // Only one way: hearts 0 to 2 have to stand back for each other.
        let clips = clips(&[&[0, 1], &[1, 2], &[2], &[0, 1, 2]]);
        let open = vec![true; clips.len()];
        for n in 0..50 {
            let found = list(&clips, &open, [2, 1, 1], &mut random(n)).unwrap();
            check(&clips, &found, [2, 1, 1]);
        }
        assert_eq!(list(&clips, &open, [2, 2, 1], &mut random(1)), None);
        assert_eq!(list(&clips, &open, [3, 0, 0], &mut random(1)), None);
    }

    #[test]
    fn lists_share_no_clip_and_are_found_to_the_last() {
        // Three readers, each heart in three versions, all of them used.
        let hearts: Vec<&[usize]> = vec![&[0, 1, 2]; 30];
        let clips = clips(&hearts);
        let open = vec![true; clips.len()];
        let quotas = [[10, 10, 10]; 3];
        let found = lists(&clips, &open, &quotas, &mut random(3)).unwrap();
        let all: BTreeSet<usize> = found.iter().flatten().copied().collect();
        assert_eq!(all.len(), 90);
        for (list, quota) in found.iter().zip(quotas) {
            check(&clips, list, quota);
        }
    }

    #[test]
    fn chance_decides_and_the_same_chance_decides_the_same() {
        let hearts: Vec<&[usize]> =
            vec![&[0], &[0], &[0], &[0], &[1], &[1], &[1], &[2], &[2], &[2]];
        let clips = clips(&hearts);
        let open = vec![true; clips.len()];
        let draw = |n| list(&clips, &open, [2, 1, 1], &mut random(n)).unwrap();
        assert_eq!(draw(5), draw(5));
        let drawn: BTreeSet<usize> = (0..100).flat_map(draw).collect();
        assert_eq!(drawn.len(), 10);
    }
}
