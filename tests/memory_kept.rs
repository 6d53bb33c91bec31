//! Between evaluations memory stays with the program, and is given back when asked. A process of its
//! own, because it counts the system's pages.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may stop a test

mod common;

use candle_core::{Result, Tensor};
use echoif::checkpoint::open_cascade;
use echoif::edm::{Plan, Seed, Seeded};
use echoif::engine::{DeviceChoice, OpenDevice};
use echoif::nn::Interrupt;

/// How often the system had to map a page, until now.
fn pages_mapped() -> i64 {
    // SAFETY: plain numbers, for which zeros are a value, and which the call fills in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &raw mut usage), 0);
        usage
    };
    usage.ru_minflt
}

#[test]
fn an_evaluation_asks_the_system_for_no_memory() {
    let device = OpenDevice::open(DeviceChoice::Cpu, None).unwrap();
    let loaded = open_cascade(&common::pixel_cascade(), device.backend()).unwrap();
    let anatomy = Tensor::full(0.5f32, (1, 1, 112, 112), &device.device).unwrap();
    let plan = Plan {
        config: &loaded.cascade.config,
        ef_percent: &[30.0],
        anatomy: &anatomy,
        noise: &Seeded(Seed(1)),
        interrupt: &Interrupt::new(),
        memory: device.pass_memory(),
        openings: None,
        carry: None,
        sharpen: false,
    };
    let mut pages = [0i64; 2];
    for (stage, pages) in pages.iter_mut().enumerate() {
        loaded
            .cascade
            .with_evaluation(&plan, stage, |evaluate: &dyn Fn() -> Result<Tensor>| {
                for _ in 0..3 {
                    evaluate()?;
                }
                let before = pages_mapped();
                for _ in 0..5 {
                    evaluate()?;
                }
                *pages = (pages_mapped() - before) / 5;
                Ok(())
            })
            .unwrap();
    }
    // What an evaluation leaves to be given back hangs on where it lies. Here it is known: free blocks below one
    // that is in use.
    let block = || std::hint::black_box(vec![1u8; 1 << 20]);
    let blocks: Vec<Vec<u8>> = (0..32).map(|_| block()).collect();
    let above = block();
    drop(blocks);
    let (_, kept) = common::memory();
    device.give_back();
    let (_, left) = common::memory();
    let given_back = kept.saturating_sub(left) >> 20;
    println!("pages mapped by an evaluation: {pages:?}; given back: {given_back} MB");
    // By itself the C library had them map 4836 and 15780.
    assert!(pages.iter().all(|&n| n < 400), "{pages:?}");
    assert!(given_back >= 28, "{given_back} MB");
    drop(above);
}
