use super::*;
use crate::study::testing::{TRIALS, log_of, plan};

fn receipt_of(reader: &str, bytes: &[u8]) -> Receipt {
    let receipt = log::read(bytes, &plan(), 1).receipt().unwrap();
    Receipt::parse(&format!("{reader}={receipt}")).unwrap()
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|&b| b == b'\n').collect()
}

#[test]
fn whole_logs_are_verified_in_any_file() {
    let plan = plan();
    let all: Vec<Vec<u8>> = (0..3).map(|place| log_of(&plan, place)).collect();
    let receipts = [receipt_of("R2", &all[1]), receipt_of("R1", &all[0])];
    let together = [all[0].as_slice(), &all[1]].concat();
    let verified = verify([together.as_slice(), &all[2]], &plan, &receipts).unwrap();
    assert!(verified.ok, "{verified:#?}");
    let found = verified.logs.iter().map(|log| {
        assert!(log.complete && !log.withdrawn);
        assert_eq!((log.answered, log.trials, log.runs), (TRIALS, TRIALS, 1));
        (log.file, log.reader.as_str(), log.lines)
    });
    let n = lines(&all[0]).len();
    assert_eq!(
        found.collect::<Vec<_>>(),
        [(0, "R1", n), (0, "R2", n), (1, "R3", n)]
    );
    let json = serde_json::to_string(&verified).unwrap();
    let head = r#"{"ok":true,"logs":[{"reader":"R1","lines":"#;
    assert!(json.starts_with(head), "{json}");
}

#[test]
fn an_end_that_was_cut_off_is_found_by_its_receipt() {
    let plan = plan();
    let bytes = log_of(&plan, 0);
    let receipt = receipt_of("R1", &bytes);
    let all = lines(&bytes);
    for kept in 1..all.len() {
        let cut = all[..kept].concat();
        assert!(verify([cut.as_slice()], &plan, &[]).unwrap().ok);
        let verified = verify([cut.as_slice()], &plan, std::slice::from_ref(&receipt)).unwrap();
        assert!(!verified.ok);
        let problem = &verified.logs[0].problems[0];
        assert!(problem.line == kept && problem.what.contains(&receipt.code.to_string()));
        // A receipt of a pause, before lines that came later, holds.
        let early = receipt_of("R1", &cut);
        assert!(verify([bytes.as_slice()], &plan, &[early]).unwrap().ok);
    }
    // Nor is the last line changed, in a way that it could have been written.
    let mut changed = bytes.clone();
    let digit = bytes.len() - 3;
    changed[digit] = b"0123456789"[usize::from(bytes[digit] - b'0' + 1) % 10];
    let verified = verify([changed.as_slice()], &plan, &[receipt]).unwrap();
    assert_eq!(verified.logs[0].problems[0].line, all.len());
}

#[test]
fn problems_in_a_file_of_several_logs_have_its_line_numbers() {
    let plan = plan();
    let (first, second) = (log_of(&plan, 0), log_of(&plan, 1));
    let n = lines(&first).len();
    let mut both = [first, second].concat();
    let at = both.len() - 1000;
    let number = 1 + both[..at].iter().filter(|&&b| b == b'\n').count();
    both[at] ^= 1;
    let verified = verify([both.as_slice()], &plan, &[]).unwrap();
    assert!(!verified.ok && verified.logs[0].problems.is_empty());
    let found: Vec<usize> = verified.logs[1].problems.iter().map(|p| p.line).collect();
    assert!(number > n && found.contains(&number), "{number}: {found:?}");
}

#[test]
fn another_plans_log_and_a_receipt_without_a_log_are_told() {
    let (plan, mut other) = (plan(), plan());
    other.session.break_s = 61;
    let bytes = log_of(&other, 0);
    let verified = verify([bytes.as_slice()], &plan, &[]).unwrap();
    assert!(!verified.ok);
    assert_eq!(verified.logs[0].problems[0].line, 1);
    let missing = verify([], &plan, &[receipt_of("R1", &log_of(&plan, 0))]);
    assert_eq!(missing, Err(VerifyError::NoLog("R1".into())));
    for text in ["", "R1", "R1=", "R1=XXXXX"] {
        let said = Receipt::parse(text);
        assert_eq!(said, Err(VerifyError::NoReceipt(text.into())));
    }
}
