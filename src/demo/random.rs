//! Random numbers that are the same on every machine: a `ChaCha` generator with a pinned version, and our own samplers.
//!
//! Samplers use only integers, the four basic operations and `libm`, because platform libraries round differently.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;
use rand_chacha::rand_core::SeedableRng;

use crate::model::RowId;

/// One stream of random numbers. Streams with different names or numbers are independent.
#[derive(Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream for a seed, a name and a number.
    #[must_use]
    pub fn new(seed: u64, name: &str, number: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("throughline demo random stream");
        hasher.update(&seed.to_le_bytes());
        hasher.update(&number.to_le_bytes());
        hasher.update(name.as_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// A number from 0 up to 1 (not included), with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number from 0 up to `count` (not included); 0 if `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.0.next_u64()) * count as u128) >> 64) as usize
    }

    /// A whole number from `least` to `most`, both included.
    pub fn whole(&mut self, least: i32, most: i32) -> i32 {
        least + self.below((most - least).max(0) as usize + 1) as i32
    }

    /// A number from `low` up to `high` (not included).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// `true` with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// An exponentially distributed number with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// A normally distributed number with mean 0 and standard deviation 1. Source: Box and Muller (1958).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// A log-normally distributed number with this median and this standard deviation of its logarithm.
    pub fn log_normal(&mut self, median: f64, deviation: f64) -> f64 {
        median * libm::exp(deviation * self.normal())
    }

    /// A Poisson-distributed number with this mean. Source: Knuth (1969), by products; a mean above 30 is halved until it is
    /// smaller.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        if mean > 30.0 {
            return self.poisson(mean / 2.0) + self.poisson(mean / 2.0);
        }
        let limit = libm::exp(-mean.max(0.0));
        let mut product = self.unit();
        let mut count = 0;
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// One of the choices, all with equal probability.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// One of the choices, with probabilities in proportion to their weights.
    pub fn weighted<'a, T>(&mut self, choices: &'a [(T, f64)]) -> &'a T {
        let total: f64 = choices.iter().map(|(_, weight)| weight).sum();
        let mut left = self.unit() * total;
        for (choice, weight) in choices {
            left -= weight;
            if left < 0.0 {
                return choice;
            }
        }
        &choices[choices.len() - 1].0
    }

    /// Shuffles a slice. Source: Fisher and Yates.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }

    /// A random row id.
    pub fn row_id(&mut self) -> RowId {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        RowId::from_random(bytes)
    }

    /// Sixteen random bytes in hexadecimal.
    pub fn token(&mut self) -> String {
        format!("{:016x}{:016x}", self.0.next_u64(), self.0.next_u64())
    }
}

/// Weights for drawing many times from the same choices.
#[derive(Debug, Clone)]
pub struct Draw {
    sums: Vec<f64>,
}

impl Draw {
    /// For these weights, which must not be negative.
    #[must_use]
    pub fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let sums = weights.into_iter().map(|weight| {
            sum += weight;
            sum
        });
        Self { sums: sums.collect() }
    }

    /// Whether all weights are 0, so that nothing can be drawn.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sums.last().is_none_or(|total| *total <= 0.0)
    }

    /// The index of one choice, with probabilities in proportion to the weights.
    pub fn pick(&self, random: &mut Random) -> usize {
        let total = self.sums.last().copied().unwrap_or(0.0);
        let at = random.unit() * total;
        self.sums.partition_point(|sum| *sum <= at).min(self.sums.len().saturating_sub(1))
    }
}

/// Divides `count` in proportion to the weights. Each part is rounded up or down so that the sum is exact (method of
/// largest remainders; of equal remainders the first).
#[must_use]
pub fn apportion(count: usize, weights: &[f64]) -> Vec<usize> {
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<f64> = weights.iter().map(|weight| weight / total * count as f64).collect();
    let mut parts: Vec<usize> = exact.iter().map(|part| *part as usize).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    let rest = |place: usize| exact[place] - libm::floor(exact[place]);
    order.sort_by(|a, b| rest(*b).total_cmp(&rest(*a)).then(a.cmp(b)));
    let left = count - parts.iter().sum::<usize>();
    for place in order.into_iter().cycle().take(left) {
        parts[place] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_name_and_number_only() {
        // These numbers are pinned: a change of the generator or of a sampler would change every row of the set.
        let mut random = Random::new(1, "test", 0);
        let drawn: Vec<usize> = (0..6).map(|_| random.below(1_000)).collect();
        assert_eq!(drawn, PINNED);
        assert_ne!(Random::new(1, "test", 1).below(1 << 40), Random::new(1, "test", 0).below(1 << 40));
        assert_ne!(Random::new(1, "tesu", 0).below(1 << 40), Random::new(1, "test", 0).below(1 << 40));
    }
    const PINNED: [usize; 6] = [89, 885, 664, 843, 706, 844];

    #[test]
    fn samplers_have_the_right_mean_and_variance() {
        let mut random = Random::new(7, "moments", 0);
        let count = 200_000;
        let mut moments = |draw: &mut dyn FnMut(&mut Random) -> f64| {
            let drawn: Vec<f64> = (0..count).map(|_| draw(&mut random)).collect();
            let mean = drawn.iter().sum::<f64>() / f64::from(count);
            let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(count);
            (mean, variance)
        };
        let near = |(mean, variance): (f64, f64), m: f64, v: f64| {
            assert!((mean - m).abs() < 0.02 * m.max(1.0), "mean {mean}, not {m}");
            assert!((variance - v).abs() < 0.04 * v, "variance {variance}, not {v}");
        };
        near(moments(&mut |r| r.unit()), 0.5, 1.0 / 12.0);
        near(moments(&mut |r| r.exponential(3.0)), 3.0, 9.0);
        near(moments(&mut |r| r.normal()), 0.0, 1.0);
        near(moments(&mut |r| f64::from(r.poisson(2.5))), 2.5, 2.5);
        near(moments(&mut |r| f64::from(r.poisson(70.0))), 70.0, 70.0);
        // exp(mu + s^2 / 2) and (exp(s^2) - 1) exp(2 mu + s^2) with mu = ln 3, s = 0.5.
        near(moments(&mut |r| r.log_normal(3.0, 0.5)), 3.399_445, 3.282_288);
        near(moments(&mut |r| f64::from(r.whole(1, 6))), 3.5, 35.0 / 12.0);
    }

    #[test]
    fn draws_follow_weights_and_parts_add_up() {
        let draw = Draw::new([1.0, 0.0, 3.0]);
        let mut random = Random::new(3, "draw", 0);
        let mut met = [0; 3];
        for _ in 0..40_000 {
            met[draw.pick(&mut random)] += 1;
        }
        assert!(met[1] == 0 && (9_600..10_400).contains(&met[0]), "{met:?}");
        assert!(Draw::new([]).is_empty() && Draw::new([0.0]).is_empty() && !draw.is_empty());
        // 10 x (1/6, 2/6, 3/6) = 1.67, 3.33, 5: the first has the largest remainder.
        assert_eq!(apportion(10, &[1.0, 2.0, 3.0]), [2, 3, 5]);
        assert_eq!(apportion(2, &[1.0, 1.0, 1.0]), [1, 1, 0]);
        assert_eq!(apportion(5, &[0.0]), [0]);
    }
}
