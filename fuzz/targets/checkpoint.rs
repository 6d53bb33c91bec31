//! Pickles, PyTorch files and the configuration beside them, by the first byte.
#![no_main]

use echoif::card::Card;
use echoif::checkpoint::pickle::Pickle;
use echoif::checkpoint::{TorchFile, parse_cascade};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => {
            let _ = Pickle::parse(rest);
        }
        1 => {
            let text = String::from_utf8_lossy(rest);
            let _ = parse_cascade(&text);
            let _ = Card::parse(&text);
        }
        _ => {
            let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
            std::io::Write::write_all(&mut file, rest).expect("it is writable");
            let _ = TorchFile::open(file.path());
        }
    }
});
