//! Numbers that look random and are the same for the same seed: SplitMix64.

#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of the many that a seed has, each unlike all others.
    pub(super) fn nth(seed: u64, n: u64) -> Self {
        let place = Self::new(seed).next() ^ n;
        Self(Self::new(place).next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, which is not 0. Small bounds are all this is for: the bias is.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Whether something happens that does so at this rate, between 0 and 1.
    pub(super) fn happens(&mut self, rate: f64) -> bool {
        // The 53 bits that a float holds, as a fraction below 1.
        ((self.next() >> 11) as f64) < rate * (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_all_that_comes() {
        let of = |seed| {
            let mut random = Random::new(seed);
            std::array::from_fn::<u64, 4, _>(|_| random.next())
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        // The first numbers that the algorithm's authors publish for this seed.
        let known = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!(of(1_234_567)[..2], known);
    }

    #[test]
    fn a_rate_is_kept() {
        let mut random = Random::new(1);
        let hits = (0..10_000).filter(|_| random.happens(0.25)).count();
        assert!((2300..2700).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| random.happens(1.0)));
        assert!((0..1000).all(|_| !random.happens(0.0)));
    }
}
