//! The larger worked examples: data and results of published programs, kept in `tests/data`.

use crate::statistics::agreement::fleiss_kappa;
use crate::statistics::mrmc::{ReaderAveragedAuc, Readings};
use crate::statistics::roc::{Auc, CorrelatedAucs};
use crate::statistics::two_way::TwoWayMean;
use serde_json::Value;

fn close(actual: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (actual - expected).abs() <= tolerance,
        "{actual} is not {expected}"
    );
}

fn example(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn mrmc_example() -> Value {
    example(include_str!("data/mrmc_u_statistic.json"))
}

/// Ratings per reader, 40 negative cases first, then 40 positive, as in the file.
fn ratings(example: &Value, name: &str) -> Vec<Vec<Option<f64>>> {
    let numbers = |value: &Value| -> Vec<Option<f64>> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(Value::as_f64)
            .collect()
    };
    let reader = |k| {
        let of_reader = &example["data"][name][format!("reader{k}")];
        [
            numbers(&of_reader["negative"]),
            numbers(&of_reader["positive"]),
        ]
        .concat()
    };
    (1..=5).map(reader).collect()
}

fn fit(ratings: Vec<Vec<Option<f64>>>) -> ReaderAveragedAuc {
    let truth = [[false; 40], [true; 40]].concat();
    ReaderAveragedAuc::from_readings(&Readings::new(truth, ratings).unwrap()).unwrap()
}

/// The tolerances are half a unit of the last digit given where that is less than 1e-8.
fn check(fit: &ReaderAveragedAuc, expected: &Value) {
    close(fit.auc, &expected["auc"], 1e-8);
    close(fit.variance.unwrap(), &expected["variance"], 5.1e-13);
    close(fit.df.unwrap(), &expected["df"], 5.1e-7);
    close(fit.interval(0.95).unwrap().low, &expected["low"], 1e-8);
    close(fit.interval(0.95).unwrap().high, &expected["high"], 1e-8);
    close(
        fit.p_against_chance().unwrap(),
        &expected["p_vs_half"],
        1e-8,
    );
    for (moment, expected) in fit
        .moments
        .iter()
        .zip(expected["moments"].as_array().unwrap())
    {
        close(moment.unwrap(), expected, 1e-8);
    }
    let c = fit.components.unwrap();
    let components = [c.n, c.d, c.nd, c.r, c.nr, c.dr, c.rnd];
    for (component, name) in components
        .into_iter()
        .zip(["N", "D", "ND", "R", "NR", "DR", "RND"])
    {
        close(component, &expected["components"][name], 1e-8);
    }
    for (reader, expected) in fit
        .readers
        .iter()
        .zip(expected["readers"].as_array().into_iter().flatten())
    {
        close(reader.auc.unwrap(), &expected["auc"], 1e-8);
        close(reader.variance.unwrap(), &expected["variance"], 5.1e-13);
    }
}

// DIDSR/iMRMC (CC0): Rpackage/iMRMC/tests/testthat/input.imrmc with the stored result
// drafts/test_doIMRMC.Rdata; formulas Gallas 2006, 2009.
#[test]
fn mrmc_crossed_study() {
    let example = mrmc_example();
    for name in ["testA", "testB"] {
        let fit = fit(ratings(&example, name));
        check(&fit, &example["values"][name]);
        let published = &example["published"][name];
        close(fit.auc, &published["auc"], 1e-8);
        close(fit.variance.unwrap(), &published["variance"], 5.1e-10);
        close(fit.df.unwrap(), &published["df"], 1e-7);
        close(fit.interval(0.95).unwrap().low, &published["low"], 1e-8);
        close(fit.interval(0.95).unwrap().high, &published["high"], 1e-8);
        close(fit.p_against_chance().unwrap(), &published["p"], 1e-8);
    }
}

// The same readings as answers, score > 0.75: the AUC is the balanced accuracy.
#[test]
fn mrmc_answers() {
    let example = mrmc_example();
    let expected = &example["values"]["testA_binary"];
    let mut answers = ratings(&example, "testA");
    let answer = |rating: f64| f64::from(u8::from(rating > 0.75));
    answers
        .iter_mut()
        .flatten()
        .for_each(|rating| *rating = rating.map(answer));
    let fit = fit(answers);
    check(&fit, expected);
    let [sensitivity, specificity] =
        ["sensitivity", "specificity"].map(|key| expected[key].as_f64().unwrap());
    assert!((fit.auc - (sensitivity + specificity) / 2.0).abs() < 1e-12);
}

// The same readings without every fifth, in a pattern that differs from reader to reader.
#[test]
fn mrmc_missing_readings() {
    let example = mrmc_example();
    let mut ratings = ratings(&example, "testA");
    for (reader, of_reader) in ratings.iter_mut().enumerate() {
        for case in 0..40 {
            if (reader + case) % 5 == 0 {
                of_reader[case] = None;
            }
            if (reader + 2 * case) % 5 == 0 {
                of_reader[40 + case] = Some(f64::NAN);
            }
        }
    }
    check(&fit(ratings), &example["values"]["testA_missing"]);
}

// DIDSR/iMRMC (CC0): Rpackage/iMRMC/tests/testthat/test_uStat11.Rdata and test_uStat11_splitPlot.Rdata. The
// scores in the file have six decimals, so the published results agree to 1e-6, the computed ones to 1e-8.
#[test]
fn two_way_mean() {
    let examples = example(include_str!("data/two_way_mean.json"));
    for name in ["two_way_mean_crossed", "two_way_mean_missing"] {
        let example = &examples[name];
        let table: Vec<Vec<Option<f64>>> =
            serde_json::from_value(example["data"]["table"].clone()).unwrap();
        let fit = TwoWayMean::from_table(&table).unwrap();
        for (source, tolerance) in [("values", 1e-8), ("published", 1e-6)] {
            close(fit.mean, &example[source]["mean"], tolerance);
            close(
                fit.variance.unwrap(),
                &example[source]["variance"],
                tolerance,
            );
        }
    }
}

// SAS/STAT PROC LOGISTIC, "Comparing Receiver Operating Characteristic Curves": the data of DeLong 1988.
#[test]
fn delong_1988() {
    let example = example(include_str!("data/auc_delong_1988.json"));
    let rows: Vec<[f64; 4]> = serde_json::from_value(example["data"]["rows"].clone()).unwrap();
    // Columns: albumin, total protein, and the score turned round so that a high one means benefit.
    let column = |k: usize, benefit: f64| -> Vec<f64> {
        let of_class = rows.iter().filter(|row| row[3] == benefit);
        of_class
            .map(|row| if k == 2 { 10.0 - row[2] } else { row[k] })
            .collect()
    };
    let ratings: Vec<_> = (0..3).map(|k| (column(k, 1.0), column(k, 0.0))).collect();
    let slices: Vec<_> = ratings
        .iter()
        .map(|(p, n)| (p.as_slice(), n.as_slice()))
        .collect();
    for (k, name) in ["albumin", "total_protein", "kg_score"]
        .into_iter()
        .enumerate()
    {
        let expected = &example["values"][name];
        let auc = Auc::from_ratings(slices[k].0, slices[k].1).unwrap();
        close(auc.auc, &expected["auc"], 1e-8);
        close(auc.variance.unwrap().sqrt(), &expected["se"], 1e-8);
        close(auc.interval(0.95).unwrap().low, &expected["low"], 1e-8);
        close(auc.interval(0.95).unwrap().high, &expected["high"], 1e-8);
    }
    let correlated = CorrelatedAucs::from_ratings(&slices).unwrap();
    let to_kg_score = [vec![1.0, 0.0, -1.0], vec![0.0, 1.0, -1.0]];
    let test = correlated.contrast_test(&to_kg_score).unwrap();
    let expected = &example["values"]["contrast_to_kg_score"];
    close(test.chi_square, &expected["chi_square"], 1e-8);
    close(test.df as f64, &expected["df"], 0.0);
    close(test.p, &expected["p"], 1e-8);
}

// Fleiss JL. Psychol Bull 1971;76:378-382: 0.430; R irr kappam.fleiss(diagnoses): 0.4302445.
#[test]
fn fleiss_1971() {
    let example = example(include_str!("data/fleiss_1971.json"));
    let counts: Vec<Vec<u64>> = serde_json::from_value(example["data"]["counts"].clone()).unwrap();
    close(
        fleiss_kappa(&counts).unwrap(),
        &example["values"]["kappa"],
        1e-8,
    );
}
