//! The published study as counts: 3 readers, 130 real, 89 factual and 81 counterfactual clips, none to two
//! readers (EchoDiffusion, MICCAI 2023; `published_reader_study` in `stats_examples.json`).

use super::simulated::{Simulated, classes_of, clip_name, response};
use crate::study::key::Class;
use crate::study::plan::Design;
use crate::study::report::report;

/// Right answers: 83 of 130, 45 of 89, 35 of 81, among three readers.
pub fn published() -> Simulated {
    let clips = classes_of([130, 89, 81]);
    let shares = [[44, 29, 27], [43, 30, 27], [43, 30, 27]];
    let mut next = [0, 130, 130 + 89];
    let mut lists = Vec::new();
    for share in shares {
        let mut list = Vec::new();
        for (next, n) in next.iter_mut().zip(share) {
            list.extend(*next..*next + n);
            *next += n;
        }
        list.sort_by_key(|clip| clip_name(*clip));
        lists.push(list);
    }
    let right = [[30, 14, 13], [28, 16, 12], [25, 15, 10]];
    let mut given = [[0; 3]; 3];
    let mut study =
        Simulated::planned(Design::Split, &clips, &lists, 0).answered(|reader, trial, class| {
            let place = class as usize;
            // Right answers are spread over the session.
            let so_far = |n: usize| n * right[reader][place] / shares[reader][place];
            given[reader][place] += 1;
            let correct = so_far(given[reader][place]) > so_far(given[reader][place] - 1);
            response(reader, trial, class.is_fake() == correct)
        });
    study.plan.answer.confidence = 0;
    study.plan.title = "The published counts".into();
    study
}

fn near(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() < 1e-9, "{found} {expected}");
}

#[test]
fn the_published_counts_give_the_published_figures() {
    let simulated = published();
    let found = report(&simulated.study()).unwrap();
    assert_eq!(
        (found.readers, found.trials, found.answered, found.missing),
        (3, 300, 300, 0)
    );
    near(found.overall.accuracy, 0.543_333_333_333);
    near(found.overall.wilson_low, 0.486_773_845_1);
    near(found.overall.wilson_high, 0.598_797_097_4);
    near(found.overall.always_fake, 0.566_666_666_667);
    let expected = [
        (
            Class::Real,
            83,
            130,
            0.638_461_538_5,
            0.552_995_582_8,
            0.715_979_369_5,
        ),
        (
            Class::Factual,
            45,
            89,
            0.505_617_977_5,
            0.403_685_552_4,
            0.607_085_497_6,
        ),
        (
            Class::Counterfactual,
            35,
            81,
            0.432_098_765_4,
            0.329_720_771_4,
            0.540_625_635_3,
        ),
    ];
    for (class, (name, correct, n, accuracy, low, high)) in found.by_class.iter().zip(expected) {
        assert_eq!((class.class, class.correct, class.n), (name, correct, n));
        near(class.accuracy, accuracy);
        near(class.wilson_low, low);
        near(class.wilson_high, high);
        // Not the same clips: readers - 1.
        near(class.df, 2.0);
    }
    near(found.sensitivity, 0.470_588_235_3);
    near(found.specificity, 0.638_461_538_5);
    near(found.d_prime.pooled, 0.278_170_938_4);
    assert_eq!(found.agreement.clips, 0);
    assert_eq!(found.agreement.percent, None);
    assert!(found.agreement.pairs.is_empty());
    assert!(
        found
            .warnings
            .iter()
            .any(|w| w.contains("No clip was shared"))
    );
    assert!(
        found
            .warnings
            .iter()
            .any(|w| w.contains("54.3\u{a0}%") && w.contains("56.7\u{a0}%"))
    );
    // Without a shared clip the components cannot be told apart, but the variance can be estimated.
    assert!(found.balanced_accuracy.components.is_none() && found.balanced_accuracy.low.is_some());
}
