use super::super::{Heart, Quality, WallMotion};
use super::*;

/// A simulated heart's first frame and the nine points of its outline.
fn still(seed: u64) -> (Vec<u8>, Landmarks) {
    let beat = Heart::from_seed(seed, Quality::Good).beat(0.5, 2);
    let o = &beat.outlines[0];
    let at = |i: usize| o[i].map(f64::from);
    // A quarter, a half and three quarters of the way: points lie as the square of their number.
    let outline = Landmarks::from_points([0, 3, 7, 12, 24, 36, 41, 45, 48].map(at));
    (beat.frame(0).unwrap().to_vec(), outline)
}

fn puppet(seed: u64) -> (Puppet, Vec<u8>) {
    let (still, outline) = still(seed);
    (
        Puppet::new(&still, &outline, Traits::default()).unwrap(),
        still,
    )
}

#[test]
fn the_ejection_fraction_is_that_of_the_outline_as_it_is_carried() {
    let mut worst = 0.0f64;
    for seed in 0..6 {
        let (puppet, _) = puppet(seed);
        for asked in [0.1, 0.3, 0.5, 0.65, 0.8] {
            let found = puppet
                .take(&Take::beat(asked, 16), &Life::default())
                .unwrap();
            worst = worst.max((found.ef - asked).abs());
            assert_eq!(found.es_frame, 6);
            assert!(found.volumes.iter().all(|v| *v <= 1.0 + 1e-6));
        }
    }
    println!("largest error {:.4} points", 100.0 * worst);
    assert!(worst < 0.003, "{worst}");
}

#[test]
fn displacement_and_inverse_agree() {
    let mut worst = 0.0f64;
    for seed in 0..4 {
        let (puppet, _) = puppet(seed);
        let life = Life {
            sway: Sway {
                probe: 1.0,
                breathing: 1.0,
                pose: 0.5,
            },
            seed,
            ..Life::default()
        };
        let take = Take::beat(0.7, 16);
        let (states, es) = puppet.states(&take, &life).unwrap();
        let fields = puppet.displacements(&take, &life, &[0], es).unwrap();
        let field = fields.unwrap().remove(0);
        for (i, step) in field.iter().enumerate() {
            if !puppet.sector()[i] {
                continue;
            }
            let pixel = [(i % SIZE) as f64, (i / SIZE) as f64];
            let there = [0, 1].map(|k| pixel[k] + f64::from(step[k]));
            let again = states[0].seen_of(states[es].still_of(there));
            worst = worst.max((again[0] - pixel[0]).hypot(again[1] - pixel[1]));
        }
        assert!(
            puppet
                .displacements(&take, &life, &[0], 16)
                .unwrap()
                .is_none()
        );
    }
    println!("there and back again: {worst:.1e} pixels");
    assert!(worst < 0.1, "{worst}");
}

#[test]
fn nothing_outside_the_sector_changes_and_something_within_does() {
    let (mut frame, outline) = still(2);
    // A scanner's mark in a corner.
    for y in 3..7 {
        frame[y * SIZE + 3..][..9].fill(230);
    }
    let puppet = Puppet::new(&frame, &outline, Traits::default()).unwrap();
    let life = Life {
        decorrelation: 0.4,
        sway: Sway {
            probe: 2.0,
            breathing: 3.0,
            pose: 1.0,
        },
        leaflets: true,
        seed: 5,
    };
    let take = Take {
        frames: 40,
        ..Take::beat(0.6, 25)
    };
    let found = puppet.take(&take, &life).unwrap();
    let mut within = 0;
    for moving in found.frames.chunks_exact(SIZE * SIZE) {
        for (i, inside) in puppet.sector().iter().enumerate() {
            match inside {
                true => within += u32::from(moving[i] != frame[i]),
                false => assert_eq!(moving[i], frame[i], "{i}"),
            }
        }
    }
    assert!(!puppet.sector()[4 * SIZE + 5] && within > 40 * 1000);
}

#[test]
fn what_is_no_puppet_is_a_sentence() {
    let (frame, outline) = still(1);
    let outside = Landmarks {
        apex: [55.0, -9.0],
        ..outline.clone()
    };
    let error = |p: Result<Puppet, PuppetError>| p.err().map(|e| e.to_string());
    let said = error(Puppet::new(&frame, &outside, Traits::default())).unwrap();
    assert!(said.ends_with('.'), "{said}");
    assert!(error(Puppet::new(&frame[..9], &outline, Traits::default())).is_some());
    let (puppet, _) = (
        Puppet::new(&frame, &outline, Traits::default()).unwrap(),
        (),
    );
    let wild = Take {
        ef: f64::NAN,
        frames: 0,
        frames_per_beat: f64::NAN,
        wall_motion: WallMotion::default(),
    };
    assert_eq!(
        puppet.take(&wild, &Life::default()).unwrap().volumes.len(),
        2
    );
}
