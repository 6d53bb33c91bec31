use super::*;
use crate::dataset::Shard;
use crate::ef::EfPercent;
use std::collections::BTreeSet;

fn wanted(efs: &[f64]) -> Vec<Wanted> {
    let each = efs.iter().map(|&ef| Wanted {
        ef: EfPercent::of_dataset(ef).unwrap(),
        anatomy: None,
    });
    each.collect()
}

fn anatomies(n: usize) -> Vec<AnatomyName> {
    let each = (1..=n).map(|i| AnatomyName {
        name: i.to_string(),
        sha256: sha256(&[i as u8]),
    });
    each.collect()
}

fn plan(seed: u64) -> Plan {
    let efs: Vec<f64> = (10..=89).map(f64::from).collect();
    let settings = Settings::new(Source::Folder, seed);
    Plan::new(settings, &wanted(&efs), &anatomies(5), |_| None).unwrap()
}

#[test]
fn a_plan_is_of_its_seed_and_is_read_back() {
    assert_eq!(plan(3), plan(3));
    assert_ne!(plan(3).clips, plan(4).clips);
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Plan::read(folder.path()),
        Err(DatasetError::NoPlan(_))
    ));
    plan(3).write(folder.path()).unwrap();
    assert!(Plan::is_in(folder.path()));
    assert_eq!(Plan::read(folder.path()).unwrap(), plan(3));
    let table = folder.path().join("plan.csv");
    let text = std::fs::read_to_string(&table).unwrap();
    std::fs::write(&table, text.replacen("10.0", "11.0", 1)).unwrap();
    assert!(matches!(
        Plan::read(folder.path()),
        Err(DatasetError::Changed(_))
    ));
    std::fs::write(folder.path().join("plan.json"), "{}").unwrap();
    assert!(Plan::read(folder.path()).is_err());
}

/// What somebody wrote instead of the plan, with the hash that belongs to it.
#[test]
fn a_plan_that_nobody_made_is_refused_or_could_have_been_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    plan(3).write(path).unwrap();
    let table = std::fs::read(path.join(CLIPS)).unwrap();
    let settings = std::fs::read(path.join(SETTINGS)).unwrap();
    let read = |settings: &Settings, table: &[u8]| {
        let settings = Settings {
            plan_sha256: sha256(table),
            ..settings.clone()
        };
        std::fs::write(path.join(CLIPS), table).unwrap();
        let text = serde_json::to_vec(&settings).unwrap();
        std::fs::write(path.join(SETTINGS), text).unwrap();
        Plan::read(path)
    };
    let own = plan(3).settings;
    assert_eq!(read(&own, &table).unwrap(), plan(3));
    let text = String::from_utf8(table.clone()).unwrap();
    let first = plan(3).clips[0].name.clone();
    let second = plan(3).clips[1].name.clone();
    for (name, why) in [
        ("../../escaped", "leaves the folder"),
        ("/tmp/escaped", "leaves the folder"),
        ("", "is nothing"),
        (second.as_str(), "is another clip's"),
    ] {
        let other = text.replacen(&first, name, 1);
        assert!(read(&own, other.as_bytes()).is_err(), "{name}: {why}");
    }
    for (seconds, heart_rate) in [
        (1e18, None),
        (f64::NAN, None),
        (2.0, Some(1e-9)),
        (0.0, None),
    ] {
        let settings = Settings {
            seconds,
            heart_rate,
            ..own.clone()
        };
        assert!(read(&settings, &table).is_err(), "{seconds} {heart_rate:?}");
    }
    let mut refused = 0;
    for changed in crate::damage::mutations(&table, 400) {
        match read(&own, &changed) {
            Ok(plan) => assert!(plan.is_sound()),
            Err(why) => {
                refused += 1;
                assert!(!why.to_string().is_empty());
            }
        }
    }
    assert!(refused > 100, "{refused}");
    std::fs::write(path.join(CLIPS), &table).unwrap();
    for changed in crate::damage::mutations(&settings, 400) {
        std::fs::write(path.join(SETTINGS), changed).unwrap();
        if let Ok(plan) = Plan::read(path) {
            assert!(plan.is_sound());
        }
    }
}

#[test]
fn names_differ_and_say_nothing_and_all_anatomies_come_up() {
    let plan = plan(7);
    let names: BTreeSet<&str> = plan.clips.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names.len(), 80);
    assert!(names.iter().all(|n| n.len() == 22 && !n.contains('.')));
    let used: BTreeSet<&str> = plan.clips.iter().map(|c| c.anatomy.as_str()).collect();
    assert_eq!(used.len(), 5);
    let parts = |i| {
        let shard = Shard::new(i, 3).unwrap();
        plan.clips.iter().filter(|c| shard.has(&c.name)).count()
    };
    assert_eq!(parts(1) + parts(2) + parts(3), 80);
    assert!((1..=3).all(|i| parts(i) > 10));
}

#[test]
fn an_anatomy_can_be_asked_for() {
    let mut asked = wanted(&[30.0, 60.0]);
    asked[1].anatomy = Some("b.png".into());
    let of = |asked: &[Wanted], n| {
        let settings = Settings::new(Source::Folder, 0);
        let find = |name: &str| (name == "b.png").then_some(1);
        Plan::new(settings, asked, &anatomies(n), find)
    };
    assert_eq!(of(&asked, 2).unwrap().clips[1].anatomy, "2");
    assert!(of(&asked, 0).unwrap_err().contains("no anatomies"));
    assert!(of(&[], 2).unwrap_err().contains("Nothing is wanted"));
    asked[0].anatomy = Some("c.png".into());
    assert!(of(&asked, 2).unwrap_err().contains("`c.png`"));
}

#[test]
fn chance_is_within_its_ranges() {
    let plan = plan(1);
    let random = Settings {
        frame: Which::Random,
        ..plan.settings.clone()
    };
    for clip in &plan.clips {
        assert_eq!(clip.chances(&plan.settings).frame, 0.0);
        let c = clip.chances(&random);
        assert!((0.0..1.0).contains(&c.frame) && (0.0..1.0).contains(&c.begins));
        assert!((50.0..=100.0).contains(&c.heart_rate), "{c:?}");
    }
    let first = plan.clips[0].chances(&random);
    assert_ne!(first, plan.clips[1].chances(&random));
    let told = Settings {
        heart_rate: Some(70.0),
        ..random
    };
    assert_eq!(plan.clips[0].chances(&told).heart_rate, 70.0);
}
