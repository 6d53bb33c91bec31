use super::*;
use crate::study::code::Code;
use crate::study::plan::Plan;
use crate::study::seal::{ContentKey, Kdf, OVERHEAD};
use crate::study::testing::{CLIPS, identifiers, key, mutations, pixels, plan, replaced};
use std::convert::Infallible;
use std::path::Path;

fn made() -> Made {
    Made {
        created_utc: "2026-11-26T07:00:00.000Z".into(),
        kdf: Kdf::quick(),
    }
}

type Clip = Result<(String, Vec<u8>), Infallible>;

fn clips() -> impl Iterator<Item = Clip> {
    identifiers().into_iter().map(|clip| {
        let frames = pixels(&clip);
        Ok((clip, frames))
    })
}

fn code_of(reader: usize) -> Code {
    Code::parse(&key().readers[reader].code).unwrap()
}

/// A bundle in a folder of its own.
fn written() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hearts.echostudy");
    write(&path, &plan(), &key(), &made(), clips()).unwrap();
    (folder, path)
}

#[test]
fn each_reader_opens_it_with_a_code_and_the_key_does_without() {
    let (folder, path) = written();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    for reader in 0..3 {
        let opened = open(&path, &code_of(reader)).unwrap();
        assert_eq!(opened.reader, Some(reader));
        assert_eq!(*opened.plan, plan());
        assert_eq!(opened.plan_sha256, plan().sha256());
        assert_eq!(opened.clips(), identifiers());
        for clip in identifiers() {
            assert_eq!(opened.clip(&clip).unwrap(), pixels(&clip));
        }
    }
    let opened = open_with_key(&path, &key()).unwrap();
    assert_eq!(opened.reader, None);
    let clip = &identifiers()[5];
    assert_eq!(opened.clip(clip).unwrap(), pixels(clip));
    let none = opened.clip("0123456789abcdef");
    assert!(matches!(none, Err(ReadError::NoClip(_))), "{none:?}");
    let header = header(&path).unwrap();
    assert_eq!(header, opened.header);
    assert_eq!((header.clips, header.clip_bytes), (CLIPS, 256));
}

#[test]
fn who_has_no_code_or_another_key_is_told_so() {
    let (_folder, path) = written();
    let said = open(&path, &Code::from_bytes([1; 13])).unwrap_err();
    assert!(matches!(said, ReadError::WrongCode), "{said}");
    // A code of a letter less right.
    let letters = code_of(0).letters();
    let other = if letters.starts_with('A') { "B" } else { "A" };
    let close = Code::parse(&format!("{other}{}", &letters[1..])).unwrap();
    assert!(matches!(open(&path, &close), Err(ReadError::WrongCode)));
    let mut other = key();
    other.clips[0].seed = Some(99);
    let said = open_with_key(&path, &other);
    assert!(matches!(said, Err(ReadError::OtherKey)), "{said:?}");
}

#[test]
fn nothing_in_it_tells_a_class() {
    let (_folder, path) = written();
    let bytes = std::fs::read(&path).unwrap();
    let plan = open_with_key(&path, &key()).unwrap().plan.to_bytes();
    // The plan has the classes in its shares and the reader's side, and nowhere else.
    let shares = r#""shares":{"real":0.5,"factual":0.25,"counterfactual":0.25},"#;
    let mut opened = String::from_utf8(replaced(&plan, shares, "")).unwrap();
    opened = opened.replace("real_side", "");
    let key = key();
    let clips = key.clips.iter().flat_map(|clip| {
        let texts = [&clip.pixels_sha256, &clip.source_sha256, &clip.anatomy];
        texts.map(String::clone)
    });
    let words = ["real", "factual", "fake", "builtin"].map(str::to_owned);
    for secret in clips.chain(words).chain([key.secret.clone()]) {
        let holds = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
        assert!(!holds && !opened.contains(&secret), "{secret}");
    }
    let codes = key.readers.iter().map(|r| r.code.clone());
    for hidden in codes.chain(identifiers()) {
        let holds = bytes.windows(hidden.len()).any(|w| w == hidden.as_bytes());
        assert!(!holds, "{hidden}");
    }
}

#[test]
fn entries_have_one_order_length_and_time() {
    let (folder, path) = written();
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
    let mut names = Vec::new();
    for i in 0..zip.len() {
        let entry = zip.by_index(i).unwrap();
        names.push(entry.name().unwrap().into_owned());
        assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
        let time = entry.last_modified().unwrap();
        assert_eq!(
            (time.year(), time.month(), time.day(), time.hour()),
            (1980, 1, 1, 0)
        );
        assert_eq!(entry.unix_mode(), Some(0o100_644));
        if i >= BEFORE_CLIPS {
            assert_eq!(entry.size(), 256 + OVERHEAD as u64);
        }
    }
    let mut expected = ["README.txt", "header.json", "plan.sealed"]
        .map(str::to_owned)
        .to_vec();
    expected.extend((1..=CLIPS).map(|i| format!("clips/000{i}.sealed")));
    assert_eq!(names, expected);
    // Nonces and salts are fresh each time; all else, lengths too, is the same.
    let again = folder.path().join("again");
    write(&again, &plan(), &key(), &made(), clips()).unwrap();
    let (first, second) = (
        std::fs::read(&path).unwrap(),
        std::fs::read(&again).unwrap(),
    );
    assert_eq!(first.len(), second.len());
    assert_ne!(first, second);
    assert_eq!(*open(&again, &code_of(1)).unwrap().plan, plan());
}

/// The same entries, in a zip as any tool writes it, after something was done to them.
fn rewritten(path: &Path, change: impl Fn(&mut Vec<(String, Vec<u8>)>)) {
    use std::io::{Read as _, Write as _};
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut entries = Vec::new();
    for i in 0..zip.len() {
        let mut entry = zip.by_index(i).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        entries.push((entry.name().unwrap().into_owned(), bytes));
    }
    change(&mut entries);
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in entries {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn exchanged_clips_are_told_by_their_place() {
    let (_folder, path) = written();
    rewritten(&path, |entries| {
        let second = entries[4].1.clone();
        entries[4].1 = std::mem::replace(&mut entries[6].1, second);
    });
    let opened = open(&path, &code_of(0)).unwrap();
    let all = identifiers();
    for place in [1, 3] {
        let said = opened.clip(&all[place]).unwrap_err().to_string();
        assert!(
            said.starts_with(&format!("clip {} of", place + 1)),
            "{said}"
        );
    }
    assert_eq!(opened.clip(&all[0]).unwrap(), pixels(&all[0]));
}

#[test]
fn a_bundle_with_other_entries_is_refused() {
    let other_plan = {
        let mut plan = plan();
        plan.title = "Another".into();
        ContentKey::of(&key().secret().unwrap())
            .seal(&about_plan(&plan.study), &plan.to_bytes())
            .unwrap()
    };
    let header = |entries: &mut Vec<(String, Vec<u8>)>, from: &str, to: &str| {
        entries[1].1 = replaced(&entries[1].1, from, to);
    };
    type Change<'a> = &'a dyn Fn(&mut Vec<(String, Vec<u8>)>);
    let cases: [(&str, Change); 11] = [
        ("damaged", &|entries| drop(entries.pop())),
        ("damaged", &|entries| entries.swap(0, 2)),
        ("damaged", &|entries| {
            entries.push(("more".into(), Vec::new()))
        }),
        ("damaged", &|entries| entries[5].1.truncate(100)),
        ("damaged", &|entries| entries[2].1[30] ^= 1),
        ("another plan", &|entries| entries[2].1 = other_plan.clone()),
        ("another plan", &|entries| {
            header(entries, "\"clips\":6", "\"clips\":5")
        }),
        ("another plan", &|entries| {
            header(entries, "\"clip_bytes\":256", "\"clip_bytes\":255")
        }),
        ("no bundle", &|entries| {
            header(entries, "study-bundle", "study-plan")
        }),
        ("no bundle", &|entries| {
            header(entries, "\"m\":8", "\"m\":4000000000")
        }),
        ("later version", &|entries| {
            header(entries, "\"version\":1", "\"version\":2")
        }),
    ];
    for (i, (sentence, change)) in cases.into_iter().enumerate() {
        let (_folder, path) = written();
        rewritten(&path, change);
        let said = open_with_key(&path, &key()).unwrap_err().to_string();
        assert!(said.contains(sentence), "{i}: {said}");
    }
    // One reader's sealed key in another's place opens nothing.
    let (_folder, path) = written();
    rewritten(&path, |entries| header(entries, "\"R2\"", "\"R4\""));
    assert!(matches!(
        open(&path, &code_of(1)),
        Err(ReadError::WrongCode)
    ));
    assert!(matches!(
        open(&path, &code_of(0)),
        Err(ReadError::OtherPlan)
    ));
}

#[test]
fn what_does_not_belong_together_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hearts.echostudy");
    std::fs::write(&path, "what was there").unwrap();
    let said = |plan: &Plan, key: &crate::study::key::Key, clips: Vec<Clip>| {
        write(&path, plan, key, &made(), clips)
            .unwrap_err()
            .to_string()
    };
    let all = || clips().collect::<Vec<_>>();
    let mut other = key();
    other.clips[0].seed = Some(99);
    assert_eq!(
        said(&plan(), &other, all()),
        "the plan was not made with this key"
    );
    let mut nameless = key();
    nameless.readers.pop();
    let mut committed = plan();
    committed.key_commitment = crate::hash::sha256(&nameless.to_bytes());
    assert_eq!(
        said(&committed, &nameless, all()),
        "the key has no code for R3"
    );
    let wrong = |change: &dyn Fn(&mut Vec<Clip>)| {
        let mut clips = all();
        change(&mut clips);
        said(&plan(), &key(), clips)
    };
    assert!(wrong(&|clips| clips.swap(0, 1)).contains("where the plan has"));
    assert!(wrong(&|clips| drop(clips.pop())).contains("none was given"));
    assert!(wrong(&|clips| clips.push(Ok(("x".into(), vec![])))).contains("has none"));
    let short = wrong(&|clips| clips[2].as_mut().unwrap().1.truncate(255));
    assert_eq!(short, "a clip has 255 bytes, and by the plan it has 256");
    let failing = clips().take(3).map(|c| c.map_err(|e| match e {}));
    let failing = failing.chain([Err("the third clip cannot be read")]);
    let said = write(&path, &plan(), &key(), &made(), failing).unwrap_err();
    assert_eq!(said.to_string(), "the third clip cannot be read");
    // Nothing is left of any of them.
    assert_eq!(std::fs::read(&path).unwrap(), b"what was there");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_damaged_bundle_is_refused_or_opens_as_it_was_made() {
    let (folder, path) = written();
    let bytes = std::fs::read(&path).unwrap();
    let changed_path = folder.path().join("changed");
    let mut refused = 0;
    for changed in mutations(&bytes, 500) {
        std::fs::write(&changed_path, &changed).unwrap();
        let Ok(opened) = open(&changed_path, &code_of(0)) else {
            refused += 1;
            continue;
        };
        assert_eq!((&*opened.plan, opened.reader), (&plan(), Some(0)));
        for clip in identifiers() {
            match opened.clip(&clip) {
                Ok(frames) => assert_eq!(frames, pixels(&clip)),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 300, "{refused}");
}

#[test]
fn what_is_no_zip_is_no_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    for bytes in [&b""[..], b"PK\x05\x06", &[b'P'; 1000]] {
        std::fs::write(&path, bytes).unwrap();
        let said = header(&path).unwrap_err();
        assert!(matches!(said, ReadError::NoBundle), "{said}");
    }
    let missing = header(&folder.path().join("b")).unwrap_err();
    assert!(matches!(missing, ReadError::Io(_)), "{missing}");
}
