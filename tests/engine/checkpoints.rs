//! Checkpoints of every kind, whole and broken.

use crate::common::{Names, Pickler, fixtures, write_legacy, write_zip};
use candle_core::Device;
use echoif::checkpoint::{self, Precision, import, open_cascade, open_regressor};
use echoif::engine::{CascadeSource, Models, OpenDevice};
use echoif::models::r2plus1d::{R2Plus1d, R2Plus1dConfig};
use echoif::nn::Params;
use std::path::{Path, PathBuf};

/// Names and shapes of a regressor's tensors.
fn regressor_tensors(config: &R2Plus1dConfig) -> Vec<(String, Vec<usize>)> {
    let names = Names::default();
    let _ = Params::load(&names, &Device::Cpu, |p| R2Plus1d::new(config, p));
    names.0.into_inner()
}

/// A `state_dict` under `prefix`, and its storages; every value .01 (variances must be positive).
fn state_dict(
    tensors: &[(String, Vec<usize>)],
    prefix: &str,
    legacy: bool,
) -> (Vec<u8>, Vec<(String, Vec<f32>)>) {
    let mut p = Pickler::new();
    p.dict(|p| {
        p.text("state_dict");
        p.dict(|p| {
            for (i, (name, shape)) in tensors.iter().enumerate() {
                p.text(&format!("{prefix}{name}"));
                p.tensor(&i.to_string(), shape, legacy);
            }
        });
    });
    let storages = tensors
        .iter()
        .enumerate()
        .map(|(i, (_, shape))| (i.to_string(), vec![0.01; shape.iter().product()]))
        .collect();
    (p.finish(), storages)
}

pub fn copy_folder(name: &str, to: &Path) -> PathBuf {
    let folder = to.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["config.yaml", "merged.pt"] {
        std::fs::copy(fixtures().join(name).join(file), folder.join(file)).unwrap();
    }
    folder
}

pub fn refusal<T>(outcome: Result<T, checkpoint::Error>) -> String {
    match outcome {
        Ok(_) => panic!("it opened"),
        Err(e) => e.to_string(),
    }
}

#[test]
fn published_folders_open_as_they_are() {
    for (name, stages) in [
        ("merged_tiny_1scm", 1),
        ("merged_tiny_2scm", 2),
        ("merged_tiny_4scm", 4),
    ] {
        let loaded = open_cascade(&fixtures().join(name), &Device::Cpu).unwrap();
        assert_eq!(loaded.cascade.stages.len(), stages);
        assert_eq!(loaded.warnings, Vec::<String>::new(), "{name}");
        assert_eq!(loaded.identity.sha256.len(), 64);
    }
}

#[test]
fn an_imported_cascade_is_the_same_and_a_changed_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("native");
    let said = import(&fixtures().join("merged_tiny_2scm"), &out, Precision::F32).unwrap();
    assert!(
        said.iter()
            .any(|l| l.starts_with("unet2.safetensors  sha256 ")),
        "{said:?}"
    );
    let native = open_cascade(&out, &Device::Cpu).unwrap();
    let published = open_cascade(&fixtures().join("merged_tiny_2scm"), &Device::Cpu).unwrap();
    assert_eq!(native.cascade.config, published.cascade.config);
    // On screen a cascade without a card is called as its folder is; no name of another comes along.
    assert_eq!(native.identity.name, "native");
    // Nothing of its author's folders comes along.
    let text = std::fs::read_to_string(out.join("config.yaml")).unwrap();
    assert!(!text.contains("data_path") && !text.contains("outputs"));

    let half = folder.path().join("half");
    import(&fixtures().join("merged_tiny_2scm"), &half, Precision::F16).unwrap();
    open_cascade(&half, &Device::Cpu).unwrap();
    let size = |p: &Path| {
        std::fs::metadata(p.join("unet1.safetensors"))
            .unwrap()
            .len()
    };
    assert!(size(&half) < size(&out) * 6 / 10);

    let file = out.join("unet1.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert!(refusal(open_cascade(&out, &Device::Cpu)).contains("changed"));
}

/// NaN would go through every layer, and an infinity becomes one.
#[test]
fn weights_that_are_no_numbers_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let config = R2Plus1dConfig::r2plus1d_18();
    let tensors = regressor_tensors(&config);
    let (pickle, sound) = state_dict(&tensors, "model.model.", false);
    let weight = |name: &str| tensors.iter().position(|(n, _)| n == name).unwrap();
    let (first, last) = (weight("stem.0.weight"), weight("fc.bias"));
    for bad in [f32::NAN, f32::NEG_INFINITY] {
        let mut storages = sound.clone();
        storages[first].1[3] = bad;
        storages[last].1[0] = bad;
        let path = folder.path().join("bad.ckpt");
        write_zip(&path, &pickle, storages.into_iter());
        let said = refusal(open_regressor(&path, &Device::Cpu, None));
        let found = format!("model.model.stem.0.weight: {bad} at position 3 is no number");
        assert!(said.contains(&found), "{said}");
        assert!(said.contains("model.model.fc.bias: "), "{said}");
        assert!(said.starts_with("2 of the tensors"), "{said}");
        let out = folder.path().join("native");
        assert!(refusal(import(&path, &out, Precision::F32)).contains("no number"));
    }
    // What f16 cannot hold is not written as an infinity.
    let mut storages = sound;
    storages[last].1[0] = 1e6;
    let path = folder.path().join("large.ckpt");
    write_zip(&path, &pickle, storages.into_iter());
    let said = refusal(import(&path, &folder.path().join("half"), Precision::F16));
    assert!(said.contains("fc.bias") && said.contains("f32"), "{said}");
    import(&path, &folder.path().join("whole"), Precision::F32).unwrap();
}

/// A folder's name may be a patient's.
#[test]
fn files_that_leave_name_weights_by_card_or_hash() {
    let folder = tempfile::tempdir().unwrap();
    let cascade = copy_folder("merged_tiny_2scm", folder.path());
    let named = folder.path().join("Mueller Hans");
    std::fs::rename(&cascade, &named).unwrap();
    let models = || {
        let source = CascadeSource::Folder(named.clone());
        Models::open(OpenDevice::cpu(None), source, None).unwrap()
    };
    let identity = models().cascade.identity;
    assert_eq!(identity.name, "Mueller Hans");
    assert_eq!(
        identity.in_files(),
        format!("sha256 {}", &identity.sha256[..12])
    );
    let card = "{name: Twin stages, training_ef_range_percent: [10, 85]}";
    std::fs::write(named.join("card.yaml"), card).unwrap();
    assert_eq!(models().cascade.identity.in_files(), "Twin stages");
    let own = checkpoint::builtin_cascade(&Device::Cpu).unwrap().identity;
    assert_eq!(own.in_files(), checkpoint::card().name);
}

#[test]
fn every_missing_or_misshapen_tensor_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let cascade = copy_folder("merged_tiny_1scm", folder.path());
    let config = cascade.join("config.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    // One more residual block a level, and another width of attention, than the weights have.
    let text = text.replace("attn_dim_head: 16", "attn_dim_head: 24");
    std::fs::write(
        &config,
        text.replace("num_resnet_blocks: 2", "num_resnet_blocks: 3"),
    )
    .unwrap();
    let said = refusal(open_cascade(&cascade, &Device::Cpu));
    assert!(said.contains("merged.pt"));
    assert!(
        said.contains("ema.0.ema_model.downs.0.2.2.block1.groupnorm.weight: missing, expected [8]"),
        "{said}"
    );
    assert!(
        said.contains(
            "ema_model.init_temporal_attn.fn.fn.to_q.weight: expected [48, 8], found [32, 8]"
        ),
        "{said}"
    );
    let out = folder.path().join("out");
    assert!(refusal(import(&cascade, &out, Precision::F32)).contains("missing"));
    assert!(!out.join("manifest.json").exists());
}

#[test]
fn the_problems_of_every_stage_are_in_one_error() {
    let folder = tempfile::tempdir().unwrap();
    let cascade = copy_folder("merged_tiny_2scm", folder.path());
    let config = cascade.join("config.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("attn_heads: 2", "attn_heads: 3")).unwrap();
    let said = refusal(open_cascade(&cascade, &Device::Cpu));
    assert!(said.contains("ema.0.ema_model.mid_temporal_attn"), "{said}");
    assert!(said.contains("ema.1.ema_model.mid_temporal_attn"), "{said}");
}

#[test]
fn extra_tensors_are_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let cascade = copy_folder("merged_tiny_1scm", folder.path());
    let config = cascade.join("config.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        text.replace("num_resnet_blocks: 2", "num_resnet_blocks: 1"),
    )
    .unwrap();
    let loaded = open_cascade(&cascade, &Device::Cpu).unwrap();
    assert_eq!(loaded.warnings.len(), 1);
    assert!(
        loaded.warnings[0].contains("not used"),
        "{:?}",
        loaded.warnings
    );
}

#[test]
fn a_lightning_checkpoint_opens_with_and_without_its_description() {
    let folder = tempfile::tempdir().unwrap();
    let small = R2Plus1dConfig {
        widths: vec![4, 8],
        blocks: vec![1, 2],
        stem_mid: 3,
        channels: 1,
    };
    let (pickle, storages) = state_dict(&regressor_tensors(&small), "model.model.", false);
    let path = folder.path().join("mine.ckpt");
    write_zip(&path, &pickle, storages.into_iter());
    // Without a description it is taken for the 18-layer network, whose tensors it lacks.
    let said = refusal(open_regressor(&path, &Device::Cpu, None));
    assert!(
        said.contains(
            "state_dict.model.model.stem.0.weight: expected [45, 3, 1, 7, 7], found [3, 1, 1, 7, 7]"
        ),
        "{said}"
    );
    let yaml = "{network: r2plus1d, widths: [4, 8], blocks: [1, 2], stem_mid: 3, channels: 1, frames: 8, fps: 8, image_size: 32}";
    std::fs::write(path.with_extension("yaml"), yaml).unwrap();
    let regressor = open_regressor(&path, &Device::Cpu, None).unwrap();
    assert_eq!((regressor.spec.frames, regressor.spec.size), (8, 32));
    assert_eq!(regressor.identity.name, "mine");

    let out = folder.path().join("native");
    import(&path, &out, Precision::F32).unwrap();
    let native = open_regressor(&out, &Device::Cpu, None).unwrap();
    assert_eq!(native.spec, regressor.spec);

    let full = regressor_tensors(&R2Plus1dConfig::r2plus1d_18());
    let parameters: usize = full
        .iter()
        .filter(|(n, _)| !n.contains("running"))
        .map(|(_, s)| s.iter().product::<usize>())
        .sum();
    assert_eq!(parameters, 31_300_638);
    let (pickle, storages) = state_dict(&full, "model.model.", false);
    let path = folder.path().join("published.ckpt");
    write_zip(&path, &pickle, storages.into_iter());
    let regressor = open_regressor(&path, &Device::Cpu, None).unwrap();
    assert_eq!((regressor.spec.frames, regressor.spec.fps), (64, 32.0));
    assert_eq!(regressor.warnings, Vec::<String>::new());
}

#[test]
fn echonets_regressor_opens_in_the_old_form_and_says_what_is_unverified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r2plus1d_18_32_2_pretrained.pt");
    let tensors = regressor_tensors(&R2Plus1dConfig::r2plus1d_18());
    let (pickle, storages) = state_dict(&tensors, "module.", true);
    write_legacy(&path, &pickle, &storages);
    let regressor = open_regressor(&path, &Device::Cpu, None).unwrap();
    assert_eq!(regressor.identity.name, "EchoNet-Dynamic R(2+1)D");
    assert!(regressor.warnings[0].contains("unverified"));
    let given = checkpoint::Normalisation {
        mean: [30.0; 3],
        std: [40.0; 3],
        verified: true,
    };
    let regressor = open_regressor(&path, &Device::Cpu, Some(given)).unwrap();
    assert_eq!(regressor.spec.normalisation, Some(given));
    assert_eq!(regressor.warnings, Vec::<String>::new());

    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    assert!(refusal(open_regressor(&path, &Device::Cpu, None)).contains("cut off"));
}

#[test]
fn a_regressor_opens_under_whatever_names_it_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let small = R2Plus1dConfig {
        widths: vec![4, 8],
        blocks: vec![1, 2],
        stem_mid: 3,
        channels: 1,
    };
    let tensors = regressor_tensors(&small);
    let prefixes = [
        "",
        "module.",
        "_orig_mod.",
        "_orig_mod.module.",
        "model.",
        "model._orig_mod.model.",
        "net.backbone.",
    ];
    let places: [&[&str]; 6] = [
        &[],
        &["state_dict"],
        &["model_state_dict"],
        &["model"],
        &["checkpoint", "state_dict"],
        &["anything"],
    ];
    for prefix in prefixes {
        for keys in places {
            fn put(p: &mut Pickler, keys: &[&str], tensors: &[(String, Vec<usize>)], prefix: &str) {
                p.dict(|p| match keys {
                    [] => {
                        for (i, (name, shape)) in tensors.iter().enumerate() {
                            p.text(&format!("{prefix}{name}"));
                            p.tensor(&i.to_string(), shape, false);
                        }
                    }
                    [first, rest @ ..] => {
                        p.text("epoch");
                        p.int(3);
                        p.text(first);
                        put(p, rest, tensors, prefix);
                    }
                });
            }
            let mut pickler = Pickler::new();
            put(&mut pickler, keys, &tensors, prefix);
            let storages = tensors.iter().enumerate();
            let storages =
                storages.map(|(i, (_, s))| (i.to_string(), vec![0.01; s.iter().product()]));
            let path = folder.path().join("mine.pt");
            write_zip(&path, &pickler.finish(), storages);
            let regressor = open_regressor(&path, &Device::Cpu, None)
                .unwrap_or_else(|e| panic!("{keys:?} {prefix}: {e}"));
            assert_eq!(regressor.spec.net, small);
            assert_eq!((regressor.spec.frames, regressor.spec.size), (16, 56));
            assert_eq!(regressor.warnings, Vec::<String>::new());
        }
    }
    let mut pickler = Pickler::new();
    pickler.dict(|p| {
        p.text("conv.weight");
        p.tensor("0", &[2], false);
    });
    let path = folder.path().join("else.pt");
    let storages = [("0".to_owned(), vec![0.01; 2])];
    write_zip(&path, &pickler.finish(), storages.into_iter());
    let why = refusal(open_regressor(&path, &Device::Cpu, None));
    assert!(why.contains("holds no EF regressor"), "{why}");
}
