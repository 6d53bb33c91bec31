//! *Make a set*: ladders of generated hearts, from a folder of frames, in the background.

mod frames;

use super::super::files::TrainingFile;
use super::super::said::{about_file, counted};
use crate::drill::make::{self, EFS};
use crate::drill::outlines::{self, Outlines};
use crate::ef::EfPercent;
use crate::engine::{Batch, Engine, Event, Generated, JobId, Owner, Request};
use crate::media::export::{self, Cine};
use crate::provenance::Part;
use crate::ui::mode::House;
use crate::ui::parts::{
    FileField, FileRow, column, error, main_button, muted, progress, title, written,
};
use crate::ui::projector::Wake;
use crate::ui::task::{Progress, Reporter, Task};
use crate::ui::theme::GAP;
use crossbeam_channel::{Sender, unbounded};
use egui::Ui;
use frames::{Prepared, prepared};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The screen's state.
pub struct MakeSet {
    frames: Option<PathBuf>,
    out: Option<PathBuf>,
    work: Work,
    /// The set that was made, and what is to be known of it.
    made: Option<(PathBuf, String)>,
    why: Option<String>,
    wake: Wake,
}

#[derive(Default)]
enum Work {
    #[default]
    None,
    /// Frames are opened.
    Preparing(Task<Result<Prepared, String>>),
    /// The worker makes clips, and another thread writes them.
    Making(Box<Making>),
    /// The set is put together.
    Assembling(Task<Result<(PathBuf, String), String>>),
}

struct Making {
    job: JobId,
    out: PathBuf,
    names: Vec<String>,
    skipped: usize,
    failed: usize,
    progress: Progress,
    /// None once nothing more comes.
    writer: Option<Sender<(PathBuf, Arc<Generated>)>>,
    writing: Task<Result<(), String>>,
    /// What that came to.
    written: Option<Result<(), String>>,
    cascade_sha256: String,
    ended: bool,
}

impl MakeSet {
    pub fn new(wake: Wake) -> Self {
        Self {
            frames: None,
            out: None,
            work: Work::None,
            made: None,
            why: None,
            wake,
        }
    }

    pub fn is_busy(&self) -> bool {
        !matches!(self.work, Work::None)
    }

    pub fn take(&mut self, file: TrainingFile, path: PathBuf) {
        self.why = None;
        match file {
            TrainingFile::Frames => self.frames = Some(path),
            _ => self.out = Some(path),
        }
    }

    /// Stops it; what was made stays, and is gone on from.
    pub fn cancel(&mut self, engine: &Engine) {
        match &self.work {
            Work::Making(making) => engine.cancel_batch(making.job),
            Work::Preparing(_) | Work::Assembling(_) => self.work = Work::None,
            Work::None => {}
        }
    }

    /// What the worker made of it.
    pub fn hear(&mut self, event: Event) {
        let Work::Making(making) = &mut self.work else {
            return;
        };
        match event {
            Event::Batching {
                job,
                fraction,
                seconds_left,
            } if job == making.job => {
                making.progress = Progress {
                    what: format!("{:.0} s left", seconds_left.ceil()),
                    share: fraction,
                };
            }
            Event::Made { job, index, result } if job == making.job => {
                match (result, making.names.get(index), &making.writer) {
                    (Ok(made), Some(name), Some(writer)) => {
                        // Fails only when nothing is written any more, which is told when that ends.
                        let _ = writer.send((making.out.join(name), made));
                    }
                    (Err(why), ..) => {
                        making.failed += 1;
                        self.why.get_or_insert(why);
                    }
                    _ => making.failed += 1,
                }
            }
            Event::Failed { job, why, .. } if job == making.job => {
                self.why = Some(why);
                making.writer = None;
                making.ended = true;
            }
            Event::Done { job } | Event::Cancelled { job } if job == making.job => {
                making.writer = None;
                making.ended = true;
            }
            Event::Stopped(why) => {
                self.why = Some(why);
                making.writer = None;
                making.ended = true;
            }
            _ => {}
        }
    }

    /// Goes on to the next step once one is done.
    pub fn pursue(&mut self, house: &House, engine: &mut Engine) {
        match std::mem::take(&mut self.work) {
            Work::None => {}
            Work::Preparing(task) => match task.take() {
                None => self.work = Work::Preparing(task),
                Some(outcome) => match outcome.and_then(|o| o) {
                    Ok(prepared) => self.queue(prepared, house, engine),
                    Err(why) => self.why = Some(why),
                },
            },
            Work::Making(mut making) => {
                if making.written.is_none() {
                    making.written = making.writing.take().map(|o| o.and_then(|o| o));
                }
                // What cannot be written need not be made.
                if matches!(making.written, Some(Err(_))) && !making.ended {
                    engine.cancel_batch(making.job);
                }
                match making.written.take() {
                    Some(written) if making.ended => match written {
                        Ok(()) => self.assemble(&making),
                        Err(why) => self.why = Some(why),
                    },
                    written => {
                        making.written = written;
                        self.work = Work::Making(making);
                    }
                }
            }
            Work::Assembling(task) => match task.take() {
                None => self.work = Work::Assembling(task),
                Some(outcome) => match outcome.and_then(|o| o) {
                    Ok(made) => self.made = Some(made),
                    Err(why) => self.why = Some(why),
                },
            },
        }
    }

    pub fn ui(&mut self, ui: &mut Ui, house: &House, engine: &Engine) -> Option<TrainingFile> {
        let mut asks = None;
        let mut stop = false;
        column(ui, |ui| {
            title(
                ui,
                "Make a set",
                "The loaded cascade makes twelve EFs of each frame, in the background. Those stay whose EFs rise as \
                 they were asked to. What is there already is not made again.",
            );
            let free = !self.is_busy();
            ui.add_enabled_ui(free, |ui| {
                let fields = [
                    (
                        "Frames",
                        TrainingFile::Frames,
                        &mut self.frames,
                        "choose a folder of apical four-chamber frames or clips",
                    ),
                    (
                        "Folder for the set",
                        TrainingFile::Made,
                        &mut self.out,
                        "choose a folder; another set's clips may be in it",
                    ),
                ];
                for (label, file, path, empty) in fields {
                    match FileField::new(label, file, path.as_deref(), empty).show(ui) {
                        Some(FileRow::Choose(file)) => asks = Some(file),
                        Some(FileRow::Clear) => *path = None,
                        None => {}
                    }
                }
            });
            ui.add_space(GAP);
            match &self.work {
                Work::None => {
                    let ready = self.frames.clone().zip(self.out.clone());
                    let cascade = house.cascade.as_ref().map(|c| c.identity.sha256.clone());
                    let ready = ready.zip(cascade);
                    if main_button(ui, "Make the set", ready.is_some(), false)
                        && let Some((folders, cascade)) = ready
                    {
                        self.prepare(folders, cascade);
                    }
                }
                Work::Preparing(task) => stop = progress(ui, &task.progress()),
                Work::Making(making) => stop = progress(ui, &making.progress),
                Work::Assembling(task) => stop = progress(ui, &task.progress()),
            }
            if let Some((path, about)) = &self.made {
                written(ui, "The set", path);
                muted(ui, about.clone());
            }
            if let Some(why) = &self.why {
                error(ui, why.clone());
            }
        });
        if stop {
            self.cancel(engine);
        }
        asks
    }

    fn prepare(&mut self, (frames, out): (PathBuf, PathBuf), cascade_sha256: String) {
        self.why = None;
        self.made = None;
        let task = Task::start("frames", &self.wake, move |reporter| {
            prepared(&frames, &out, &cascade_sha256, reporter)
        });
        match task {
            Ok(task) => self.work = Work::Preparing(task),
            Err(why) => self.why = Some(why),
        }
    }

    fn queue(&mut self, prepared: Prepared, house: &House, engine: &mut Engine) {
        let (Some(cascade), Some(out)) = (&house.cascade, self.out.clone()) else {
            self.why = Some("The cascade is being changed: begin again when it is open.".into());
            return;
        };
        let (mut requests, mut names) = (Vec::new(), Vec::new());
        for anatomy in &prepared.hearts {
            for ef in EFS {
                let Ok(asked) = EfPercent::new(ef) else {
                    continue;
                };
                requests.push(Request::new(anatomy.clone(), asked));
                names.push(make::file_name(&anatomy.sha256, ef));
            }
        }
        let (writer, clips) = unbounded::<(PathBuf, Arc<Generated>)>();
        let writing = Task::start("clips", &self.wake, move |_: &Reporter| {
            clips
                .iter()
                .try_for_each(|(path, made)| write(&path, &made))
        });
        let writing = match writing {
            Ok(writing) => writing,
            Err(why) => {
                self.why = Some(why);
                return;
            }
        };
        let batch = Batch {
            requests,
            done: prepared.done,
        };
        self.work = Work::Making(Box::new(Making {
            job: engine.queue(Owner::Training, batch),
            out,
            names,
            skipped: prepared.skipped,
            failed: 0,
            progress: Progress::default(),
            writer: Some(writer),
            writing,
            written: None,
            cascade_sha256: cascade.identity.sha256.clone(),
            ended: false,
        }));
    }

    fn assemble(&mut self, making: &Making) {
        let (out, cascade) = (making.out.clone(), making.cascade_sha256.clone());
        let (skipped, failed) = (making.skipped, making.failed);
        let task = Task::start("set", &self.wake, move |_| {
            let made = make::made_in(&out)?;
            let assembled = make::assemble(&made, &cascade)?;
            let path = out.join("generated.echocases");
            crate::files::write_atomically(&path, &assembled.set.to_bytes())
                .map_err(|e| about_file(&path, &format!("it cannot be written ({e})")))?;
            let cases = assembled.set.cases().count();
            let mut about = format!(
                "{}, {}; {} left out since their EFs do not rise.",
                counted(assembled.set.ladders.len(), "heart"),
                counted(cases, "case"),
                counted(assembled.left_out, "clip")
            );
            if skipped > 0 {
                about += &format!(" {skipped} files of the folder could not be used.");
            }
            if failed > 0 {
                about += &format!(" {failed} clips could not be made.");
            }
            Ok((path, about))
        });
        match task {
            Ok(task) => self.work = Work::Assembling(task),
            Err(why) => self.why = Some(why),
        }
    }
}

fn write(path: &Path, made: &Generated) -> Result<(), String> {
    let cine = Cine {
        part: Part::Counterfactual,
        video: &made.cine.video,
        rate: made.rate,
        beat_normalised: made.beat_normalised,
        provenance: &made.provenance,
        factual: None,
        // The frame is a recording, maybe.
        anatomy: None,
    };
    if let Some(beating) = &made.cine.beating {
        let frames = made.cine.video.frames;
        let at = |i: usize| beating.outline_at(i as f64 / frames as f64);
        let outlines = Outlines::new((0..frames).map(at).collect());
        let path = outlines::path_of(path);
        crate::files::write_atomically(&path, &outlines.to_bytes())
            .map_err(|e| about_file(&path, &format!("it cannot be written ({e})")))?;
    }
    // The clip comes last: where it is, all of it is.
    export::write(&cine, path)
        .map(|_| ())
        .map_err(|e| e.to_string())
}
