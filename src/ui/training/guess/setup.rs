//! Before a sitting: what it is made of.

use super::super::files::TrainingFile;
use super::super::said::sentence;
use super::super::stock::{Known, Stock};
use crate::drill::case::Band;
use crate::drill::profile::Profile;
use crate::drill::sitting::{Asked, Sitting};
use crate::ui::parts::{column, error, heading, main_button, muted, row, title};
use crate::ui::theme::GAP;
use dicom_core::chrono::NaiveDate;
use egui::{ComboBox, DragValue, Ui};
use strum::IntoEnumIterator;

/// What is wanted of the next sitting.
pub struct Setup {
    cases: usize,
    shares: [f64; Band::COUNT],
    /// In seconds.
    limit: Option<u32>,
    loops: Option<usize>,
    more: bool,
    pub why: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            cases: 20,
            shares: [1.0; Band::COUNT],
            limit: None,
            loops: None,
            more: false,
            why: None,
        }
    }
}

/// Cases of a test, and of a retention test.
const TEST: usize = 20;
const COUNTS: [usize; 4] = [10, 20, 40, 60];
const LIMITS: [u32; 4] = [10, 20, 30, 60];
const LOOPS: [usize; 4] = [1, 2, 3, 5];

/// What the page asks for.
pub enum Wants {
    File(TrainingFile),
    Begin(Box<Sitting>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Practice,
    Test,
}

impl Setup {
    pub fn ui(&mut self, ui: &mut Ui, stock: &mut Stock, entered: bool) -> Option<Wants> {
        let mut wants = None;
        column(ui, |ui| {
            title(
                ui,
                "Guess the EF",
                "A heart plays, you say its ejection fraction, and you are told at once what it was.",
            );
            stock.profile_ui(ui);
            wants = stock.source_ui(ui).map(Wants::File);
            self.length(ui);
            self.difficulty(ui);
            ui.add_space(GAP);
            let trouble = stock.trouble();
            let begin = main_button(ui, "Practise", trouble.is_none(), entered);
            let today = stock.today();
            if begin {
                wants = self.begin(stock, Kind::Practice);
            }
            if let Some(trouble) = trouble {
                muted(ui, trouble);
            }
            if let Some(known) = stock.known() {
                due(ui, known, today);
            }
            heading(ui, "Without feedback");
            let words = "A test has cases that this profile has not seen, and tells nothing before its end.";
            muted(ui, words);
            let offered = stock.known().and_then(|k| k.retention);
            if let Some(offered) = &offered {
                let words = format!(
                    "Your course ended on {}, {} days ago: what is left of it?",
                    offered.course_ended,
                    offered.days + offered.overdue_days
                );
                muted(ui, words);
            }
            let text = match offered {
                Some(offered) => format!("Retention test after {} days", offered.days),
                None => "Test".into(),
            };
            if ui
                .add_enabled(trouble.is_none(), egui::Button::new(text))
                .clicked()
            {
                wants = self.begin(stock, Kind::Test);
            }
            if let Some(why) = &self.why {
                error(ui, why.clone());
            }
        });
        wants
    }

    fn length(&mut self, ui: &mut Ui) {
        row(ui, "How many", |ui, _| {
            for count in COUNTS {
                ui.selectable_value(&mut self.cases, count, count.to_string());
            }
            muted(
                ui,
                "after some forty with feedback most of what there is to gain is gained",
            );
        });
    }

    fn difficulty(&mut self, ui: &mut Ui) {
        muted(
            ui,
            "All bands of EFs come equally often; on a ward most hearts are preserved. What is learnt here is to see, \
             not how often.",
        );
        let words = if self.more {
            "Fewer options"
        } else {
            "More options"
        };
        row(ui, "", |ui, _| {
            if ui.button(words).clicked() {
                self.more = !self.more;
            }
        });
        if !self.more {
            return;
        }
        row(ui, "Time for a case", |ui, label| {
            let said = |limit: Option<u32>| limit.map_or("no limit".into(), |s| format!("{s} s"));
            let choose = ComboBox::from_id_salt("limit").selected_text(said(self.limit));
            let choose = choose.show_ui(ui, |ui| {
                for limit in std::iter::once(None).chain(LIMITS.map(Some)) {
                    ui.selectable_value(&mut self.limit, limit, said(limit));
                }
            });
            choose.response.labelled_by(label);
        });
        row(ui, "Loops of the clip", |ui, label| {
            let said = |n: Option<usize>| n.map_or("as many as you like".into(), |n| n.to_string());
            let choose = ComboBox::from_id_salt("loops").selected_text(said(self.loops));
            let choose = choose.show_ui(ui, |ui| {
                for loops in std::iter::once(None).chain(LOOPS.map(Some)) {
                    ui.selectable_value(&mut self.loops, loops, said(loops));
                }
            });
            choose.response.labelled_by(label);
        });
        shares_ui(ui, &mut self.shares);
    }

    fn begin(&mut self, stock: &mut Stock, kind: Kind) -> Option<Wants> {
        self.why = None;
        match self.sitting(stock, kind) {
            Ok(sitting) => Some(Wants::Begin(Box::new(sitting))),
            Err(why) => {
                self.why = Some(why);
                None
            }
        }
    }

    fn sitting(&self, stock: &mut Stock, kind: Kind) -> Result<Sitting, String> {
        if self.shares.iter().sum::<f64>() <= 0.0 {
            return Err("Give one band a share.".into());
        }
        let profile: Profile = stock.open_profile()?;
        let seed = seed_of(&profile);
        let asked = Asked {
            about: (*stock.about()).clone(),
            seed,
            cases: match kind {
                Kind::Practice => self.cases,
                Kind::Test => TEST,
            },
            shares: self.shares,
            time_limit_s: self.limit.map(f64::from),
            most_loops: self.loops,
        };
        let sitting = match kind {
            Kind::Practice => Sitting::practice(profile, asked, stock.today()),
            Kind::Test => Sitting::test(profile, asked),
        };
        sitting.map_err(|e| sentence(&e))
    }
}

/// How often each band comes.
pub fn shares_ui(ui: &mut Ui, shares: &mut [f64; Band::COUNT]) {
    for (band, share) in Band::iter().zip(shares) {
        row(ui, &format!("Share of EFs {}", band.name()), |ui, label| {
            let value = DragValue::new(share).range(0.0..=10.0).speed(0.05);
            ui.add(value).labelled_by(label);
        });
    }
}

/// The same sitting for the same profile: whoever has answered more gets another.
fn seed_of(profile: &Profile) -> u64 {
    let text = format!("{} {}", profile.alias(), profile.answers().len());
    let digits = crate::hash::sha256(text.as_bytes());
    let first = digits.get(..16).unwrap_or_default();
    u64::from_str_radix(first, 16).unwrap_or_default()
}

/// What of what was practised comes back today.
fn due(ui: &mut Ui, known: &Known, today: NaiveDate) {
    let due = known.cells.iter().filter(|c| c.due_on <= today);
    let names: Vec<String> = due
        .map(|c| format!("{} ({} picture)", c.band.name(), c.quality.name()))
        .collect();
    if !names.is_empty() {
        muted(ui, format!("Due today: EFs {}.", names.join(", ")));
    }
}
