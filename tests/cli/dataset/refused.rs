//! What a person is told who asks for what cannot be.

use super::{dataset, frames, making, plan, refused};

#[test]
fn what_cannot_be_planned_or_made_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    frames(path);
    std::fs::create_dir(path.join("empty")).unwrap();
    std::fs::write(path.join("low.csv"), "ef_percent\n5\n").unwrap();
    std::fs::write(
        path.join("other.csv"),
        "ef_percent,anatomy\n50,nobody.png\n",
    )
    .unwrap();
    std::fs::write(path.join("good.csv"), "ef_percent\n50\n").unwrap();
    let of = |more: &[&str]| {
        let arguments = [&["plan", "--device", "cpu", "--out", "set"], more].concat();
        let words = refused(&dataset(path, &arguments));
        assert!(!path.join("set").exists());
        words
    };
    let frames = ["--frames", "Mustermann"];
    for (more, words) in [
        (
            vec!["--efs", "low.csv"],
            "line 2: an EF of 5 % cannot be asked for",
        ),
        (
            vec!["--efs", "nowhere.csv"],
            "nowhere.csv: it cannot be read",
        ),
        (vec!["--efs", "other.csv"], "`nobody.png` of wanted clip 1"),
        (
            vec!["--efs", "good.csv", "--seconds", "0.5"],
            "--seconds goes from 1 to 60",
        ),
        (
            vec!["--efs", "good.csv", "--seconds", "1"],
            "less than one beat",
        ),
        (
            vec!["--efs", "good.csv", "--heart-rate", "20"],
            "--heart-rate goes",
        ),
        (
            vec!["--fill", "1", "--list", "good.csv"],
            "does not name the column FileName",
        ),
        (
            vec!["--fill", "1", "--list", "good.csv", "--highest", "95"],
            "whole percents from 10 to 89",
        ),
    ] {
        let said = of(&[&frames[..], &more].concat());
        assert!(said.contains(words), "{more:?}: {said}");
    }
    let said = of(&["--frames", "empty", "--efs", "good.csv"]);
    assert!(said.contains("None of the folder's files"), "{said}");
    let said = of(&["--echonet", "Mustermann", "--efs", "good.csv"]);
    assert!(said.contains("no FileList.csv in it"), "{said}");
    let said = refused(&dataset(path, &["merge", "empty"]));
    assert!(said.contains("holds no plan"), "{said}");
    plan(path, "set");
    let again = [
        "plan",
        "--frames",
        "Mustermann",
        "--efs",
        "good.csv",
        "--out",
        "set",
    ];
    assert!(refused(&dataset(path, &again)).contains("holds a planned data set already"));
    let other = ["make", "set", "--echonet", "Mustermann"];
    assert!(refused(&dataset(path, &other)).contains("of the other kind"));
    // Another file under the same name is another anatomy.
    std::fs::copy(
        path.join("Mustermann/Mustermann_5.png"),
        path.join("Mustermann/Mustermann_6.png"),
    )
    .unwrap();
    let said = refused(&dataset(path, &making("set", "1/1")));
    assert!(said.contains("is not the file that it was"), "{said}");
    let table = path.join("set/plan.csv");
    let text = std::fs::read_to_string(&table)
        .unwrap()
        .replacen("20.0", "21.0", 1);
    std::fs::write(&table, text).unwrap();
    assert!(refused(&dataset(path, &["merge", "set"])).contains("plan.csv was changed"));
}
