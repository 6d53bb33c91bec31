use super::{lines, problems, whole};
use crate::study::log::{LogError, LogWriter, ReadLog, beside, read};
use crate::study::plan::Plan;
use crate::study::record::{PresentedBy, What};
use crate::study::stamp::Stamp;
use crate::study::testing::{START, folder_of_logs, log_of, plan, replaced};
use std::path::{Path, PathBuf};

fn opened(path: &Path, plan: &Plan) -> Result<(LogWriter, ReadLog), LogError> {
    LogWriter::open(path, plan, "R1", START)
}

fn at(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = folder_of_logs();
    let path = folder.path().join("log");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn one_program_writes_at_a_time() {
    let plan = plan();
    let (_folder, path) = at(b"");
    let first = opened(&path, &plan).unwrap();
    let said = opened(&path, &plan).unwrap_err();
    assert!(matches!(said, LogError::Locked), "{said}");
    drop(first);
    assert!(opened(&path, &plan).is_ok());
}

#[test]
fn a_half_line_stays_and_is_named_by_the_next() {
    let plan = plan();
    let bytes = log_of(&plan, 0);
    let all = lines(&bytes);
    let third = all[..3].concat();
    let half = &all[3][..60];
    let (_folder, path) = at(&[&third, half].concat());
    let now = Stamp {
        mono_ms: 12.34,
        ..START
    };
    let (mut writer, found) = LogWriter::open(&path, &plan, "R1", now).unwrap();
    assert_eq!(found.lines.len(), 3);
    assert_eq!(found.warnings[0].line, 4);
    let open = whole(&plan)[0].what.clone();
    let What::Open {
        format,
        version,
        study,
        reader,
        program,
        ..
    } = open
    else {
        panic!("{open:?}");
    };
    let run = "second".to_owned();
    let presentation = PresentedBy::Window;
    let open = What::Open {
        format,
        version,
        study,
        reader,
        run,
        program,
        presentation,
    };
    writer.append(open, now).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let torn = format!(
        r#"{{"n":3,"prev":"{}","kind":"torn","bytes":60,"sha256":"{}","utc":"2026-11-26T07:00:00.000Z","mono_ms":12.3}}"#,
        crate::hash::sha256(all[2].trim_ascii_end()),
        crate::hash::sha256(half),
    );
    let expected = [third.as_slice(), half, b"\n", torn.as_bytes(), b"\n"].concat();
    assert!(
        bytes.starts_with(&expected),
        "{}",
        String::from_utf8_lossy(&bytes)
    );
    let after = read(&bytes, &plan, 1);
    assert_eq!((&after.problems, &after.warnings), (&vec![], &vec![]));
    assert_eq!((after.runs.len(), after.lines.len()), (2, 5));
    assert_eq!(after.receipt(), writer.receipt());
    // What `torn` names cannot be changed, taken out or added to.
    let half = String::from_utf8(half.to_vec()).unwrap();
    let mut out = lines(&bytes);
    out.remove(3);
    assert_eq!(problems(&out.concat(), &plan)[0].line, 4);
    assert_eq!(
        problems(&replaced(&bytes, &half, &half[1..]), &plan)[0].line,
        4
    );
    assert_eq!(
        problems(&replaced(&bytes, "{\"n\":3", "{\"n\":4"), &plan)[0].line,
        4
    );
    let mut out = lines(&bytes);
    out.remove(4);
    assert_eq!(problems(&out.concat(), &plan)[0].line, 4);
}

#[test]
fn zeros_after_a_power_cut_are_half_a_line() {
    let plan = plan();
    let bytes = log_of(&plan, 0);
    let all = lines(&bytes);
    for half in [&all[3][..30], b""] {
        let left = [&all[..3].concat(), half, &[0; 50]].concat();
        let (_folder, path) = at(&left);
        drop(opened(&path, &plan).unwrap());
        let mended = std::fs::read(&path).unwrap();
        assert!(mended.starts_with(&left));
        assert_eq!(problems(&mended, &plan), []);
        assert_eq!(lines(&mended).len(), 5);
    }
}

#[test]
fn a_changed_last_line_is_not_taken_for_half_a_line() {
    let plan = plan();
    let bytes = log_of(&plan, 0);
    let third = lines(&bytes)[..3].concat();
    let about = r#""role":"script""#;
    for changed in [
        replaced(&third, about, r#""role":"script"#),
        replaced(&third, about, r#""part":"script""#),
        [third.as_slice(), b"\n"].concat(),
        [third.as_slice(), b"note"].concat(),
        [third.as_slice(), br#"{"n":3,"prev":"#, b"0000"].concat(),
    ] {
        let (_folder, path) = at(&changed);
        let said = opened(&path, &plan).unwrap_err();
        assert!(matches!(said, LogError::Wrong { .. }), "{said}");
        assert_eq!(std::fs::read(&path).unwrap(), changed);
    }
}

#[test]
fn another_readers_log_is_left_alone() {
    let plan = plan();
    let other = log_of(&plan, 1);
    let half = &other[..other.len() - 400];
    let (_folder, path) = at(half);
    let said = opened(&path, &plan).unwrap_err().to_string();
    assert!(said.starts_with("this log is R2's"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), half);
}

#[test]
fn nothing_is_added_after_the_end() {
    let plan = plan();
    let bytes = log_of(&plan, 0);
    let (_folder, path) = at(&bytes);
    let (mut writer, found) = opened(&path, &plan).unwrap();
    assert!(found.ended && found.complete);
    assert_eq!(writer.receipt(), found.receipt());
    let said = writer.append(What::Pause, START).unwrap_err();
    assert!(matches!(said, LogError::Ended), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn logs_lie_beside_the_bundle() {
    let log = beside(Path::new("/studies/hearts.echostudy"), "R1");
    assert_eq!(log, Path::new("/studies/hearts-R1.jsonl"));
}
