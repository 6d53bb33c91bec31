//! GIFs that are whole, with frames of any place, size and way to be taken away: their pictures' bytes are
//! not what the fuzzer has to get right.
#![no_main]

use echoif::media;
use gif::{DisposalMethod, Encoder, Frame};
use libfuzzer_sys::fuzz_target;
use std::borrow::Cow;

fuzz_target!(|data: &[u8]| {
    let Some((&[width, height], frames)) = data.split_first_chunk::<2>() else {
        return;
    };
    let (width, height) = (u16::from(width % 16) + 1, u16::from(height % 16) + 1);
    let mut bytes = Vec::new();
    let palette = [0, 0, 0, 80, 80, 80, 160, 160, 160, 240, 240, 240];
    let mut encoder = Encoder::new(&mut bytes, width, height, &palette).expect("into memory");
    let mut written = 0;
    for &[left, top, w, h, level, how] in frames.as_chunks::<6>().0 {
        let (w, h) = (u16::from(w % 32) + 1, u16::from(h % 32) + 1);
        let frame = Frame {
            left: left.into(),
            top: top.into(),
            width: w,
            height: h,
            delay: u16::from(how >> 4),
            dispose: match how % 4 {
                0 => DisposalMethod::Any,
                1 => DisposalMethod::Keep,
                2 => DisposalMethod::Background,
                _ => DisposalMethod::Previous,
            },
            transparent: (how & 4 != 0).then_some(level / 4 % 4),
            buffer: Cow::Owned(vec![level % 4; usize::from(w) * usize::from(h)]),
            ..Frame::default()
        };
        encoder.write_frame(&frame).expect("into memory");
        written += 1;
    }
    drop(encoder);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("clip.gif");
    std::fs::write(&path, bytes).expect("the folder is writable");
    match media::open(&path) {
        Ok(opened) => {
            assert_eq!(opened.recording.frames(), written);
            for i in 0..written {
                let frame = opened.recording.frame(i).expect("it is kept in memory");
                let size = (usize::from(width), usize::from(height));
                assert_eq!((frame.width, frame.height), size);
            }
        }
        Err(why) => assert!(written == 0, "{why}"),
    }
});
