//! How a JSON file of ours begins: what it is, and in which form.

use serde::Deserialize;

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// It is of this kind and form.
    Ours,
    /// It is of this kind, in a form of a later version of the program.
    Later(u32),
    Other,
}

/// Whether bytes are JSON that says it is of this kind and form. What else it holds is not looked at.
pub fn head(bytes: &[u8], format: &str, version: u32) -> Head {
    #[derive(Deserialize)]
    struct Said {
        format: String,
        version: u32,
    }
    match serde_json::from_slice::<Said>(bytes) {
        Ok(said) if said.format != format => Head::Other,
        Ok(said) if said.version == version => Head::Ours,
        Ok(said) if said.version > version => Head::Later(said.version),
        _ => Head::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_form_are_told() {
        let of = |text: &str| head(text.as_bytes(), "a", 2);
        assert_eq!(of(r#"{"format":"a","version":2,"more":[]}"#), Head::Ours);
        assert_eq!(of(r#"{"version":3,"format":"a"}"#), Head::Later(3));
        for other in [
            "",
            "{}",
            r#"{"format":"b","version":2}"#,
            r#"{"format":"a","version":1}"#,
            r#"{"format":"a","version":-1}"#,
            r#"{"format":"a","version":2} {}"#,
        ] {
            assert_eq!(of(other), Head::Other, "{other}");
        }
    }
}
