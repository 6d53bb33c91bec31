//! A plan's bytes, and whether bytes are a plan.

use super::{FORMAT, Plan, VERSION};
use crate::files::head::{Head, head};
use crate::hash::sha256;
use std::collections::BTreeSet;

/// The clip of practice that the program draws itself: moving bars, which are in no bundle.
pub const BARS: &str = "0000000000000000";

/// Bytes of a plan: two hundred readers with four thousand trials each.
pub const MOST_BYTES: usize = 64 << 20;

/// Why bytes are no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("this is no plan of a study")]
    NoPlan,
    #[error(
        "this plan was written by a later version of the program (its form is {0}): open it with that version"
    )]
    Later(u32),
    /// Its hash would be another than that of the plan it says it is.
    #[error("this plan is not written as the program writes it: use the file as it was made")]
    Rewritten,
    #[error("this plan cannot be used: {0}")]
    Content(&'static str),
}

impl Plan {
    /// `plan.json`: compact, fields in their order. What is hashed.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Nothing in it is without a form in JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// SHA-256 of its bytes in hexadecimal: which plan it is.
    pub fn sha256(&self) -> String {
        sha256(&self.to_bytes())
    }

    /// The plan of its bytes.
    ///
    /// # Errors
    /// When they are no plan, one of a later version, one whose numbers no study has, or not written as
    /// [`Plan::to_bytes`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, PlanError> {
        if bytes.len() > MOST_BYTES {
            return Err(PlanError::NoPlan);
        }
        match head(bytes, FORMAT, VERSION) {
            Head::Ours => {}
            Head::Later(version) => return Err(PlanError::Later(version)),
            Head::Other => return Err(PlanError::NoPlan),
        }
        let plan: Self = serde_json::from_slice(bytes).map_err(|_| PlanError::NoPlan)?;
        plan.check().map_err(PlanError::Content)?;
        if plan.to_bytes() != bytes {
            return Err(PlanError::Rewritten);
        }
        Ok(plan)
    }

    /// Whether it was made with this key, by the key's plain text.
    pub fn commits_to(&self, key: &[u8]) -> bool {
        self.key_commitment == sha256(key)
    }

    /// The clips of its bundle, sorted by identifier.
    pub fn clips(&self) -> BTreeSet<&str> {
        let trials = self.readers.iter().flat_map(|r| &r.trials);
        trials
            .map(|t| t.clip.as_str())
            .filter(|clip| *clip != BARS)
            .collect()
    }

    /// A reader's place in the plan.
    pub fn place_of(&self, reader: &str) -> Option<usize> {
        self.readers.iter().position(|r| r.reader == reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{mutations, plan, replaced};

    #[test]
    fn a_plan_is_its_bytes() {
        let plan = plan();
        let bytes = plan.to_bytes();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let head = r#"{"format":"echoif-study-plan","version":1,"study":""#;
        assert!(text.starts_with(head), "{text}");
        assert!(text.contains(r#""presentation":{"frames":4,"fps":4.0,"width":8"#));
        assert_eq!(Plan::parse(&bytes), Ok(plan.clone()));
        assert_eq!(plan.sha256(), sha256(&bytes));
    }

    #[test]
    fn other_bytes_are_another_plan_or_none() {
        let bytes = plan().to_bytes();
        let with = |from: &str, to: &str| Plan::parse(&replaced(&bytes, from, to));
        assert_eq!(with("study-plan", "study-log"), Err(PlanError::NoPlan));
        let later = with(r#""version":1"#, r#""version":2,"more":1"#);
        assert_eq!(later, Err(PlanError::Later(2)));
        assert_eq!(
            with(r#""version":1"#, r#""version":0"#),
            Err(PlanError::NoPlan)
        );
        assert_eq!(with(",\"title\"", ", \"title\""), Err(PlanError::Rewritten));
        assert_eq!(with("4.0", "4.00"), Err(PlanError::Rewritten));
        assert_eq!(with("\"title\"", "\"heading\""), Err(PlanError::NoPlan));
        assert_eq!(Plan::parse(b""), Err(PlanError::NoPlan));
        assert_eq!(Plan::parse(&b"[".repeat(100_000)), Err(PlanError::NoPlan));
    }

    #[test]
    fn sizes_that_no_study_has_are_refused() {
        let bytes = plan().to_bytes();
        for (from, to) in [
            (r#""frames":4"#, r#""frames":0"#),
            (r#""frames":4"#, r#""frames":18446744073709551615"#),
            (r#""frames":4"#, r#""frames":400000000"#),
            (r#""fps":4.0"#, r#""fps":0.0"#),
            (r#""fps":4.0"#, r#""fps":1e300"#),
            (r#""fps":4.0"#, r#""fps":200.0"#), // 320 ms with its gap: a flash
            (r#""levels":256"#, r#""levels":257"#),
            (r#""points":448"#, r#""points":4000000000"#),
            (r#""confidence":5"#, r#""confidence":1"#),
            (r#""confidence":5"#, r#""confidence":10"#),
            (r#""time_limit_s":null"#, r#""time_limit_s":0.5"#),
            (r#""time_limit_s":null"#, r#""time_limit_s":-1.0"#),
            (r#""block":3"#, r#""block":0"#),
            (r#""break_s":60"#, r#""break_s":4000000000"#),
            (r#""real":0.5"#, r#""real":0.6"#),
            (r#""level":0.95"#, r#""level":1.0"#),
            (r#""reader":"R2""#, r#""reader":"r1""#),
            (r#""reader":"R2""#, r#""reader":"../R2""#),
            (r#""reader":"R2""#, r#""reader":"""#),
            (r#""trial":2,"#, r#""trial":3,"#),
            (r#""block":2}"#, r#""block":9}"#),
            (
                r#""kind":"practice","block":0"#,
                r#""kind":"practice","block":1"#,
            ),
            (
                r#""kind":"practice","block":0"#,
                r#""kind":"scored","block":1"#,
            ),
            (r#""kind":"repeat""#, r#""kind":"scored""#),
        ] {
            let parsed = Plan::parse(&replaced(&bytes, from, to));
            assert!(
                matches!(parsed, Err(PlanError::Content(_))),
                "{to}: {parsed:?}"
            );
        }
        let mut none = plan();
        none.readers.clear();
        let parsed = Plan::parse(&none.to_bytes());
        assert!(matches!(parsed, Err(PlanError::Content(_))), "{parsed:?}");
    }

    #[test]
    fn a_damaged_plan_is_refused_or_written_as_it_is_read() {
        let bytes = plan().to_bytes();
        for changed in mutations(&bytes, 500) {
            if let Ok(plan) = Plan::parse(&changed) {
                assert_eq!(plan.to_bytes(), changed);
            }
        }
    }

    #[test]
    fn bars_are_no_clip_of_the_bundle() {
        let plan = plan();
        let trials = || plan.readers.iter().flat_map(|r| &r.trials);
        assert!(trials().any(|t| t.clip == BARS));
        assert!(!plan.clips().contains(BARS));
        assert!(trials().all(|t| t.clip == BARS || plan.clips().contains(t.clip.as_str())));
    }
}
