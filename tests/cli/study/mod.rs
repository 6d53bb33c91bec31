//! `echoif study` as a script drives it: what is planned, sealed, read, checked and merged.

mod plan;
mod read;
mod report;

use crate::common::clips::{Drawn, USUAL, draw};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn study(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_echoif"))
        .arg("study")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What a command says to a script; it has to succeed.
fn said(arguments: &[&str]) -> Value {
    let output = study(arguments);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command says that is refused.
fn refused(arguments: &[&str]) -> String {
    let output = study(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

struct Clips {
    folder: tempfile::TempDir,
}

impl Clips {
    fn new(counts: [usize; 3], drawn: [Drawn; 3]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut which = 0;
        for ((class, n), drawn) in ["real", "factual", "cf"].iter().zip(counts).zip(drawn) {
            let of = folder.path().join(class);
            std::fs::create_dir(&of).unwrap();
            for _ in 0..n {
                draw(&of.join(format!("patient_{which}.gif")), which, drawn);
                which += 1;
            }
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Plans into a folder.
    fn arguments(&self, out: &str, more: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = vec!["plan".into()];
        for (option, class) in [
            ("--real", "real"),
            ("--factual", "factual"),
            ("--counterfactual", "cf"),
        ] {
            all.extend([option.to_owned(), self.path(class)]);
        }
        all.extend([
            "--out".to_owned(),
            self.path(out),
            "--no-passphrase".into(),
            "--json".into(),
        ]);
        all.extend(more.iter().map(|m| (*m).to_owned()));
        all
    }

    fn plan(&self, out: &str, more: &[&str]) -> Value {
        let arguments = self.arguments(out, more);
        said(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A reader's code in a file of its own.
    fn code(&self, out: &str, reader: &str) -> String {
        let codes = std::fs::read_to_string(self.path(&format!("{out}/study-codes.txt"))).unwrap();
        let line = codes.lines().find(|l| l.starts_with(reader)).unwrap();
        let path = self.path(&format!("{out}/{reader}.code"));
        std::fs::write(&path, line.split_whitespace().last().unwrap()).unwrap();
        path
    }

    /// Answers to all trials of a reader, by what `answer` says of the trial's number.
    fn script(&self, out: &str, trials: usize, answer: impl Fn(usize) -> &'static str) -> String {
        let rows =
            (1..=trials).map(|t| format!("{t},{},{},{}.5\n", answer(t), 1 + t % 5, 2000 + t));
        let path = self.path(&format!("{out}/script.csv"));
        let text: String = rows.collect();
        std::fs::write(&path, format!("trial,answer,confidence,rt_ms\n{text}")).unwrap();
        path
    }
}

const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
