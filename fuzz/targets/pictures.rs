//! AVI, GIF, PNG, animated PNG, JPEG, BMP and TIFF, by the first byte.
#![no_main]

use echoif::media;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let magic: &[u8] = match kind % 4 {
        0 => b"RIFF\xff\xff\0\0AVI ",
        1 => b"GIF89a",
        2 => b"\x89PNG\r\n\x1a\n",
        _ => b"",
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("picture");
    std::fs::write(&path, [magic, rest].concat()).expect("the folder is writable");
    match media::open(&path) {
        Ok(opened) => {
            let last = opened.recording.frames() - 1;
            let _ = opened.recording.frame(last);
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
});
