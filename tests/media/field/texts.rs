//! Text files as editors on Windows save them.

use super::case;
use candle_core::Device;
use echoif::checkpoint::open_cascade;
use std::path::Path;

#[test]
fn a_configuration_may_begin_with_a_byte_order_mark() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/merged_tiny_1scm");
    let marked = std::fs::read(case("c18_config_bom").join("config.yaml")).unwrap();
    assert!(marked.starts_with(b"\xef\xbb\xbf"));
    let text = std::fs::read_to_string(fixture.join("config.yaml")).unwrap();
    let utf16: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for config in [marked, utf16, text.replace('\n', "\r\n").into_bytes()] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.yaml"), config).unwrap();
        std::fs::copy(fixture.join("merged.pt"), folder.path().join("merged.pt")).unwrap();
        open_cascade(folder.path(), &Device::Cpu)
            .map(|_| ())
            .unwrap();
    }
}
