//! RLE Lossless (PS3.5 Annex G). dicom-rs's own decoder panics on damaged data and takes no
//! 32-bit samples.

/// Segments of a frame at most.
const MOST_SEGMENTS: usize = 15;

/// Planes of `area` samples of `width` bytes, little endian; `None` for what is damaged.
pub fn decode(data: &[u8], area: usize, samples: usize, width: usize) -> Option<Vec<u8>> {
    let header = data.first_chunk::<64>()?;
    let number = |i: usize| {
        let at = header.get(4 * i..4 * i + 4)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*at) as usize)
    };
    let segments = number(0)?;
    if segments != samples * width || segments > MOST_SEGMENTS {
        return None;
    }
    let mut planes = vec![0; area * samples * width];
    for segment in 0..segments {
        let (start, end) = (number(segment + 1)?, number(segment + 2));
        let end = end.filter(|_| segment + 1 < segments);
        let coded = data.get(start..end.unwrap_or(data.len()))?;
        // The most significant byte comes first.
        let (sample, byte) = (segment / width, width - 1 - segment % width);
        let plane = &mut planes[sample * area * width..][..area * width];
        unpack(coded, plane.iter_mut().skip(byte).step_by(width))?;
    }
    Some(planes)
}

/// PackBits; `None` when the data end before the plane is full.
fn unpack<'a>(
    mut coded: &[u8],
    mut plane: impl ExactSizeIterator<Item = &'a mut u8>,
) -> Option<()> {
    while plane.len() > 0 {
        let (&control, rest) = coded.split_first()?;
        coded = rest;
        match control {
            0..128 => {
                let n = usize::from(control) + 1;
                let (literal, rest) = coded.split_at_checked(n)?;
                coded = rest;
                // The literal first: it ends before the plane gives up a byte for nothing.
                for (&from, to) in literal.iter().zip(plane.by_ref()) {
                    *to = from;
                }
            }
            128 => {}
            129.. => {
                let (&value, rest) = coded.split_first()?;
                coded = rest;
                let n = 257 - usize::from(control);
                for to in plane.by_ref().take(n) {
                    *to = value;
                }
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn runs_literals_and_the_order_of_bytes() {
        // Two segments: the high bytes 1 1 1 2 2, the low bytes 5 6 7 8 8.
        let mut data = vec![0; 64];
        data[0] = 2;
        data[4] = 64;
        data[8] = 68;
        data.extend([254, 1, 255, 2]);
        data.extend([1, 5, 6, 0, 7, 255, 8]);
        assert_eq!(
            decode(&data, 5, 1, 2).unwrap(),
            [5, 1, 6, 1, 7, 1, 8, 2, 8, 2]
        );
        assert!(decode(&data[..70], 5, 1, 2).is_none());
        assert!(decode(&data, 4, 3, 1).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), area in 0usize..400) {
            if let Some(first) = bytes.get_mut(..4) {
                first.copy_from_slice(&[3, 0, 0, 0]);
            }
            let _ = decode(&bytes, area, 3, 1);
        }
    }
}
