use super::*;
use crate::study::testing::{TRIALS, folder_of_logs, log_of, plan, run_script, script};
use crate::study::verify::verify;

fn merged(files: &[&[u8]], plan: &Plan) -> Result<Merged, MergeError> {
    merge(files.iter().copied(), plan)
}

#[test]
fn logs_are_merged_as_they_are_in_the_plans_order() {
    let plan = plan();
    let all: Vec<Vec<u8>> = (0..3).map(|place| log_of(&plan, place)).collect();
    let [first, second, third] = [0, 1, 2].map(|i| all[i].as_slice());
    let together = merged(&[third, first, second], &plan).unwrap();
    assert_eq!(together.bytes, all.concat());
    assert_eq!(
        (together.readers, together.answered),
        (["R1", "R2", "R3"].map(String::from).to_vec(), 3 * TRIALS)
    );
    // In any order, and in steps, it is the same.
    let some = merged(&[third, second], &plan).unwrap();
    for files in [[&some.bytes, first], [first, &some.bytes]] {
        assert_eq!(merged(&files, &plan).unwrap().bytes, all.concat());
    }
    let verified = verify([all.concat().as_slice()], &plan, &[]).unwrap();
    assert!(verified.ok && verified.logs.len() == 3);
}

#[test]
fn the_longer_of_two_logs_is_taken_where_one_begins_the_other() {
    let plan = plan();
    let whole = log_of(&plan, 0);
    let ends: Vec<usize> = (0..whole.len()).filter(|&i| whole[i] == b'\n').collect();
    let first = ends[0];
    // Copied at any moment: between lines, before a newline, in a line.
    for end in ends {
        for cut in [end + 1, end, end.saturating_sub(7)] {
            let copy = &whole[..cut];
            for files in [[copy, &whole], [&whole, copy]] {
                let together = merged(&files, &plan);
                match together {
                    Ok(together) => assert_eq!(together.bytes, whole),
                    // In the first line: nobody's yet.
                    Err(MergeError::NoReader { .. }) => assert!(cut < first),
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }
    assert_eq!(merged(&[&whole, &whole], &plan).unwrap().bytes, whole);
}

#[test]
fn a_half_line_at_the_end_is_left_out_and_a_named_one_stays() {
    let plan = plan();
    let whole = log_of(&plan, 0);
    let folder = folder_of_logs();
    let path = folder.path().join("log");
    let cut = whole.len() - 500;
    std::fs::write(&path, &whole[..cut]).unwrap();
    let left = merged(&[&whole[..cut]], &plan).unwrap();
    assert!(whole.starts_with(&left.bytes) && left.bytes.len() < cut);
    assert!(left.bytes.ends_with(b"\n"));
    run_script(&plan, 0, &script(), &path);
    let mended = std::fs::read(&path).unwrap();
    let together = merged(&[&whole[..cut], &mended, &log_of(&plan, 1)], &plan).unwrap();
    assert!(together.bytes.starts_with(&mended));
    assert!(verify([together.bytes.as_slice()], &plan, &[]).unwrap().ok);
}

#[test]
fn logs_of_one_reader_that_part_are_refused() {
    let plan = plan();
    let whole = log_of(&plan, 0);
    let folder = folder_of_logs();
    let path = folder.path().join("log");
    std::fs::write(&path, &whole[..whole.len() - 2000]).unwrap();
    run_script(&plan, 0, &script(), &path);
    let parted = std::fs::read(&path).unwrap();
    let other = log_of(&plan, 1);
    let refused = merged(&[&whole, &other, &parted], &plan).unwrap_err();
    assert_eq!(
        merged(&[&parted, &whole, &other], &plan),
        Err(refused.clone())
    );
    let receipts = [&whole, &parted].map(|b| log::read(b, &plan, 1).receipt().unwrap());
    let MergeError::Conflicts(conflicts) = &refused else {
        panic!("{refused}");
    };
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].reader, "R1");
    assert!(receipts.iter().all(|r| conflicts[0].receipts.contains(r)));
    assert!(conflicts[0].receipts.is_sorted());
    assert!(
        refused.to_string().starts_with("R1 read twice"),
        "{refused}"
    );
}

#[test]
fn a_log_that_is_wrong_or_another_plans_is_refused() {
    let (plan, mut other) = (plan(), plan());
    other.session.break_s = 61;
    let (good, foreign) = (log_of(&plan, 0), log_of(&other, 1));
    let refused = merged(&[&good, &foreign], &plan).unwrap_err();
    assert!(
        matches!(refused, MergeError::Wrong { file: 1, .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("another plan"), "{refused}");
    let mut changed = good.clone();
    changed[1000] ^= 1;
    let refused = merged(&[&changed], &plan).unwrap_err();
    assert!(
        matches!(refused, MergeError::Wrong { file: 0, .. }),
        "{refused}"
    );
    assert_eq!(merged(&[], &plan), Err(MergeError::Nothing));
}
