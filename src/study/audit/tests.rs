use super::*;
use crate::study::secret::{Random, Secret};

const SIDE: usize = 32;

fn presentation() -> Presentation {
    Presentation {
        frames: 4,
        fps: 20.0,
        width: SIDE,
        height: SIDE,
        levels: 64,
        points: 448,
        loop_gap_ms: 300,
    }
}

fn sector() -> Vec<bool> {
    (0..SIDE * SIDE)
        .map(|i| i / SIDE > 3 && i / SIDE < 28)
        .collect()
}

fn clip(random: &mut Random, brighter: u8) -> Vec<u8> {
    let sector = sector();
    let mut clip: Vec<u8> = (0..4 * SIDE * SIDE)
        .map(|i| {
            let level = 40 + random.below(120) as u8 + brighter;
            if sector[i % (SIDE * SIDE)] { level } else { 0 }
        })
        .collect();
    crate::study::levels::cut(&mut clip, 64);
    clip
}

fn of(clips: &[(Class, Vec<u8>)]) -> Audit {
    let figures: Vec<Figures> = clips
        .iter()
        .map(|(class, clip)| Figures::of(clip, &sector(), &presentation(), *class, None, None))
        .collect();
    audit(&figures)
}

fn clips(brighter: u8) -> Vec<(Class, Vec<u8>)> {
    let mut random = Secret::new([3; 32]).random("clips");
    let classes = [
        Class::Real,
        Class::Factual,
        Class::Real,
        Class::Counterfactual,
    ];
    let class = classes.into_iter().cycle().take(40);
    class
        .map(|class| {
            (
                class,
                clip(&mut random, if class.is_fake() { brighter } else { 0 }),
            )
        })
        .collect()
}

fn content<'a>(audit: &'a Audit, feature: &str) -> &'a Content {
    audit.content.iter().find(|c| c.feature == feature).unwrap()
}

#[test]
fn clips_that_are_shown_alike_are_equal_and_nothing_tells_them() {
    let audit = of(&clips(0));
    assert!(audit.presentation_equal);
    for shown in &audit.presentation {
        assert!(shown.equal && shown.auc == Some(0.5), "{shown:?}");
    }
    for content in &audit.content {
        // Without an interval where it is the same in all.
        if let (Some(low), Some(high)) = (content.low, content.high) {
            assert!(low <= 0.5 && 0.5 <= high, "{content:?}");
        }
    }
    assert_eq!(content(&audit, "measured_ef_percent").auc, None);
}

#[test]
fn a_brighter_class_is_told_by_its_mean() {
    let audit = of(&clips(30));
    assert!(audit.presentation_equal);
    assert_eq!(content(&audit, "mean").auc, Some(1.0));
    let sharpness = content(&audit, "sharpness").auc.unwrap();
    assert!((0.2..0.8).contains(&sharpness), "{sharpness}");
}

#[test]
fn what_is_shown_differently_is_found() {
    let unequal = |change: &dyn Fn(&mut Vec<u8>), feature: &str| {
        let mut clips = clips(0);
        change(&mut clips[1].1);
        let audit = of(&clips);
        let names: Vec<&str> = audit
            .presentation
            .iter()
            .filter(|s| !s.equal)
            .map(|s| s.feature.as_str())
            .collect();
        assert!(
            !audit.presentation_equal && names.contains(&feature),
            "{names:?}"
        );
    };
    unequal(&|clip| clip[0] = 95, "values_outside_the_sector");
    unequal(&|clip| clip[10 * SIDE] = 41, "values_off_the_levels");
    unequal(
        &|clip| clip.copy_within(..SIDE * SIDE, SIDE * SIDE),
        "repeated_frames",
    );
    unequal(&|clip| clip.truncate(3 * SIDE * SIDE), "frames");
    // Also where it is so in all of them.
    let all: Vec<_> = clips(0)
        .into_iter()
        .map(|(class, mut clip)| {
            clip[0] = 95;
            (class, clip)
        })
        .collect();
    assert!(!of(&all).presentation_equal);
}

#[test]
fn places_are_said() {
    let (plan, key) = (crate::study::testing::plan(), crate::study::testing::key());
    let mut audit = audit(&[]);
    audit.place(&plan, &key);
    let names: Vec<&str> = audit.position.iter().map(|p| p.feature.as_str()).collect();
    assert_eq!(names, ["place_in_the_file", "place_in_the_lists"]);
    assert!(
        audit
            .position
            .iter()
            .all(|p| p.clips == key.clips.len() && p.auc.is_some())
    );
}

#[test]
fn blocks_are_seen() {
    let (presentation, sector) = (presentation(), vec![true; SIDE * SIDE]);
    let mut random = Secret::new([4; 32]).random("blocks");
    let mut blocks = [[0u8; 4]; 4];
    for block in blocks.iter_mut().flatten() {
        *block = random.below(200) as u8;
    }
    let frame: Vec<u8> = (0..SIDE * SIDE)
        .map(|i| blocks[i / SIDE / 8][i % SIDE / 8] + random.below(4) as u8)
        .collect();
    assert!(blockiness(&frame, &sector, presentation.width) > 5.0);
    let noise: Vec<u8> = (0..SIDE * SIDE).map(|_| random.below(200) as u8).collect();
    let seen = blockiness(&noise, &sector, presentation.width);
    assert!((0.8..1.25).contains(&seen), "{seen}");
}
