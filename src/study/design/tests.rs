use super::*;
use crate::study::key::Class;
use crate::study::plan::Kind;

pub(super) fn wanted(design: Design, readers: usize, trials: usize) -> Wanted {
    Wanted {
        design,
        readers,
        trials,
        ..Wanted::usual("EchoIf test")
    }
}

fn clip(class: Class, heart: usize, version: usize) -> ClipTruth {
    let name = format!("{heart} {version}");
    ClipTruth {
        clip: String::new(),
        class,
        anatomy: format!("heart {heart}"),
        requested_ef_percent: None,
        measured_ef_percent: None,
        cascade: None,
        weights_sha256: None,
        seed: None,
        source_sha256: crate::hash::sha256(format!("file {name}").as_bytes()),
        pixels_sha256: crate::hash::sha256(name.as_bytes()),
    }
}

/// So many clips of each class, of different hearts.
fn apart(counts: [usize; 3]) -> Vec<ClipTruth> {
    let classes = Class::ALL.into_iter().zip(counts);
    let of = classes.flat_map(|(class, n)| std::iter::repeat_n(class, n));
    of.enumerate()
        .map(|(heart, class)| clip(class, heart, 0))
        .collect()
}

/// Each heart in all three classes.
fn versions(hearts: usize) -> Vec<ClipTruth> {
    let of = |heart| (0..3).map(move |v| clip(Class::ALL[v], heart, v));
    (0..hearts).flat_map(of).collect()
}

fn secret(n: u8) -> Secret {
    Secret::new([n; 32])
}

fn made(wanted: &Wanted, clips: &[ClipTruth], n: u8) -> Result<(Plan, Key), DesignError> {
    design(wanted, clips, &secret(n), |reader| {
        format!("code of {reader}")
    })
}

/// What a reader's list has to be, whatever was asked for.
fn check(plan: &Plan, key: &Key, quota: Quota) {
    let truth: BTreeMap<&str, &ClipTruth> =
        key.clips.iter().map(|c| (c.clip.as_str(), c)).collect();
    for reading in &plan.readers {
        let scored = reading.trials.iter().filter(|t| t.kind == Kind::Scored);
        let clips: Vec<&ClipTruth> = scored.map(|t| truth[t.clip.as_str()]).collect();
        let hearts: BTreeSet<&str> = clips.iter().map(|c| c.anatomy.as_str()).collect();
        assert_eq!(hearts.len(), clips.len(), "a heart twice");
        let count = |class| clips.iter().filter(|c| c.class == class).count();
        assert_eq!(Class::ALL.map(count), quota);
    }
}

#[test]
fn crossed_readers_read_the_same_each_in_an_own_order() {
    let wanted = Wanted {
        repeats: 10,
        ..wanted(Design::Crossed, 3, 40)
    };
    let (plan, key) = made(&wanted, &versions(50), 1).unwrap();
    check(&plan, &key, [20, 10, 10]);
    assert_eq!(key.clips.len(), 40);
    let list = |i: usize| -> Vec<&str> {
        let trials = plan.readers[i].trials.iter();
        let scored = trials.filter(|t| t.kind == Kind::Scored);
        scored.map(|t| t.clip.as_str()).collect()
    };
    let set = |i| list(i).into_iter().collect::<BTreeSet<_>>();
    assert!(set(0) == set(1) && set(1) == set(2));
    assert!(list(0) != list(1) && list(1) != list(2));
    let sides: Vec<Side> = plan.readers.iter().map(|r| r.real_side).collect();
    assert_eq!(sides, [Side::Left, Side::Right, Side::Left]);
    assert_eq!(plan.readers[0].trials.len(), 50);
}

#[test]
fn split_readers_share_no_clip() {
    let wanted = wanted(Design::Split, 3, 40);
    let (plan, key) = made(&wanted, &versions(60), 1).unwrap();
    check(&plan, &key, [20, 10, 10]);
    assert_eq!(key.clips.len(), 120);
}

#[test]
fn shared_clips_are_read_by_all_and_their_hearts_not_again() {
    let wanted = Wanted {
        shared: 20,
        ..wanted(Design::Shared, 3, 40)
    };
    let (plan, key) = made(&wanted, &versions(80), 1).unwrap();
    check(&plan, &key, [20, 10, 10]);
    assert_eq!(key.clips.len(), 20 + 3 * 20);
}

#[test]
fn the_published_design() {
    let wanted = Wanted {
        shares: Shares {
            real: 130.0 / 300.0,
            factual: 89.0 / 300.0,
            counterfactual: 81.0 / 300.0,
        },
        ..wanted(Design::Split, 3, 100)
    };
    let (plan, key) = made(&wanted, &apart([130, 89, 81]), 1).unwrap();
    let count = |class| key.clips.iter().filter(|c| c.class == class).count();
    assert_eq!(Class::ALL.map(count), [130, 89, 81]);
    assert!(plan.readers.iter().all(|r| r.trials.len() == 100));
}

#[test]
fn the_same_secret_makes_the_same_plan_and_another_makes_another() {
    let wanted = wanted(Design::Crossed, 3, 40);
    let clips = versions(50);
    let (plan, key) = made(&wanted, &clips, 1).unwrap();
    let mut turned = clips.clone();
    turned.reverse();
    assert_eq!(
        made(&wanted, &turned, 1).unwrap(),
        (plan.clone(), key.clone())
    );
    let (other, _) = made(&wanted, &clips, 2).unwrap();
    assert_ne!(plan.readers, other.readers);
    assert_ne!(plan.study, other.study);
    assert!(key.clips.windows(2).all(|pair| pair[0].clip < pair[1].clip));
    assert_eq!(plan.key_commitment, crate::hash::sha256(&key.to_bytes()));
}

#[test]
fn classes_that_change_places_change_nothing_but_the_commitment() {
    let exchange = |clip: &ClipTruth| ClipTruth {
        class: match clip.class {
            Class::Real => Class::Counterfactual,
            Class::Factual => Class::Real,
            Class::Counterfactual => Class::Factual,
        },
        ..clip.clone()
    };
    let third = 1.0 / 3.0;
    let equal = Shares {
        real: third,
        factual: third,
        counterfactual: third,
    };
    for (design, readers, trials, clips) in [
        (Design::Crossed, 3, 60, apart([20, 20, 20])),
        (Design::Split, 3, 20, apart([20, 20, 20])),
        (Design::Split, 3, 30, versions(30)),
    ] {
        let wanted = Wanted {
            shares: equal,
            ..wanted(design, readers, trials)
        };
        let exchanged: Vec<ClipTruth> = clips.iter().map(exchange).collect();
        let (plan, _) = made(&wanted, &clips, 4).unwrap();
        let (other, key) = made(&wanted, &exchanged, 4).unwrap();
        assert_ne!(plan.key_commitment, other.key_commitment);
        let commitment = plan.key_commitment.clone();
        let same = Plan {
            key_commitment: commitment,
            ..other
        };
        assert_eq!(same, plan, "{design:?}");
        assert_eq!(key.clips.len(), clips.len());
    }
}

#[test]
fn what_is_missing_is_said() {
    let crossed = wanted(Design::Crossed, 3, 40);
    let refused = |wanted: &Wanted, clips: &[ClipTruth]| made(wanted, clips, 1).unwrap_err();
    assert_eq!(
        refused(&crossed, &apart([19, 10, 10])),
        DesignError::Clips {
            class: "real",
            wanted: 20,
            clips: 19,
            hearts: 19
        }
    );
    assert_eq!(
        refused(&crossed, &versions(39)),
        DesignError::Hearts {
            wanted: 40,
            hearts: 39
        }
    );
    assert!(made(&crossed, &versions(40), 1).is_ok());
    let split = wanted(Design::Split, 3, 40);
    assert_eq!(
        refused(&split, &apart([60, 29, 30])),
        DesignError::AllClips {
            class: "factual",
            wanted: 30,
            clips: 29
        }
    );
    // Enough of everything, but most hearts are there in all classes but one.
    let mut clips = apart([20, 10, 0]);
    clips.extend((0..10).map(|heart| clip(Class::Counterfactual, heart, 1)));
    clips.extend((100..110).map(|heart| clip(Class::Real, heart, 1)));
    let real = |c: &&ClipTruth| c.class == Class::Real && c.anatomy != "heart 0";
    assert!(clips.iter().filter(real).count() > 20);
    let more = wanted(Design::Crossed, 1, 40);
    assert!(made(&more, &clips, 1).is_ok());
    clips.retain(|c| c.anatomy != "heart 105");
    assert!(matches!(refused(&more, &clips), DesignError::Hearts { .. }));
    let twice = [apart([20, 10, 10]), apart([1, 0, 0])].concat();
    assert_eq!(refused(&crossed, &twice), DesignError::Twice);
    let repeats = Wanted {
        repeats: 22,
        ..crossed.clone()
    };
    assert_eq!(
        refused(&repeats, &versions(40)),
        DesignError::Repeats { repeats: 22 }
    );
    let shares = Wanted {
        shares: Shares {
            real: 0.5,
            factual: 0.5,
            counterfactual: 0.5,
        },
        ..crossed
    };
    let said = refused(&shares, &versions(40)).to_string();
    assert!(said.contains("0.5, 0.5 and 0.5"), "{said}");
}
