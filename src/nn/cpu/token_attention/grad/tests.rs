use super::*;
use crate::nn::attention::attend_composed;
use crate::nn::testing::{largest_difference, random, same_slopes};
use candle_core::Var;

#[test]
fn results_and_gradients_are_those_of_candles_operations() {
    for [b, heads, kv_heads, m, d, n] in [
        [2, 3, 3, 5, 4, 300],
        [1, 2, 1, 64, 8, 35],
        [2, 1, 1, 1, 3, 1],
    ] {
        let shapes = [
            vec![b, heads * d, n],
            vec![b, kv_heads, m, d],
            vec![b, kv_heads, m, d],
        ];
        let vars = [0, 1, 2].map(|i| {
            let values = random(&shapes[i], i as u32 + 1);
            Var::from_tensor(&values).unwrap()
        });
        let [q, k, v] = vars.each_ref().map(Var::as_tensor);
        let interrupt = Interrupt::new();
        let other = attend_composed(q, k, v, heads, &interrupt).unwrap();
        let ours = q.apply_op3(k, v, Attend { heads, interrupt }).unwrap();
        assert!(largest_difference(&ours, &other) < 2e-6);
        same_slopes(&vars.each_ref(), &ours, &other, 2e-6);
    }
}

#[test]
fn operands_that_do_not_fit_are_refused() {
    let tried = |q: &[usize], k: &[usize]| {
        let op = Attend {
            heads: 2,
            interrupt: Interrupt::new(),
        };
        let (q, k) = (random(q, 1), random(k, 2));
        q.apply_op3_no_bwd(&k, &k, &op).is_ok()
    };
    assert!(tried(&[1, 6, 9], &[1, 2, 4, 3]) && tried(&[1, 6, 9], &[1, 1, 4, 3]));
    for k in [[1, 3, 4, 3], [2, 2, 4, 3], [1, 2, 4, 2], [1, 2, 65, 3]] {
        assert!(!tried(&[1, 6, 9], &k), "{k:?}");
    }
}
