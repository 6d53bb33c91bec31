//! What lies beside an exported cine, and an outline: JSON that somebody may have written by hand.
#![no_main]

use echoif::media::export::Sidecar;
use echoif::puppet::Landmarks;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(sidecar) = Sidecar::parse(data) {
        let _ = sidecar.anatomy();
    }
    if let Ok(outline) = serde_json::from_slice::<Landmarks>(data) {
        let points = outline.points();
        assert!(points.iter().flatten().all(|v| v.is_finite()));
        assert_eq!(Landmarks::from_points(points).points(), points);
    }
});
