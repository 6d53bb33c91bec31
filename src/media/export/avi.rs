use super::Work;
use image::codecs::jpeg::JpegEncoder;
use std::io::Cursor;

/// What a viewer does not see of 8-bit gray.
const QUALITY: u8 = 97;
const HAS_INDEX: u32 = 0x10;
const KEY_FRAME: u32 = 0x10;

/// AVI with Motion JPEG (Microsoft's AVI RIFF reference), the mark as its comment.
pub fn encode(work: &Work<'_>) -> Result<Vec<u8>, String> {
    let mut coded = Vec::with_capacity(work.frames.len());
    for frame in work.frames {
        let mut bytes = Cursor::new(Vec::new());
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        let picture = frame.to_image();
        picture
            .write_with_encoder(encoder)
            .map_err(|e| e.to_string())?;
        coded.push(bytes.into_inner());
    }
    let (n, w, h) = (coded.len() as u32, work.width as u32, work.height as u32);
    let largest = coded.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let microseconds = (work.rate.frame_ms() * 1000.0).round() as u32;
    // Frames a second as a ratio of whole numbers.
    let (rate, scale) = ((work.rate.fps() * 1000.0).round() as u32, 1000);
    let main = words(&[
        microseconds,
        0,
        0,
        HAS_INDEX,
        n,
        0,
        1,
        largest,
        w,
        h,
        0,
        0,
        0,
        0,
    ]);
    let mut stream = b"vidsMJPG".to_vec();
    stream.extend(words(&[
        0,
        0,
        0,
        scale,
        rate,
        0,
        n,
        largest,
        u32::MAX,
        0,
        0,
    ]));
    stream.extend([0, 0, 0, 0].into_iter().chain(two(w)).chain(two(h)));
    let mut format = words(&[40, w, h]);
    format.extend([1, 0, 24, 0]);
    format.extend(b"MJPG");
    format.extend(words(&[3 * w * h, 0, 0, 0, 0]));

    let mut headers = chunk(b"avih", &main);
    let stream = [chunk(b"strh", &stream), chunk(b"strf", &format)].concat();
    headers.extend(list(b"strl", &stream));
    let mut movie = Vec::new();
    let mut index = Vec::new();
    for jpeg in &coded {
        index.extend(b"00dc");
        // Counted from the list's name.
        index.extend(words(&[
            KEY_FRAME,
            movie.len() as u32 + 4,
            jpeg.len() as u32,
        ]));
        movie.extend(chunk(b"00dc", jpeg));
    }
    let mark = [
        chunk(b"ICMT", work.mark.to_json().as_bytes()),
        chunk(b"ISFT", b"EchoIf\0"),
    ];
    let mut body = b"AVI ".to_vec();
    body.extend(list(b"hdrl", &headers));
    body.extend(list(b"INFO", &mark.concat()));
    body.extend(list(b"movi", &movie));
    body.extend(chunk(b"idx1", &index));
    Ok(chunk(b"RIFF", &body))
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn two(v: u32) -> [u8; 2] {
    (v as u16).to_le_bytes()
}

/// A chunk, padded to an even length.
fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.extend((content.len() as u32).to_le_bytes());
    bytes.extend(content);
    if content.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes
}

fn list(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    chunk(b"LIST", &[name.as_slice(), content].concat())
}
