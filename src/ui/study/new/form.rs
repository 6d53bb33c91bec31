//! What a new study is made of, as it is filled in.

use crate::study::PROGRAM;
use crate::study::assemble::Order;
use crate::study::design::Wanted;
use crate::study::key::Class;
use crate::study::plan::{Design, Shares};
use crate::study::prepare::Wishes;
use crate::study::seal::{self, Kdf};
use crate::study::secret::Secret;
use crate::study::sources::{self, Listed};
use crate::study::stamp::Stamp;
use std::path::{Path, PathBuf};

/// Scored trials of a reader where the clips suffice for more.
const USUAL_TRIALS: usize = 100;
/// What the files' names begin with.
pub const NAME: &str = "study";

/// What was filled in.
#[derive(Clone)]
pub struct Form {
    /// A folder for each class, in the order of [`Class::ALL`].
    pub folders: [Option<PathBuf>; 3],
    /// Instead of folders.
    pub list: Option<PathBuf>,
    /// A folder of clips to practise with.
    pub practice: Option<PathBuf>,
    /// Its trials and shares are what `trials` and `shares` say, where these say anything.
    pub wanted: Wanted,
    /// As many as the clips suffice for, up to a hundred, where none are given.
    pub trials: Option<usize>,
    /// By which folders there are, where none are given.
    pub shares: Option<Shares>,
    pub wishes: Wishes,
    /// Beside the clips where none is given.
    pub out: Option<PathBuf>,
    /// Twice; empty for a key that lies open.
    pub passphrase: [String; 2],
}

impl Default for Form {
    fn default() -> Self {
        Self {
            folders: Default::default(),
            list: None,
            practice: None,
            wanted: Wanted::usual(PROGRAM),
            trials: None,
            shares: None,
            wishes: Wishes::default(),
            out: None,
            passphrase: Default::default(),
        }
    }
}

impl Form {
    pub fn shares(&self) -> Shares {
        let [_, factual, counterfactual] = &self.folders;
        let of_folders = || match self.list {
            Some(_) => self.wanted.shares,
            None => Shares::of_classes(factual.is_some(), counterfactual.is_some()),
        };
        self.shares.unwrap_or_else(of_folders)
    }

    /// Scored trials of a reader; `counts` are the files of each class.
    pub fn trials(&self, counts: [usize; 3]) -> usize {
        if self.list.is_some() {
            return self.trials.unwrap_or(USUAL_TRIALS);
        }
        self.trials.unwrap_or_else(|| {
            let (shares, readers) = (self.shares(), self.wanted.readers.max(1));
            let each = Class::ALL.iter().zip(counts).filter_map(|(class, n)| {
                let share = shares.of(*class);
                // What is split is for all readers together.
                let n = match self.wanted.design {
                    Design::Crossed => n,
                    Design::Split | Design::Shared => n / readers,
                };
                (share > 0.0).then(|| (n as f64 / share) as usize)
            });
            let most = each.min().unwrap_or(0);
            // An even number parts evenly.
            (most.min(USUAL_TRIALS) / 2 * 2).max(2)
        })
    }

    /// Where the study goes: what was chosen, or a new folder beside the clips.
    pub fn out(&self, today: &str) -> Option<PathBuf> {
        if self.out.is_some() {
            return self.out.clone();
        }
        let first = self.list.as_ref();
        let clips = first.or_else(|| self.folders.iter().flatten().next())?;
        Some(beside(clips, today))
    }

    /// What is still missing, in a sentence.
    pub fn missing(&self) -> Option<&'static str> {
        let [real, factual, counterfactual] = &self.folders;
        if self.passphrase[0] != self.passphrase[1] {
            return Some("The two passphrases differ.");
        }
        if self.list.is_some() {
            return None;
        }
        match (real, factual.is_some() || counterfactual.is_some()) {
            (None, _) => Some("Choose a folder with recorded clips."),
            (_, false) => Some("Choose a folder with generated clips, or two."),
            _ => None,
        }
    }

    /// All clips that are named. Reads the disk.
    ///
    /// # Errors
    /// In a sentence that begins with the file or folder.
    pub fn listed(&self) -> Result<Vec<Listed>, String> {
        let mut all = Vec::new();
        if let Some(list) = &self.list {
            all.extend(sources::list(list).map_err(|e| e.to_string())?);
        } else {
            for (class, folder) in Class::ALL.into_iter().zip(&self.folders) {
                if let Some(folder) = folder {
                    all.extend(sources::folder(folder, class).map_err(|e| e.to_string())?);
                }
            }
        }
        if let Some(practice) = &self.practice {
            all.extend(sources::practice(practice).map_err(|e| e.to_string())?);
        }
        Ok(all)
    }

    /// What is to be assembled.
    ///
    /// # Errors
    /// In a sentence, when clips cannot be listed or there are no random numbers.
    pub fn order(&self, trials: usize, out: PathBuf) -> Result<Order, String> {
        let word = &self.passphrase[0];
        Ok(Order {
            listed: self.listed()?,
            wishes: self.wishes,
            wanted: Wanted {
                trials,
                fewer: self.trials.is_none(),
                shares: self.shares(),
                ..self.wanted.clone()
            },
            secret: Secret::new(seal::random().map_err(|e| e.to_string())?),
            passphrase: (!word.is_empty()).then(|| word.clone()),
            kdf: Kdf::default(),
            out,
            name: NAME.into(),
            created_utc: Stamp::now().utc(),
        })
    }
}

/// A new folder beside the clips, with a name that is free.
fn beside(clips: &Path, today: &str) -> PathBuf {
    let name = format!("study {today}");
    let first = clips.with_file_name(&name);
    let more = (2..1000).map(|k| clips.with_file_name(format!("{name} ({k})")));
    let mut all = std::iter::once(first.clone()).chain(more);
    all.find(|path| !path.exists()).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(folders: [bool; 3]) -> Form {
        let folder = |is: bool| is.then(|| PathBuf::from("clips"));
        Form {
            folders: folders.map(folder),
            ..Form::default()
        }
    }

    #[test]
    fn trials_are_as_many_as_the_clips_suffice_for() {
        let both = form([true; 3]);
        assert_eq!(both.trials([300, 300, 300]), 100);
        assert_eq!(both.trials([300, 11, 300]), 44);
        assert_eq!(form([true, false, true]).trials([31, 0, 90]), 62);
        assert_eq!(form([true, true, false]).trials([0, 0, 0]), 2);
        let mut split = form([true, true, false]);
        split.wanted.design = Design::Split;
        assert_eq!(split.trials([31, 31, 0]), 20);
        split.trials = Some(7);
        assert_eq!(split.trials([31, 31, 0]), 7);
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(
            form([false, true, true])
                .missing()
                .unwrap()
                .contains("recorded")
        );
        assert!(
            form([true, false, false])
                .missing()
                .unwrap()
                .contains("generated")
        );
        let mut whole = form([true, false, true]);
        assert_eq!(whole.missing(), None);
        assert_eq!(whole.shares().counterfactual, 0.5);
        whole.passphrase = ["word".into(), "wird".into()];
        assert!(whole.missing().unwrap().contains("differ"));
        let list = Form {
            list: Some("clips.csv".into()),
            ..Form::default()
        };
        assert_eq!((list.missing(), list.shares().factual), (None, 0.25));
    }

    #[test]
    fn a_study_never_lands_in_a_folder_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut form = form([false; 3]);
        assert_eq!(form.out("2026-11-26"), None);
        form.folders[0] = Some(folder.path().join("real"));
        let first = folder.path().join("study 2026-11-26");
        assert_eq!(form.out("2026-11-26"), Some(first.clone()));
        std::fs::create_dir(&first).unwrap();
        let second = folder.path().join("study 2026-11-26 (2)");
        assert_eq!(form.out("2026-11-26"), Some(second));
        form.out = Some(first.clone());
        assert_eq!(form.out("2026-11-26"), Some(first));
    }
}
