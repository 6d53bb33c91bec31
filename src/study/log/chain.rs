//! The lines of a log, whole and half, and whether each fits the one before.

use super::Problem;
use crate::files::head::{Head, head};
use crate::study::hex::{hex, is_hex};
use crate::study::record::{self, Line, What};
use crate::study::stamp::utc_ms;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::ops::Range;

/// Bytes of a line.
const LONGEST: usize = 64 << 10;
/// Hexadecimal digits in which `prev` differs where it was changed itself. Of two hashes about 60 differ.
const FEW: usize = 16;

/// A whole line.
#[derive(Clone, Debug, PartialEq)]
pub struct Chained {
    /// Its number in the file, from 1.
    pub number: usize,
    pub line: Line,
    pub hash: [u8; 32],
}

/// How a log ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum End {
    #[default]
    Whole,
    /// The last line lacks nothing but its newline.
    NoNewline,
    /// There is half a line, with a newline or without.
    Half { bytes: Range<usize>, newline: bool },
}

#[derive(Debug, Default)]
pub struct Chain {
    pub lines: Vec<Chained>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
    pub end: End,
}

/// Lines of bytes that are none, of which a `torn` has to follow.
struct Pieces {
    number: usize,
    bytes: Range<usize>,
}

/// The chain of a log of this plan; its first line has the number `first`.
pub fn chain(bytes: &[u8], plan_sha256: &str, first: usize) -> Chain {
    let mut chain = Chain::default();
    let mut links = Links::new(plan_sha256);
    let mut pieces: Option<Pieces> = None;
    for (i, range) in physical(bytes).enumerate() {
        let number = first + i;
        let text = bytes.get(range.clone()).unwrap_or_default();
        let Some(line) = parse(text) else {
            match &mut pieces {
                Some(pieces) => pieces.bytes.end = range.end,
                None => {
                    let bytes = range;
                    pieces = Some(Pieces { number, bytes });
                }
            }
            continue;
        };
        let mut after_none = false;
        match (&line.what, pieces.take()) {
            (
                What::Torn {
                    bytes: length,
                    sha256,
                },
                before,
            ) => {
                let torn = before.as_ref().map(|p| p.bytes.clone());
                let torn = torn.and_then(|range| bytes.get(range)).unwrap_or_default();
                if torn.len() != *length || crate::hash::sha256(torn) != *sha256 {
                    let at = before.map_or(number, |p| p.number);
                    chain.problem(
                        at,
                        "the half line that a crash left here was changed or taken out",
                    );
                }
            }
            (_, Some(before)) => {
                after_none = true;
                chain.problem(
                    before.number,
                    no_line(bytes, &before, chain.lines.is_empty()),
                );
            }
            (_, None) => {}
        }
        let hash: [u8; 32] = Sha256::digest(text).into();
        if let Some((at, what)) = links.add(&line, hash, number, after_none) {
            chain.problem(at, what);
        }
        if range.end == bytes.len() {
            chain.end = End::NoNewline;
        }
        chain.lines.push(Chained { number, line, hash });
    }
    if let Some(last) = pieces {
        let torn = bytes.get(last.bytes.clone()).unwrap_or_default();
        let mut lines = torn.split(|&b| b == b'\n');
        if lines.all(|piece| is_half(piece, links.n, &links.prev)) {
            let what =
                "this line is half written: the program stopped there, and it counts for nothing";
            chain.warnings.push(Problem::new(last.number, what));
            chain.end = End::Half {
                newline: last.bytes.end < bytes.len(),
                bytes: last.bytes,
            };
        } else {
            chain.problem(last.number, no_line(bytes, &last, chain.lines.is_empty()));
        }
    } else if chain.lines.is_empty() {
        // A program that is killed between making the file and its first line leaves that.
        let what = "this log is empty: a program made it and stopped before its first line";
        chain.warnings.push(Problem::new(first, what));
    }
    chain
}

impl Chain {
    fn problem(&mut self, line: usize, what: impl Into<String>) {
        self.problems.push(Problem::new(line, what));
    }
}

/// What comes next, and what was.
struct Links {
    /// Of the next line.
    n: usize,
    prev: String,
    /// Number in the file of the last line, and which line each hash is of.
    last: usize,
    seen: HashMap<String, usize>,
}

impl Links {
    fn new(plan_sha256: &str) -> Self {
        Self {
            n: 0,
            prev: plan_sha256.to_owned(),
            last: 0,
            seen: HashMap::new(),
        }
    }

    /// Adds a line, and says what is wrong between it and those before. After one that is no line nothing can
    /// be said.
    fn add(
        &mut self,
        line: &Line,
        hash: [u8; 32],
        number: usize,
        after_none: bool,
    ) -> Option<(usize, String)> {
        let own = hex(&hash);
        if self.seen.contains_key(&own) {
            return Some((number, "this line stands here a second time".into()));
        }
        let fits = line.n == self.n && line.prev == self.prev;
        let wrong = if fits || after_none {
            None
        } else if self.seen.is_empty() {
            let what = if line.n == 0 {
                "this log is of another plan, or its first line was changed".into()
            } else {
                "the beginning of this log was taken out".into()
            };
            Some((number, what))
        } else if let Some(from) = self.seen.get(&line.prev).filter(|from| **from != self.last) {
            // The line goes on from an earlier one, so what lies between was never written there.
            Some((
                from + 1,
                format!(
                    "this line was added or moved here: line {number} goes on from line {from}"
                ),
            ))
        } else if line.n > self.n {
            let missing = line.n - self.n;
            let lines = if missing == 1 { "line is" } else { "lines are" };
            Some((number, format!("{missing} {lines} missing before this one")))
        } else if line.n < self.n {
            Some((number, "this line was added, repeated or moved here".into()))
        } else {
            let differ = line
                .prev
                .bytes()
                .zip(self.prev.bytes())
                .filter(|(a, b)| a != b);
            let at = if differ.count() <= FEW {
                number
            } else {
                self.last
            };
            let what = "this line was changed after it was written";
            Some((at, what.into()))
        };
        self.n = line.n.saturating_add(1);
        self.prev.clone_from(&own);
        self.last = number;
        self.seen.insert(own, number);
        wrong
    }
}

/// A line, where the text is what the program writes for it to the letter.
fn parse(text: &[u8]) -> Option<Line> {
    if text.len() > LONGEST {
        return None;
    }
    let line: Line = serde_json::from_slice(text).ok()?;
    let written = serde_json::to_vec(&line).ok()?;
    let sound = written == text
        && is_hex(&line.prev, 64)
        && utc_ms(&line.utc).is_some()
        && line.mono_ms.is_finite();
    sound.then_some(line)
}

/// Why a piece is no line.
fn no_line(bytes: &[u8], piece: &Pieces, is_first: bool) -> &'static str {
    let text = bytes.get(piece.bytes.clone()).unwrap_or_default();
    match head(text, record::FORMAT, record::VERSION) {
        Head::Later(_) => {
            "this log was written by a later version of the program: use that version"
        }
        _ if is_first => "this is no line of a log of a study",
        _ => "this is no line of a log: it was changed after it was written",
    }
}

/// Whether these bytes are a beginning of the line that was to come, as a crash leaves it. A line that was
/// changed is told from it by its end: an object ends with its bracket, and a beginning of it never does.
fn is_half(piece: &[u8], n: usize, prev: &str) -> bool {
    if piece.is_empty() {
        return false;
    }
    // After a power cut some file systems have the length of what was written, and zeros for the rest.
    let zeros = piece.iter().rev().take_while(|&&b| b == 0).count();
    let piece = piece.get(..piece.len() - zeros).unwrap_or_default();
    let head = format!("{{\"n\":{n},\"prev\":\"{prev}\",\"kind\":\"");
    let common = piece.len().min(head.len());
    if piece.get(..common) != head.as_bytes().get(..common) || piece.last() == Some(&b'}') {
        return false;
    }
    // A letter of two bytes may be cut, too.
    let text = match std::str::from_utf8(piece) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => {
            let valid = piece.get(..e.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(_) => false,
        Err(e) => e.is_eof(),
    }
}

/// Where each line lies, without its newline.
fn physical(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|&b| b == b'\n');
        let range = start..start + length.unwrap_or(rest.len());
        start = range.end + 1;
        Some(range)
    })
}

/// The logs of a file that may hold several, one after another as `merge` writes them, each with the number
/// of its first line. A log begins at the line 0, or at the half line that a `torn` of that number names.
pub fn split(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut beginnings = vec![(1, 0)];
    // Where lines begin that are none, since the last that is one.
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    for (i, range) in physical(bytes).enumerate() {
        let text = bytes.get(range.clone()).unwrap_or_default();
        let is_first = text.starts_with(b"{\"n\":0,");
        let Some(line) = parse(text) else {
            pieces.push((i + 1, range.start));
            continue;
        };
        if is_first && i > 0 {
            let own = match line.what {
                What::Torn { bytes: length, .. } => {
                    let start = range.start.checked_sub(length.saturating_add(1));
                    pieces.iter().find(|(_, at)| Some(*at) == start).copied()
                }
                _ => None,
            };
            beginnings.push(own.unwrap_or((i + 1, range.start)));
        }
        pieces.clear();
    }
    beginnings.dedup();
    let ends = beginnings.iter().skip(1).map(|(_, start)| *start);
    let ends: Vec<usize> = ends.chain([bytes.len()]).collect();
    let logs = beginnings.into_iter().zip(ends);
    logs.filter_map(|((number, start), end)| Some((number, bytes.get(start..end)?)))
        .collect()
}
