//! Whatever a reader and a window do, in whatever order, the log is one.

use super::{Reader, open};
use crate::study::plan::{Plan, Resume};
use crate::study::record::What;
use crate::study::session::{About, Control, Display, Event, Press, Shows};
use crate::study::testing::plan;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use std::sync::Arc;

struct Chance(ChaCha8Rng);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0.next_u32() as usize % n
    }

    fn control(&mut self) -> Control {
        [
            Control::Real,
            Control::Fake,
            Control::Left,
            Control::Right,
            Control::Sure(self.below(7) as u8),
            Control::Next,
            Control::Next,
            Control::Pause,
            Control::NoAnswer,
        ][self.below(9)]
    }

    fn event(&mut self, clip: &str) -> Event {
        let press = [Press::Down, Press::Down, Press::Up, Press::Repeat][self.below(4)];
        match self.below(14) {
            0 => Event::Tick,
            1..=4 => Event::Key(self.control(), press),
            5 | 6 => Event::Click(self.control()),
            7 => Event::Script(self.control()),
            8 => Event::Unfocused,
            9 => Event::Consented,
            10 => Event::About(About::default()),
            11 => Event::Display(Display::default()),
            12 => Event::Loaded(clip.to_owned()),
            _ => Event::Painted {
                late: self.below(2) == 0,
            },
        }
    }
}

fn plans() -> [Plan; 3] {
    let (mut limited, mut anew) = (plan(), plan());
    limited.answer.time_limit_s = Some(4.0);
    limited.session.break_s = 0;
    anew.session.resume = Resume::Block;
    anew.answer.confidence = 0;
    [plan(), limited, anew]
}

#[test]
fn any_order_of_events_leaves_a_log() {
    let (mut complete, mut again) = (0, 0);
    for seed in 0..30 {
        let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
        let [first, second, third] = plans();
        let plan = [first, second, third][seed as usize % 3].clone();
        let mut reader = Reader::new(plan, seed as usize % 2);
        let mut answered = 0;
        for _ in 0..3000 {
            // Time may seem to go back: a key is told after a pass that was later.
            reader.wait(chance.below(4000) as f64 - 100.0);
            let clip = reader
                .session
                .upcoming()
                .next()
                .unwrap_or("none")
                .to_owned();
            let event = chance.event(&clip);
            reader.session.take(event, reader.now).unwrap();
            assert!((answered..=answered + 1).contains(&reader.session.answered()));
            answered = reader.session.answered();
            if chance.below(200) == 0 {
                reader = reader.reopen();
                assert_eq!(reader.session.answered(), answered);
            }
        }
        let read = reader.log();
        assert_eq!(read.problems, [], "{seed}");
        assert_eq!(read.answered(), answered);
        assert_eq!(read.complete, reader.session.is_complete());
        complete += usize::from(read.complete);
        again += read.shown.iter().filter(|shown| **shown > 1).count();
        let shows = read
            .lines
            .iter()
            .filter(|(_, l)| matches!(l.what, What::Show { .. }));
        assert_eq!(shows.count(), read.shown.iter().sum::<usize>());
        if !read.complete {
            let receipt = reader.session.close(reader.now).unwrap();
            let plan = Arc::clone(&reader.plan);
            let session = open(&plan, reader.place, &reader.path, reader.now).unwrap();
            assert_ne!(session.receipt(), receipt);
            assert!(matches!(
                session.screen(0.0).shows,
                Shows::Paused { reopened: true, .. } | Shows::Instruction { .. }
            ));
        }
    }
    // Enough of them came to their end, and were interrupted on the way.
    assert!(complete > 10 && again > 100, "{complete}, {again}");
}
