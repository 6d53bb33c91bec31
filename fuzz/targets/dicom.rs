//! DICOM files: whatever the bytes, a picture or a sentence, soon and in little memory.
#![no_main]

use echoif::media;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("IM");
    // With the preamble, so that no effort goes into finding it; or as it is.
    let bytes = match data.split_first() {
        Some((0..=200, rest)) => [&[0; 128], b"DICM".as_slice(), rest].concat(),
        _ => data.to_vec(),
    };
    std::fs::write(&path, bytes).expect("the folder is writable");
    match media::open(&path) {
        Ok(opened) => {
            let last = opened.recording.frames() - 1;
            let _ = opened.recording.frame(last);
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
});
