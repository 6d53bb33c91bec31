//! Files for iMRMC (Gallas and others, the FDA's program) and for MRMCaov (R).
//!
//! Both take one rating per reader, case and modality, and iMRMC stops at a case that a reader read twice:
//! repeats and missing answers are left out. Fake is 1. Identifiers and names hold no comma.

use super::readings::{Reading, Readings};
use crate::study::key::Class;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// One modality, `study`. Without confidence ratings are answers, and the area is the balanced accuracy.
pub(super) fn study(readings: &Readings) -> String {
    let rows = rows(readings, |_| true).map(|row| ("study", row));
    file(readings, &rows.collect::<Vec<_>>())
}

/// Each generated class against the real cases, which are in both modalities; a class without a rating has
/// none.
pub(super) fn by_class(readings: &Readings) -> String {
    let mut all = Vec::new();
    for class in [Class::Factual, Class::Counterfactual] {
        if rows(readings, |c| c == class).next().is_some() {
            let with_real = rows(readings, move |c| c == class || c == Class::Real);
            all.extend(with_real.map(|row| (class.name(), row)));
        }
    }
    file(readings, &all)
}

/// MRMCaov's table.
pub(super) fn mrmcaov(readings: &Readings) -> String {
    let mut text = "reader,treatment,case,truth,rating\n".to_owned();
    for Row {
        reader,
        clip,
        fake,
        rating,
    } in rows(readings, |_| true)
    {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{reader},study,{clip},{},{rating}", u8::from(fake));
    }
    text
}

struct Row<'r> {
    reader: &'r str,
    clip: &'r str,
    fake: bool,
    rating: f64,
}

fn rows<'r>(
    readings: &'r Readings,
    wanted: impl Fn(Class) -> bool + 'r,
) -> impl Iterator<Item = Row<'r>> {
    let row = |r: &'r Reading| {
        Some(Row {
            reader: readings.readers.get(r.reader)?.name,
            clip: &r.response.clip,
            fake: r.class.is_fake(),
            rating: r.rating?,
        })
    };
    readings
        .scored
        .iter()
        .filter(move |r| wanted(r.class))
        .filter_map(row)
}

/// Truth first, of cases that are in a row.
fn file(readings: &Readings, rows: &[(&str, Row)]) -> String {
    let read: BTreeSet<&str> = rows.iter().map(|(_, row)| row.clip).collect();
    let mut text = "BEGIN DATA:\n".to_owned();
    for clip in readings
        .clips
        .iter()
        .filter(|c| read.contains(c.clip.as_str()))
    {
        let _ = writeln!(
            text,
            "truth,{},truth,{}",
            clip.clip,
            u8::from(clip.class.is_fake())
        );
    }
    for (
        modality,
        Row {
            reader,
            clip,
            rating,
            ..
        },
    ) in rows
    {
        let _ = writeln!(text, "{reader},{clip},{modality},{rating}");
    }
    text
}
