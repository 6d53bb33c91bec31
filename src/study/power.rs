//! What a design can show, in words.

/// Readers whose result says something about others.
pub const FEW: usize = 5;

/// What has to be known of a design before it is read.
pub fn warnings(readers: usize) -> Vec<String> {
    let mut all = Vec::new();
    if readers < FEW {
        let who = match readers {
            1 => "this reader".to_owned(),
            n => format!("these {n} readers"),
        };
        all.push(format!(
            "The result will speak of {who} alone: with under {FEW} readers, how they differ is hardly known."
        ));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_readers_are_warned_of() {
        assert!(warnings(1)[0].contains("this reader alone"));
        assert!(warnings(4)[0].contains("these 4 readers alone"));
        assert!(warnings(5).is_empty());
    }
}
