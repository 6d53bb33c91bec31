//! Checkpoints that were damaged, or made to do harm.

use crate::checkpoints::{copy_folder, refusal};
use crate::common::{Pickler, write_zip};
use candle_core::Device;
use echoif::checkpoint::{open_cascade, open_regressor};

#[test]
fn broken_files_get_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let cascade = copy_folder("merged_tiny_2scm", folder.path());
    let merged = cascade.join("merged.pt");
    let whole = std::fs::read(&merged).unwrap();
    let open = || refusal(open_cascade(&cascade, &Device::Cpu));

    for cut in [0, 1, 10, 1000, whole.len() / 2, whole.len() - 10] {
        std::fs::write(&merged, &whole[..cut]).unwrap();
        assert!(open().contains("damaged"), "cut at {cut}");
    }
    std::fs::write(&merged, b"GIF89a this is a picture").unwrap();
    assert!(open().contains("not a file that PyTorch"));

    // A pickle that would run a command if anything were executed.
    let proof = folder.path().join("proof");
    let command = format!("cos\nsystem\n(S'touch {}'\ntR.", proof.display());
    write_zip(&merged, command.as_bytes(), std::iter::empty());
    assert!(open().contains("`ema`"));
    assert!(!proof.exists());

    // A tensor that claims more than its storage holds.
    let mut p = Pickler::new();
    p.dict(|p| {
        p.text("ema");
        p.dict(|p| {
            p.text("0.ema_model.null_text_embed");
            p.tensor("0", &[1, 1, 8], false);
        });
    });
    write_zip(
        &merged,
        &p.finish(),
        [("0".to_owned(), vec![0.0; 3])].into_iter(),
    );
    assert!(open().contains("cut off"));

    std::fs::remove_file(&merged).unwrap();
    assert!(open().contains("merged.pt"));
    assert!(refusal(open_cascade(folder.path(), &Device::Cpu)).contains("config.yaml"));
    std::fs::write(cascade.join("config.yaml"), "unets: 3").unwrap();
    std::fs::write(&merged, &whole).unwrap();
    assert!(open().contains("unets"));
}

/// Ways through such a file are without end.
#[test]
fn a_dictionary_that_lies_in_itself_is_no_regressor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("knot.pt");
    let mut pickle = b"\x80\x02}q\x00(".to_vec();
    for key in 0..400u16 {
        pickle.extend([b'X', 3, 0, 0, 0]);
        pickle.extend(format!("{key:03}").as_bytes());
        pickle.extend([b'h', 0]);
    }
    pickle.extend(b"u.");
    write_zip(&path, &pickle, std::iter::empty());
    let said = refusal(open_regressor(&path, &Device::Cpu, None));
    assert!(said.contains("knot.pt"), "{said}");
}

#[test]
fn flipped_bytes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let cascade = copy_folder("merged_tiny_2scm", folder.path());
    let merged = cascade.join("merged.pt");
    let whole = std::fs::read(&merged).unwrap();
    let mut state = 1u64;
    let mut refused = 0;
    for _ in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..40 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = (state >> 20) as usize;
            // Half of them into the structure at the front, where they hurt most.
            let range = if at.is_multiple_of(2) {
                200_000
            } else {
                bytes.len()
            };
            let at = at % range;
            bytes[at] = (state >> 50) as u8;
        }
        std::fs::write(&merged, bytes).unwrap();
        refused += usize::from(open_cascade(&cascade, &Device::Cpu).is_err());
    }
    println!("{refused} of 60 damaged files were refused, none panicked");
    assert!(refused > 30);
}
