use super::*;
use crate::train::tests::clip;

fn levels(t: &Tensor) -> Vec<u8> {
    let means = t.flatten_from(3).unwrap().mean(3).unwrap();
    let means: Vec<f32> = means.flatten_all().unwrap().to_vec1().unwrap();
    means.iter().map(|v| (v * 255.0).round() as u8).collect()
}

#[test]
fn a_window_is_of_its_clip_at_the_asked_rate() {
    let folder = tempfile::tempdir().unwrap();
    clip(&folder.path().join("a.gif"), &[10, 20, 30, 40, 50, 60]);
    clip(&folder.path().join("b.gif"), &[200; 3]);
    let list = "file,ef_percent\na.gif,35\nb.gif,60.5\n";
    std::fs::write(folder.path().join("list.csv"), list).unwrap();
    let clips = Clips::of_folder(folder.path()).unwrap();
    assert_eq!(clips.check(|| false, || ()), Ok(()));
    assert_eq!((clips.len(), clips.ef_range()), (2, [0.35, 0.605]));
    let mut firsts = std::collections::BTreeSet::new();
    for number in [0, 2, 4, 6, 8, 10, 12, 14] {
        let window = clips.window(1, number, (4, 10.0), 3).unwrap();
        assert_eq!(window.video.dims(), [1, 3, 4, 112, 112]);
        assert_eq!((window.cond.dims().len(), window.ef), (4, 0.35));
        let seen = levels(&window.video);
        assert_eq!(seen[..4], seen[4..8]);
        assert!(
            seen.windows(2).take(3).all(|w| w[1] == w[0] + 10),
            "{seen:?}"
        );
        let cond = levels(&window.cond.unsqueeze(2).unwrap());
        assert!(seen.contains(&cond[0]));
        firsts.insert(seen[0]);
    }
    // The published loader never takes the last of three windows.
    assert_eq!(firsts.into_iter().collect::<Vec<_>>(), [10, 20]);
    // Half the rate; and what is missing at the end is black.
    let half = clips.window(1, 0, (3, 5.0), 1).unwrap();
    assert_eq!(levels(&half.video), [10, 35, 60]);
    let short = clips.window(1, 1, (5, 10.0), 1).unwrap();
    assert_eq!(levels(&short.video), [200, 200, 200, 0, 0]);
    let again = |seed| levels(&clips.window(seed, 6, (4, 10.0), 1).unwrap().video);
    assert_eq!(again(1), again(1));
}

#[test]
fn echonet_dynamics_folder_gives_its_training_split() {
    let folder = tempfile::tempdir().unwrap();
    let videos = folder.path().join("Videos");
    std::fs::create_dir(&videos).unwrap();
    clip(&videos.join("0X1.avi"), &[1, 2]);
    clip(&videos.join("0X2"), &[1, 2]);
    let list = "FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split\n\
                0X1,30,1,2,112,112,50,2,TRAIN\n0X3,50,1,2,112,112,50,2,VAL\n0X2,55,1,2,112,112,50,2,TRAIN\n";
    std::fs::write(folder.path().join("FileList.csv"), list).unwrap();
    let Clips::Recorded(entries) = Clips::of_folder(folder.path()).unwrap() else {
        panic!("simulated");
    };
    let names = entries
        .iter()
        .map(|e| e.path.file_name().unwrap().to_owned());
    assert_eq!(names.collect::<Vec<_>>(), ["0X1.avi", "0X2"]);
    assert_eq!(entries[1].ef, 0.55);
}

#[test]
fn a_list_that_is_wrong_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let why = |list: &str| {
        std::fs::write(folder.path().join("list.csv"), list).unwrap();
        Clips::of_folder(folder.path()).unwrap_err().to_string()
    };
    clip(&folder.path().join("a.gif"), &[1, 2]);
    for (list, said) in [
        ("file,ef_percent\na.gif,135\n", "not from 0 to 100 %"),
        ("file,ef_percent\na.gif,NaN\n", "not from 0 to 100 %"),
        ("file,ef_percent\na.gif,thirty\n", "line 2: the EF `thirty`"),
        ("file,ef_percent\nb.gif,35\n", "is not there"),
        ("file,ef\na.gif,35\n", "the column ef_percent"),
        ("file;ef_percent\na.gif;35\n", "with commas between"),
        (
            "file,ef_percent\na.gif\n",
            "line 2: it has more or fewer columns",
        ),
        ("file,ef_percent\na.gif,0.35\n", "in percent"),
        (
            "file,ef_percent\na.gif,35\na.gif,60\n",
            "line 3: a.gif stands there twice",
        ),
        (
            "file,ef_percent\n../a.gif,35\n",
            "no name of a file in its folder",
        ),
        (
            "file,ef_percent\n/a.gif,35\n",
            "no name of a file in its folder",
        ),
        ("file,ef_percent\n,35\n", "no name of a file in its folder"),
        ("file,ef_percent\n", "no row below its first line"),
        ("", "does not name the column file"),
    ] {
        let why = why(list);
        assert!(why.contains(said), "{list:?}: {why}");
    }
    std::fs::write(folder.path().join("other.csv"), "").unwrap();
    let why = Clips::of_folder(folder.path()).unwrap_err().to_string();
    assert!(why.contains("several"), "{why}");
    let none = tempfile::tempdir().unwrap();
    assert!(Clips::of_folder(none.path()).is_err());
    // A still has no rate.
    let png = none.path().join("a.png");
    image::GrayImage::new(112, 112).save(&png).unwrap();
    std::fs::write(none.path().join("l.csv"), "file,ef_percent\na.png,35\n").unwrap();
    let still = Clips::of_folder(none.path()).unwrap();
    let why = still.window(1, 0, (4, 10.0), 1).err().unwrap().to_string();
    assert!(why.contains("is a still"), "{why}");
    assert!(
        still
            .check(|| false, || ())
            .unwrap_err()
            .to_string()
            .contains("is a still")
    );
    assert_eq!(still.check(|| true, || ()), Err(ClipsError::Stopped));
    // All that is wrong is said at once.
    std::fs::copy(&png, none.path().join("b.png")).unwrap();
    let list = "file,ef_percent\na.png,35\nb.png,40\n";
    std::fs::write(none.path().join("l.csv"), list).unwrap();
    let both = Clips::of_folder(none.path()).unwrap();
    let why = both.check(|| false, || ()).unwrap_err().to_string();
    assert!(
        why.contains("a.png: it is a still") && why.contains("b.png: it is a still"),
        "{why}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]
    #[test]
    fn any_list_is_clips_or_a_sentence(
        published in proptest::bool::ANY,
        rows in "((a|a.gif|b|[^\\n]{0,8}),(35|-1|1e9|[^\\n]{0,6})(,TRAIN)?\n){0,6}",
        at in proptest::prelude::any::<proptest::sample::Index>(),
        byte in proptest::num::u8::ANY,
    ) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("Videos")).unwrap();
        std::fs::write(folder.path().join("Videos/a.avi"), "").unwrap();
        std::fs::write(folder.path().join("a.gif"), "").unwrap();
        let (name, head) = match published {
            true => ("FileList.csv", "FileName,EF,Split\n"),
            false => ("list.csv", "file,ef_percent\n"),
        };
        let mut bytes = (head.to_owned() + &rows).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let list = folder.path().join(name);
        std::fs::write(&list, bytes).unwrap();
        match Clips::of_folder(folder.path()) {
            Ok(clips) => {
                let [low, high] = clips.ef_range();
                proptest::prop_assert!(!clips.is_empty() && low >= 0.0 && high <= 1.0);
            }
            Err(why) => proptest::prop_assert!(why.to_string().ends_with('.'), "{}", why),
        }
        if let Ok(efs) = recorded_efs(&list, "TRAIN") {
            proptest::prop_assert!(efs.iter().all(|ef| (0.0..=100.0).contains(ef)));
        }
    }
}

#[test]
fn simulated_hearts_fill_a_window_at_any_rate() {
    for (frames, fps) in [(16, 8.0), (64, 32.0)] {
        let window = Clips::Drawn(Drawn::default())
            .window(3, 5, (frames, fps), 1)
            .unwrap();
        assert_eq!(window.video.dims(), [1, 1, frames, 112, 112]);
        let seen: Vec<f32> = window.video.flatten_all().unwrap().to_vec1().unwrap();
        let last = &seen[(frames - 1) * 112 * 112..];
        assert!(last.iter().any(|v| *v > 0.2));
        assert!((0.06..=0.84).contains(&window.ef));
    }
}

#[test]
fn puppets_of_stills_are_clips_too() {
    let beat = Heart::from_seed(5, Quality::Good).take(&Take::beat(0.5, 2));
    let at = |i: usize| beat.outlines[0][i].map(f64::from);
    let drawn = Drawn {
        stills: vec![Still {
            levels: beat.frame(0).unwrap().to_vec(),
            outline: crate::puppet::Landmarks::from_points(
                [0, 3, 7, 12, 24, 36, 41, 45, 48].map(at),
            ),
        }],
        puppets: 1.0,
        compounded: 0.0,
    };
    let (clips, others) = (Clips::Drawn(drawn), Clips::Drawn(Drawn::default()));
    assert_ne!(
        clips.sha256(|| false).unwrap(),
        others.sha256(|| false).unwrap()
    );
    for number in 0..4 {
        let window = clips.window(3, number, (6, 16.0), 1).unwrap();
        let seen: Vec<f32> = window.video.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(seen.len(), 6 * SIDE * SIDE);
        // Outside the sector nothing is seen; and the frames are not alike.
        let black = |frame: &[f32]| frame[0] == 0.0 && frame[SIDE - 1] == 0.0;
        assert!(seen.chunks_exact(SIDE * SIDE).all(black));
        assert_ne!(seen[..SIDE * SIDE], seen[2 * SIDE * SIDE..3 * SIDE * SIDE]);
    }
}
