//! YAML as configurations and cards are written in it. A file may come from anywhere: what would unfold
//! into more than any of them holds is refused while it is read.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Options, UserMessageFormatter, budget, options};

/// Levels of nesting; the published configurations have four.
const MOST_LEVELS: usize = 32;
/// Values, those of aliases counted wherever they stand.
const MOST_VALUES: usize = 20_000;
/// Bytes of all texts and numbers together.
const MOST_BYTES: usize = 1 << 20;

fn limits() -> Options {
    options! {
        budget: budget! {
            max_depth: MOST_LEVELS,
            flow_nesting_limit: MOST_LEVELS,
            max_nodes: MOST_VALUES,
            max_events: 3 * MOST_VALUES,
            max_recorded_anchor_events: 3 * MOST_VALUES,
            max_recorded_anchor_bytes: MOST_BYTES,
            max_total_scalar_bytes: MOST_BYTES,
            max_documents: 1,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        // As YAML 1.2 has it: `no` is a word.
        strict_booleans: true,
        // A value that cannot be is named by whoever knows its option.
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

/// Reads the one document of a text.
///
/// # Errors
/// A phrase with the line, when it is no YAML, holds other values, one key twice, or too much.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str_with_options(text, limits())
        .map_err(|e| e.render_with_formatter(&UserMessageFormatter))
}

/// Writes a value as a document.
///
/// # Errors
/// A phrase, when it has no form in YAML.
pub fn write(value: &impl Serialize) -> Result<String, String> {
    serde_saphyr::to_string(value).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::time::{Duration, Instant};

    fn value(text: &str) -> Value {
        read(text).unwrap()
    }

    #[test]
    fn values_are_those_of_yaml_1_2_in_the_order_of_the_file() {
        let read = value("z: 1\na: [-2, 0.5, 5e-4, 1e3, true, ~, no, '1', 0x10]\n");
        let expected = r#"{"z":1,"a":[-2,0.5,0.0005,1000.0,true,null,"no","1",16]}"#;
        assert_eq!(read.to_string(), expected);
        assert_eq!(value(expected), read);
        // What is no finite number is a word, for whoever knows its option.
        let words = json!([".nan", "-.inf", ".inf"]);
        assert_eq!(value("[.nan, -.inf, 1e999]"), words);
        assert_eq!(value(""), Value::Null);
        assert_eq!(value("\u{feff}a: 1\r\nb: 2\r\n"), json!({"a": 1, "b": 2}));
    }

    #[test]
    fn anchors_stand_for_what_they_name_and_tags_of_a_language_for_nothing() {
        let read = value("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n");
        assert_eq!(
            read,
            json!({"a": {"b": 1}, "c": {"b": 1}, "d": {"e": 2, "b": 1}})
        );
        // What Python's writers put before their own kinds; nothing is made of it.
        let read =
            value("a: !!python/tuple [1, 2]\nb: !!python/object:os.system {x: 1}\nc: !any 3\n");
        assert_eq!((&read["a"], &read["b"]), (&json!([1, 2]), &json!({"x": 1})));
    }

    /// Each within its time and within the stack of a thread, whatever it would unfold into.
    #[test]
    fn files_that_mean_harm_get_a_phrase() {
        let laughs = |entry: &str| {
            let mut text = format!("a0: &a0 [{}]\n", ["x"; 9].join(", "));
            for i in 1..30 {
                let again = vec![entry.replace('N', &(i - 1).to_string()); 9].join(", ");
                text += &format!("a{i}: &a{i} [{again}]\n");
            }
            text
        };
        let steps = (0..3000).map(|i| format!("{}a:\n", " ".repeat(i)));
        for (what, text) in [
            ("a list in lists", "[".repeat(1_000_000)),
            ("a section in sections", "{a: ".repeat(1_000_000)),
            ("a list below lists", "- ".repeat(100_000)),
            ("a section below sections", steps.collect()),
            ("aliases of aliases", laughs("*aN")),
            ("sections that merge", laughs("{<<: *aN}")),
            ("an alias of itself", "a: &a [*a]".into()),
            ("an alias of nothing", "a: *b".into()),
            (
                "too many keys",
                (0..500_000).map(|i| format!("k{i}: 1\n")).collect(),
            ),
            ("too long a text", format!("a: {}", "x".repeat(30 << 20))),
            ("a key twice", "a: 1\nb: 2\na: 3".into()),
            ("two documents", "a: 1\n---\nb: 2\n".into()),
            ("a list as a key", "? [a, b]\n: c\n".into()),
            ("no text", "a: \u{0}\u{1}".into()),
            (
                "a key that never ends",
                format!("{}: 1", "k".repeat(5_000_000)),
            ),
            (
                "quotes that never end",
                format!("a: \"{}", "\\x41".repeat(1_000_000)),
            ),
            ("comments alone", "# \n".repeat(2_000_000) + "["),
        ] {
            let start = Instant::now();
            let small = std::thread::Builder::new().stack_size(1 << 20);
            let reading = small.spawn(move || read::<Value>(&text)).unwrap();
            let why = reading.join().unwrap().expect_err(what);
            let took = start.elapsed();
            assert!(took < Duration::from_secs(5), "{what}: {took:?}");
            // Of a line, never the file's own text at length.
            assert!((10..400).contains(&why.len()), "{what}: {why}");
        }
    }

    #[test]
    fn a_phrase_says_where() {
        let why = read::<Value>("a: 1\nb: [\nc: 2\n").unwrap_err();
        assert!(why.contains("line"), "{why}");
        let why = read::<Value>("a: 1\na: 2\n").unwrap_err();
        assert!(why.contains("duplicate") && why.contains("line 2"), "{why}");
        assert!(!why.contains("Policy"), "{why}");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            "[-~#&*!|>'\"%@`0-9.eE+xyn:, \n\t]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{0,8}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in any_value()) {
            let text = write(&value).unwrap();
            prop_assert_eq!(read::<Value>(&text).unwrap(), value, "{}", text);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-a-c0-9 \n\t\\[\\]{}:,&*!?|>'\"#%@<~.]{0,60}") {
            let _ = read::<Value>(&text);
        }
    }
}
