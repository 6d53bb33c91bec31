//! A study is designed: who reads which clips, in which order, from clips that are there and a secret.
//!
//! Classes enter through their counts alone: what is drawn is drawn from the list sorted by the hash of the
//! pixels, so neither order nor identifiers of a plan tell a class.

mod choose;
mod order;
mod quota;

use super::key::{self, Class, ClipTruth, Key, ReaderCode};
use super::plan::{self, Analysis, Answering, Design, Plan, Presentation, Primary};
use super::plan::{Reading, Resume, Shares, Side, Sitting, Texts};
use super::secret::Secret;
use choose::Choice;
pub use order::APART;
use quota::Quota;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub title: String,
    /// Name and version of the program that plans.
    pub program: String,
    pub design: Design,
    /// Of a shared design: scored trials that all readers have in common.
    pub shared: usize,
    pub shares: Shares,
    pub readers: usize,
    /// Scored trials of a reader.
    pub trials: usize,
    /// Where the clips do not suffice for so many, as many as they suffice for.
    pub fewer: bool,
    /// Trials of a reader that come once more.
    pub repeats: usize,
    /// Trials with moving bars that the program draws, to learn the keys.
    pub practice: usize,
    /// Hashes of the pixels of clips that all readers practise with, after the bars; they are in no other trial.
    pub practice_clips: Vec<String>,
    pub prior_told: bool,
    pub presentation: Presentation,
    pub answer: Answering,
    pub session: Sitting,
    pub analysis: Analysis,
    pub texts: Texts,
}

impl Wanted {
    /// What a study has where nothing else is asked for: three readers of the same 100 clips.
    pub fn usual(program: &str) -> Self {
        Self {
            title: String::new(),
            program: program.into(),
            design: Design::Crossed,
            shared: 0,
            shares: Shares {
                real: 0.5,
                factual: 0.25,
                counterfactual: 0.25,
            },
            readers: 3,
            trials: 100,
            fewer: false,
            repeats: 0,
            practice: 0,
            practice_clips: Vec::new(),
            prior_told: false,
            // What the clips allow takes its place.
            presentation: Presentation {
                frames: 64,
                fps: 32.0,
                width: 112,
                height: 112,
                levels: 256,
                points: 448,
                loop_gap_ms: 300,
            },
            answer: Answering {
                confidence: 5,
                time_limit_s: None,
                min_view_ms: 500,
            },
            session: Sitting {
                block: 25,
                break_s: 60,
                resume: Resume::Resume,
                max_pause_h: 72,
            },
            analysis: Analysis {
                primary: Primary::BalancedAccuracy,
                level: 0.95,
                equivalence_margin: 0.1,
            },
            texts: Texts::default(),
        }
    }
}

/// Readers and trials that a plan may have.
const MOST_READERS: usize = 200;
const MOST_TRIALS: usize = 5000;

/// Why a study cannot be designed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DesignError {
    #[error("a study has 1 to {MOST_READERS} readers, and {0} are asked for")]
    Readers(usize),
    #[error("a reader has 1 to {MOST_TRIALS} trials, and {0} are asked for")]
    Trials(usize),
    #[error(
        "the shares of real, factual and counterfactual clips are 0 to 1 and add up to 1; these are {0}"
    )]
    Shares(String),
    #[error("{shared} trials are to be shared by all, but a reader has {trials}")]
    Shared { shared: usize, trials: usize },
    #[error(
        "{wanted} {class} clips of different hearts are needed, and there are {hearts} hearts in {clips} \
         clips: give more of them, or ask for fewer trials or another share"
    )]
    Clips {
        class: &'static str,
        wanted: usize,
        clips: usize,
        hearts: usize,
    },
    #[error(
        "{wanted} {class} clips are needed for all readers together, and there are {clips}: give more of \
         them, ask for fewer trials or readers, or let all readers read the same (--design crossed)"
    )]
    AllClips {
        class: &'static str,
        wanted: usize,
        clips: usize,
    },
    #[error(
        "no reader may see one heart twice, and {wanted} trials need as many hearts; all clips together \
         show {hearts}: give clips of other hearts, or ask for fewer trials"
    )]
    Hearts { wanted: usize, hearts: usize },
    #[error(
        "no reader may see one heart twice, and these clips cannot be shared out so: give clips of other \
         hearts, or ask for fewer trials"
    )]
    Together,
    #[error("{repeats} repeated trials need a list of at least {} trials", repeats + APART - 1)]
    Repeats { repeats: usize },
    #[error("two clips show the same pixels: leave one of them out")]
    Twice,
}

/// The plan, and the key with the readers' codes. The plan's bytes and the key's are the same whenever clips,
/// wishes and secret are; the order in which the clips are given makes no difference.
///
/// `code` makes a reader's code of bytes that follow from the secret. Identifiers in `clips` are not read.
///
/// # Errors
/// When the clips do not suffice, with what is missing.
pub fn design(
    wanted: &Wanted,
    clips: &[ClipTruth],
    secret: &Secret,
    code: impl Fn(&str) -> String,
) -> Result<(Plan, Key), DesignError> {
    let mut wanted = wanted.clone();
    loop {
        let designed = of_exactly(&wanted, clips, secret, &code);
        let too_few = matches!(
            designed,
            Err(DesignError::Clips { .. }
                | DesignError::AllClips { .. }
                | DesignError::Hearts { .. }
                | DesignError::Together)
        );
        // Fewer than two would be of one class.
        if !(wanted.fewer && too_few && wanted.trials > 2) {
            return designed;
        }
        wanted.trials -= 1 + (wanted.trials + 1) % 2;
        wanted.shared = wanted.shared.min(wanted.trials);
    }
}

fn of_exactly(
    wanted: &Wanted,
    clips: &[ClipTruth],
    secret: &Secret,
    code: &impl Fn(&str) -> String,
) -> Result<(Plan, Key), DesignError> {
    check(wanted)?;
    let mut clips: Vec<ClipTruth> = clips.to_vec();
    clips.sort_by(|a, b| a.pixels_sha256.cmp(&b.pixels_sha256));
    let same = |pair: &[ClipTruth]| matches!(pair, [a, b] if a.pixels_sha256 == b.pixels_sha256);
    if clips.windows(2).any(same) {
        return Err(DesignError::Twice);
    }
    for clip in &mut clips {
        clip.clip = identifier(secret, &clip.pixels_sha256);
    }
    let mut practice = vec![plan::BARS.to_owned(); wanted.practice];
    let mut hearts: Vec<&String> = wanted.practice_clips.iter().collect();
    hearts.sort();
    secret.random("practice").shuffle(&mut hearts);
    practice.extend(hearts.into_iter().map(|sha256| identifier(secret, sha256)));
    let lists = chosen(wanted, &clips, secret)?;

    let mut readers = Vec::with_capacity(wanted.readers);
    for (i, list) in lists.into_iter().enumerate() {
        let reader = format!("R{}", i + 1);
        let mut random = secret.random(&format!("order of {reader}"));
        let names = list.into_iter().filter_map(|i| clips.get(i));
        let names: Vec<String> = names.map(|clip| clip.clip.clone()).collect();
        let block = wanted.session.block;
        let trials = order::trials(names, &practice, wanted.repeats, block, &mut random);
        readers.push(Reading {
            reader,
            real_side: if i % 2 == 0 { Side::Left } else { Side::Right },
            trials: trials.ok_or(DesignError::Repeats {
                repeats: wanted.repeats,
            })?,
        });
    }

    let study = secret.identifier("study", &[]);
    let trials = readers.iter().flat_map(|r| &r.trials);
    let used: BTreeSet<&str> = trials.map(|t| t.clip.as_str()).collect();
    clips.retain(|clip| used.contains(clip.clip.as_str()));
    clips.sort_by(|a, b| a.clip.cmp(&b.clip));
    let coded = |reading: &Reading| ReaderCode {
        reader: reading.reader.clone(),
        code: code(&reading.reader),
    };
    let key = Key {
        format: key::FORMAT.into(),
        version: key::VERSION,
        study: study.clone(),
        secret: secret.to_hex(),
        readers: readers.iter().map(coded).collect(),
        clips,
    };
    let plan = Plan {
        format: plan::FORMAT.into(),
        version: plan::VERSION,
        study,
        title: wanted.title.clone(),
        program: wanted.program.clone(),
        design: wanted.design,
        shares: wanted.shares,
        prior_told: wanted.prior_told,
        presentation: wanted.presentation,
        answer: wanted.answer,
        session: wanted.session,
        analysis: wanted.analysis.clone(),
        texts: wanted.texts.clone(),
        key_commitment: crate::hash::sha256(&key.to_bytes()),
        readers,
    };
    Ok((plan, key))
}

/// What a clip is called in a study with this secret.
pub fn identifier(secret: &Secret, pixels_sha256: &str) -> String {
    secret.identifier("clip", pixels_sha256.as_bytes())
}

fn check(wanted: &Wanted) -> Result<(), DesignError> {
    let Wanted {
        readers,
        trials,
        shared,
        ..
    } = *wanted;
    if readers == 0 || readers > MOST_READERS {
        return Err(DesignError::Readers(readers));
    }
    if trials == 0 || trials > MOST_TRIALS {
        return Err(DesignError::Trials(trials));
    }
    if wanted.design == Design::Shared && shared > trials {
        return Err(DesignError::Shared { shared, trials });
    }
    let Shares {
        real,
        factual,
        counterfactual,
    } = wanted.shares;
    let all = [real, factual, counterfactual];
    let are_shares = all.iter().all(|s| (0.0..=1.0).contains(s));
    if !are_shares || (all.iter().sum::<f64>() - 1.0).abs() > 1e-6 {
        let text = format!("{real}, {factual} and {counterfactual}");
        return Err(DesignError::Shares(text));
    }
    Ok(())
}

/// For each reader the places of their clips.
fn chosen(
    wanted: &Wanted,
    clips: &[ClipTruth],
    secret: &Secret,
) -> Result<Vec<Vec<usize>>, DesignError> {
    let numbers: BTreeMap<&str, usize> = {
        let hearts: BTreeSet<&str> = clips.iter().map(|c| c.anatomy.as_str()).collect();
        hearts.into_iter().zip(0..).collect()
    };
    // Classes are numbered as they come in the list, so that what they are called makes no difference.
    let mut classes = Class::ALL;
    let first = |class: &Class| clips.iter().position(|c| c.class == *class);
    classes.sort_by_key(|class| first(class).unwrap_or(usize::MAX));
    let shares = classes.map(|class| wanted.shares.of(class));
    let choice = |clip: &ClipTruth| Choice {
        class: classes.iter().position(|c| *c == clip.class).unwrap_or(0),
        heart: numbers.get(clip.anatomy.as_str()).copied().unwrap_or(0),
    };
    let choices: Vec<Choice> = clips.iter().map(choice).collect();
    let mut random = secret.random("clips");
    let Wanted {
        readers, trials, ..
    } = *wanted;
    let shared = match wanted.design {
        Design::Crossed => trials,
        Design::Split => 0,
        Design::Shared => wanted.shared,
    };

    let mut open = vec![true; clips.len()];
    let of_all = quota::of(shared, shares);
    enough(&classes, &choices, &open, of_all)?;
    let common = choose::list(&choices, &open, of_all, &mut random)
        .ok_or_else(|| why_not(&choices, shared))?;
    // A heart that all readers see is seen by none of them again.
    let seen: BTreeSet<usize> = common
        .iter()
        .filter_map(|&i| choices.get(i))
        .map(|c| c.heart)
        .collect();
    for (open, choice) in open.iter_mut().zip(&choices) {
        *open &= !seen.contains(&choice.heart);
    }

    let own = trials - shared;
    let total = quota::of(readers * own, shares);
    let quotas = quota::cut(total, readers, own);
    for (i, (class, wanted)) in classes.iter().zip(total).enumerate() {
        let is_open = |(c, open): &(&Choice, &bool)| **open && c.class == i;
        let clips = choices.iter().zip(&open).filter(is_open).count();
        if clips < wanted {
            return Err(DesignError::AllClips {
                class: class.name(),
                wanted,
                clips,
            });
        }
    }
    for &quota in &quotas {
        enough(&classes, &choices, &open, quota)?;
    }
    let lists = choose::lists(&choices, &open, &quotas, &mut random)
        .ok_or_else(|| why_not(&choices, trials))?;
    Ok(lists
        .into_iter()
        .map(|list| common.iter().copied().chain(list).collect())
        .collect())
}

/// Whether each class has as many hearts as a list wants of it.
fn enough(
    classes: &[Class; 3],
    choices: &[Choice],
    open: &[bool],
    quota: Quota,
) -> Result<(), DesignError> {
    for (i, (class, wanted)) in classes.iter().zip(quota).enumerate() {
        let of = choices.iter().zip(open);
        let of = of.filter(|(c, open)| **open && c.class == i);
        let hearts: Vec<usize> = of.map(|(c, _)| c.heart).collect();
        let different: BTreeSet<&usize> = hearts.iter().collect();
        if different.len() < wanted {
            return Err(DesignError::Clips {
                class: class.name(),
                wanted,
                clips: hearts.len(),
                hearts: different.len(),
            });
        }
    }
    Ok(())
}

/// Each class alone would suffice.
fn why_not(choices: &[Choice], wanted: usize) -> DesignError {
    let hearts: BTreeSet<usize> = choices.iter().map(|c| c.heart).collect();
    if hearts.len() < wanted {
        DesignError::Hearts {
            wanted,
            hearts: hearts.len(),
        }
    } else {
        DesignError::Together
    }
}

#[cfg(test)]
mod tests;
