use super::*;
use crate::nn::testing::random;

/// Parts are whatever they are, however many threads take them.
#[test]
fn the_sums_do_not_depend_on_the_threads() {
    let op = Learned {
        heads: 2,
        d: 3,
        eps: 1e-5,
        interrupt: Interrupt::new(),
    };
    let (x, dy) = (random(&[2, 5, 4, 150], 1), random(&[2, 5, 4, 150], 2));
    let size = op.sizes(5).iter().sum::<usize>() + 2 * 4 * 5;
    let all = random(&[size], 3);
    let with = |threads: usize| -> Vec<f32> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let made = pool
            .build()
            .unwrap()
            .install(|| x.apply_op3_no_bwd(&dy, &all, &Slopes(op.clone())));
        made.unwrap().to_vec1().unwrap()
    };
    let one = with(1);
    assert_eq!(one.len(), x.elem_count() + size);
    assert!(one == with(2) && one == with(5));
}

#[test]
fn weights_of_another_layer_are_refused() {
    let op = Learned {
        heads: 2,
        d: 3,
        eps: 1e-5,
        interrupt: Interrupt::new(),
    };
    let (x, bias) = (random(&[1, 5, 4, 7], 1), random(&[2, 4, 5], 2));
    let size = op.sizes(5).iter().sum::<usize>();
    for (n, good) in [(size, true), (size - 1, false), (0, false)] {
        let made = x.apply_op3_no_bwd(&bias, &random(&[n], 3), &op);
        assert_eq!(made.is_ok(), good, "{n}");
    }
}
