use super::{chained, lines, problems};
use crate::study::code::Code;
use crate::study::log::{LogWriter, read, split};
use crate::study::record::{Line, What};
use crate::study::stamp::utc_text;
use crate::study::testing::{START, TRIALS, folder_of_logs, log_of, mutations, plan, replaced};

#[test]
fn a_whole_log_is_read() {
    let plan = plan();
    let bytes = log_of(&plan, 0);
    let read = read(&bytes, &plan, 1);
    assert_eq!((&read.problems, &read.warnings), (&vec![], &vec![]));
    assert_eq!(read.lines.len(), lines(&bytes).len());
    assert_eq!(read.shown, [1; TRIALS]);
    assert_eq!(read.next(), None);
    let last = lines(&bytes).last().unwrap().trim_ascii_end();
    let receipt = read.receipt().unwrap();
    assert!(crate::hash::sha256(last).starts_with(&{
        // The first letter of the receipt has the first five bits.
        let value = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
            .find(&receipt[..1])
            .unwrap();
        format!("{:x}", value >> 1)
    }));
    assert_eq!(
        read.line_of(&Code::parse(&receipt).unwrap()),
        Some(read.lines.len())
    );
    assert_eq!(read.line_of(&Code::from_bytes([0; 13])), None);
    // Chaining its lines again changes nothing.
    assert_eq!(
        chained(&plan, read.lines.into_iter().map(|(_, line)| line)),
        bytes
    );
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    let plan = plan();
    let bytes = log_of(&plan, 0);
    let all = lines(&bytes);
    let last = all.len();
    let mut start = 0;
    for (i, line) in all.iter().enumerate() {
        let number = i + 1;
        for at in 0..line.len() {
            let mut changed = bytes.clone();
            // Digits stay digits, so that much of what is changed is a line still.
            changed[start + at] ^= 1;
            let found = problems(&changed, &plan);
            let of_line = found.iter().any(|p| p.line == number);
            // The last line is covered by its receipt alone, as far as it could have been written so.
            let could_be = number == last && found.is_empty();
            let other =
                could_be && read(&changed, &plan, 1).receipt() != read(&bytes, &plan, 1).receipt();
            assert!(of_line || other, "line {number}, byte {at}: {found:?}");
        }
        start += line.len();
    }
}

#[test]
fn lines_taken_out_moved_and_added_are_found() {
    let plan = plan();
    let bytes = log_of(&plan, 0);
    let all = lines(&bytes);
    let is_found = |changed: Vec<&[u8]>, number: usize, what: &str| {
        let found = problems(&changed.concat(), &plan);
        let first = found.first().unwrap_or_else(|| panic!("{number}: {what}"));
        assert_eq!(first.line, number, "{what}: {found:?}");
    };
    for i in 0..all.len() - 1 {
        let mut out = all.clone();
        out.remove(i);
        is_found(out, i + 1, "taken out");
        let mut swapped = all.clone();
        swapped.swap(i, i + 1);
        is_found(swapped, i + 1, "swapped");
    }
    for i in 1..all.len() {
        let mut twice = all.clone();
        twice.insert(i + 1, all[i]);
        is_found(twice, i + 2, "twice");
        let mut early = all.clone();
        early.insert(1, all[i]);
        if i > 1 {
            is_found(early, 2, "early");
        }
    }
    // One that fits the line before it, added by hand: the next line goes on from the one before.
    for i in 1..all.len() - 1 {
        let before = all[i - 1].trim_ascii_end();
        let forged = Line {
            n: i,
            prev: crate::hash::sha256(before),
            what: What::Break { block: 1 },
            utc: utc_text(START.utc_ms),
            mono_ms: 1e9,
        };
        let forged = [serde_json::to_vec(&forged).unwrap(), b"\n".to_vec()].concat();
        let mut added = all.clone();
        added.insert(i, &forged);
        is_found(added, i + 1, "forged");
    }
    let mut text = all.clone();
    text.insert(4, b"\n");
    is_found(text, 5, "empty");
    // A program that was killed before its first line leaves that; only a receipt tells it from one emptied.
    assert!(problems(b"", &plan).is_empty());
    assert_eq!(crate::study::log::read(b"", &plan, 1).warnings[0].line, 1);
}

#[test]
fn a_log_of_another_plan_is_told() {
    let (plan, mut other) = (plan(), plan());
    other.title = "Another".into();
    let found = problems(&log_of(&plan, 0), &other);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].line == 1 && found[0].what.contains("another plan"),
        "{found:?}"
    );
    let later = replaced(
        &log_of(&plan, 0),
        r#""version":1"#,
        r#""version":2,"new":1"#,
    );
    let found = problems(&later, &plan);
    assert!(found[0].what.contains("later version"), "{found:?}");
}

#[test]
fn logs_in_one_file_are_found_again() {
    let plan = plan();
    let (first, second) = (log_of(&plan, 0), log_of(&plan, 1));
    // The second begins with half a line, and what names it.
    let folder = folder_of_logs();
    let path = folder.path().join("log");
    std::fs::write(&path, &second[..40]).unwrap();
    drop(LogWriter::open(&path, &plan, "R2", START).unwrap());
    let torn = std::fs::read(&path).unwrap();
    let both = [first.as_slice(), &torn].concat();
    let number = lines(&first).len() + 1;
    assert_eq!(split(&both), [(1, first.as_slice()), (number, &torn)]);
    assert_eq!(split(&torn), [(1, torn.as_slice())]);
    assert_eq!(split(b""), [(1, &b""[..])]);
    let both = [&second, &first].map(Vec::as_slice).concat();
    assert_eq!(split(&both).len(), 2);
}

#[test]
fn a_damaged_log_is_told_or_the_same() {
    let plan = plan();
    let bytes = log_of(&plan, 0);
    let whole = read(&bytes, &plan, 1);
    let mut told = 0;
    for changed in mutations(&bytes, 1000) {
        let mut pieces = Vec::new();
        for (number, log) in split(&changed) {
            let found = read(log, &plan, number);
            let is_told = !found.problems.is_empty() || !found.warnings.is_empty();
            // What was cut off at the end of a line, or written there, only a receipt tells.
            let is_less = found.lines.len() <= whole.lines.len();
            let same = found.receipt() == whole.receipt();
            assert!(
                is_told || same || is_less,
                "{}",
                String::from_utf8_lossy(&changed)
            );
            if !is_told && !same {
                let kept = found.lines.len() - 1;
                assert_eq!(found.lines[..kept], whole.lines[..kept]);
            }
            told += usize::from(is_told);
            pieces.push(log);
        }
        assert_eq!(pieces.concat(), changed);
    }
    assert!(told > 900, "{told}");
}
