//! The page: whole, closed, without anything from outside, and no text on another.

use super::files;
use super::simulated::Simulated;
use crate::study::plan::Design;

fn studies() -> Vec<Simulated> {
    let mut crossed = Simulated::crossed(5, [60, 30, 30], 20).read(7, 0.75, 0.35);
    for (place, reader) in crossed.plan.readers.iter_mut().enumerate() {
        reader.reader = format!("{}{place}", "Reader-With-A-Name-As-Long-As-Is");
        crossed.readers[place].reader = reader.reader.clone();
    }
    crossed.responses[4].answer = None;
    let mut long = Simulated::crossed(2, [900, 50, 50], 0).read(3, 4.0, 0.1);
    for response in &mut long.responses {
        response.rt_ms *= 1234.5;
        response.block = response.trial / 8;
    }
    long.plan.design = Design::Shared;
    vec![
        crossed,
        super::published::published(),
        long,
        Simulated::crossed(1, [3, 1, 0], 0).read(1, 0.0, 0.0),
        Simulated::crossed(33, [6, 3, 3], 0).read(4, 0.1, 0.5),
        Simulated::crossed(3, [0, 5, 2], 0).read(5, 0.5, 0.5),
    ]
}

#[test]
fn pages_are_closed_and_bring_nothing_from_outside() {
    for simulated in studies() {
        let mut study = simulated.study();
        study.audit = Some(serde_json::json!({
            "presentation_equal": true,
            "content": [
                {"feature": "sharpness<b>", "auc": 0.61, "low": 0.5, "high": 0.7, "clips": 9},
                {"feature": "mean", "auc": null}, {"auc": 0.5}, 7
            ]
        }));
        let html = &files(&study)["report.html"];
        for word in ["<script", "http", "NaN", "src=", "url(", "@import"] {
            assert!(!html.contains(word), "{word}");
        }
        assert!(html.contains("sharpness&lt;b&gt;"));
        closed(html);
        parted(html);
    }
}

#[test]
fn what_comes_from_outside_is_text() {
    let mut simulated = Simulated::crossed(2, [6, 3, 3], 0).read(1, 1.0, 0.2);
    let bad = "</title><script>alert(1)</script> & \"'=1+1";
    simulated.plan.title = bad.into();
    simulated.plan.program = bad.into();
    let about = &mut simulated.readers[0];
    about.role = format!("=cmd|{bad}\n| x");
    about.receipt = bad.into();
    about.programs = vec![bad.into()];
    about.warnings = vec![bad.into()];
    let files = files(&simulated.study());
    let html = &files["report.html"];
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    closed(html);
    let checklist = &files["checklist.md"];
    assert!(!checklist.contains("<script") && checklist.contains("| R1 | =cmd\\|"));
    assert!(files["readers.csv"].contains("\"'=cmd|"));
}

/// Tags open and close in pairs.
fn closed(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html.strip_prefix("<!DOCTYPE html>").unwrap();
    while let Some(start) = rest.find('<') {
        assert!(
            !rest[..start].contains('>') || open.last() == Some(&"style"),
            "{}",
            &rest[..start]
        );
        let mut quoted = false;
        let end = rest[start..].find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let tag = &rest[start + 1..start + end.unwrap()];
        rest = &rest[start + end.unwrap() + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.starts_with("meta ") {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// Places where text is drawn, rather too small: left, right and baseline.
fn texts(svg: &str) -> Vec<(f64, f64, f64, String)> {
    let texts = svg.split("<text ").skip(1);
    let upright = texts.filter(|text| !text.split('>').next().unwrap().contains("rotate"));
    upright
        .map(|text| {
            let (head, content) = text.split_once('>').unwrap();
            let content = content.split("</text>").next().unwrap();
            let at = |key: &str| {
                let value = head.split(&format!("{key}=\"")).nth(1).unwrap();
                value.split('"').next().unwrap()
            };
            let words: String = content
                .split('<')
                .map(|part| part.rsplit_once('>').map_or(part, |(_, words)| words))
                .collect();
            let (x, y): (f64, f64) = (at(" x").parse().unwrap(), at(" y").parse().unwrap());
            let small = matches!(at("class"), "tick" | "note");
            let letter = if small { 5.0 } else { 5.6 };
            let gap = if content.contains("<tspan") { 7.0 } else { 0.0 };
            let wide = words.chars().count() as f64 * letter + gap;
            let left = match at("text-anchor") {
                "start" => x,
                "middle" => x - wide / 2.0,
                _ => x - wide,
            };
            (left, left + wide, y, words)
        })
        .collect()
}

/// No text lies on another, or out of the picture.
fn parted(html: &str) {
    for svg in html.split("<svg ").skip(1) {
        let svg = svg.split("</svg>").next().unwrap();
        let texts = texts(svg);
        for (i, a) in texts.iter().enumerate() {
            assert!(a.0 > -1.0 && a.1 < 641.0, "{a:?} leaves the picture");
            for b in texts.iter().skip(i + 1) {
                let apart = a.1 <= b.0 || b.1 <= a.0 || (a.2 - b.2).abs() >= 9.0;
                assert!(apart, "{a:?} lies on {b:?}");
            }
        }
    }
}
