//! A report to look at: `REPORT_SAMPLE=DIR cargo test report::tests::look -- --ignored`.

use super::simulated::Simulated;
use crate::study::report::{report, write};

#[test]
#[ignore = "writes reports for people to look at"]
fn reports_to_look_at() {
    let folder = std::path::PathBuf::from(std::env::var("REPORT_SAMPLE").unwrap());
    let mut crossed = Simulated::crossed(5, [60, 30, 30], 20).read(7, 0.75, 0.35);
    crossed.plan.answer.time_limit_s = Some(60.0);
    for place in [3, 150, 171, 330] {
        crossed.responses[place].answer = None;
        crossed.responses[place].confidence = None;
    }
    crossed.responses[40].attempt = 2;
    let roles = [
        "cardiologist",
        "sonographer",
        "cardiologist, <imaging>",
        "",
        "fellow in cardiology",
    ];
    for (reader, role) in crossed.readers.iter_mut().zip(roles) {
        reader.role = role.into();
    }
    let names = [
        "mean",
        "sd",
        "used_levels",
        "temporal_noise",
        "sharpness",
        "blockiness",
        "first_to_last",
    ];
    let content: Vec<_> = names
        .iter()
        .zip([0.52, 0.47, 0.5, 0.71, 0.38, 0.55, 0.83])
        .map(|(feature, auc)| {
            serde_json::json!({"feature": feature, "auc": auc, "low": auc - 0.09, "high": auc + 0.09, "clips": 120})
        })
        .collect();
    let mut study = crossed.study();
    study.audit = Some(serde_json::json!({"presentation_equal": true, "content": content}));
    study.interim_before = true;
    save(&folder.join("crossed"), &study);

    let split = super::published::published();
    let mut study = split.study();
    study.key_sealed = false;
    save(&folder.join("published"), &study);

    let mut long = Simulated::crossed(5, [60, 30, 30], 20).read(7, 0.75, 0.35);
    for (place, reader) in long.plan.readers.iter_mut().enumerate() {
        reader.reader = format!("{}{place}", "Reader-With-A-Name-As-Long-As-Is");
        long.readers[place].reader = reader.reader.clone();
        long.readers[place].role = "consultant cardiologist with a subspecialty in imaging".into();
    }
    long.plan.title = "A title that is so long that it takes more than one line of any page".into();
    save(&folder.join("long"), &long.study());

    let many = Simulated::crossed(12, [50, 50, 0], 0).read(3, 0.1, 0.1);
    let mut study = many.study();
    study.interim = true;
    save(&folder.join("many"), &study);
}

fn save(folder: &std::path::Path, study: &crate::study::report::Study) {
    std::fs::create_dir_all(folder).unwrap();
    let found = report(study).unwrap();
    let names = write(&found, study, &mut |name, bytes| {
        std::fs::write(folder.join(name), bytes)
    });
    assert_eq!(names.unwrap().len(), 9);
}
