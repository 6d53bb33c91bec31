//! The anatomies that commands go through: of files, or of simulated hearts.

use super::wanted::Taken;
use crate::clip::{Frame, Pixels};
use crate::media::region::{Anatomy, Square};
use crate::phantom::{Heart, Quality, SIZE};
use anyhow::{Context, bail};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(clap::Args)]
pub struct AnatomyArgs {
    /// Anatomies: a folder, or files. DICOM, PNG, JPEG, or the first frame of a clip.
    #[arg(long, num_args = 1..)]
    pub frames: Vec<PathBuf>,
    /// So many simulated hearts at end-diastole instead, whose motion is known at every EF.
    #[arg(long, value_name = "N", conflicts_with = "frames", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub simulated: Option<u16>,
    /// The seed of the first of them; training draws others.
    #[arg(
        long,
        value_name = "SEED",
        default_value_t = 901,
        requires = "simulated"
    )]
    first_heart: u64,
    /// These hearts as today's machines show them (see `echoif phantom --help`).
    #[arg(long, requires = "simulated")]
    pub compounded: bool,
}

pub struct Subject {
    pub anatomy: Arc<Anatomy>,
    /// Of a simulated heart.
    pub heart: Option<Heart>,
}

/// Of their own at end-diastole, which shows nothing of it: a share.
pub const OWN_EF: f64 = 0.55;

impl AnatomyArgs {
    #[cfg(test)]
    pub fn simulated(n: u16) -> Self {
        Self {
            frames: Vec::new(),
            simulated: Some(n),
            first_heart: 901,
            compounded: false,
        }
    }

    /// Every one that can be read, and a sentence for each that cannot, which is said on the terminal, too.
    ///
    /// # Errors
    /// When a folder cannot be listed, or no anatomy is left.
    pub fn read(&self) -> anyhow::Result<(Vec<Subject>, Vec<String>)> {
        let mut skipped = Vec::new();
        let mut subjects = Vec::new();
        for i in 0..u64::from(self.simulated.unwrap_or(0)) {
            let seed = self.first_heart.wrapping_add(i);
            subjects.push(simulated(seed, i, self.compounded)?);
        }
        for path in files(&self.frames)? {
            match Taken::from(&path) {
                Ok(taken) => subjects.push(Subject {
                    anatomy: Arc::new(taken.anatomy),
                    heart: None,
                }),
                Err(why) => skipped.push(format!("{why:#}")),
            }
        }
        for why in &skipped {
            eprintln!("Left out: {why}");
        }
        match (subjects.is_empty(), self.frames.is_empty()) {
            (true, true) => bail!("Give --frames or --simulated."),
            (true, false) => bail!("None of these files is a frame that can be read."),
            (false, _) => Ok((subjects, skipped)),
        }
    }
}

fn simulated(seed: u64, i: u64, is_compounded: bool) -> anyhow::Result<Subject> {
    let quality = Quality::ALL[i as usize % Quality::ALL.len()];
    // Nothing in a picture tells how the axis rocks.
    let mut heart = Heart::from_seed(seed, quality).steady();
    if is_compounded {
        heart = heart.compounded();
    }
    let frame = Frame {
        width: SIZE,
        height: SIZE,
        pixels: Pixels::Gray(heart.lesson(OWN_EF, (OWN_EF, 0.0)).picture),
    };
    let anatomy = Anatomy::from_frame(&frame, &Square::centred(SIZE, SIZE).into())?;
    Ok(Subject {
        anatomy: Arc::new(anatomy),
        heart: Some(heart),
    })
}

/// The files that are meant: those of a folder in order of name.
pub fn files(given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in given {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path)
            .with_context(|| format!("{} cannot be listed", path.display()))?;
        let mut inside: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|p| p.is_file() && p.extension().is_none_or(|e| e != "json" && e != "csv"))
            .collect();
        inside.sort();
        all.extend(inside);
    }
    Ok(all)
}
