//! Sentences for the trainee.

use std::path::Path;

/// As `1 case`, `2 cases`.
pub fn counted(n: usize, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {one}{s}")
}

/// A sentence of an error that begins in small letters.
pub fn sentence(e: &dyn std::fmt::Display) -> String {
    let text = e.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    let dot = if text.ends_with('.') { "" } else { "." };
    format!("{}{}{dot}", first.unwrap_or_default(), letters.as_str())
}

/// What is said behind a file's path.
pub fn about_file(path: &Path, e: &dyn std::fmt::Display) -> String {
    let text = e.to_string();
    let dot = if text.ends_with('.') { "" } else { "." };
    format!("{}: {text}{dot}", path.display())
}
