//! Whether something lasts, of which single looks are in doubt.

/// Weighs what speaks for it against what does not. Realtime-safe.
#[derive(Clone, Copy, Debug)]
pub struct Lasting {
    needed_s: f32,
    most_s: f32,
    /// How long it was seen, less how long it was not.
    evidence_s: f32,
    lasts: bool,
}

impl Lasting {
    /// It must be seen for `needed_s` more than not. More than `most_s` of it do not count.
    pub const fn new(needed_s: f32, most_s: f32) -> Self {
        Self { needed_s, most_s, evidence_s: 0.0, lasts: false }
    }

    /// Takes in how long it was seen (above 0) or not seen (below 0), s. True from when it was seen for long enough until
    /// nothing speaks for it any more.
    pub fn look(&mut self, seen_s: f32) -> bool {
        self.evidence_s = (self.evidence_s + seen_s).clamp(0.0, self.most_s);
        self.lasts = self.evidence_s >= self.needed_s || self.lasts && self.evidence_s > 0.0;
        self.lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_late_and_goes_when_nothing_speaks_for_it() {
        let mut lasting = Lasting::new(0.3, 0.5);
        let looks: Vec<bool> = [0.1, 0.1, 0.2, 10.0, -0.4, -0.2, 0.2].map(|seen_s| lasting.look(seen_s)).to_vec();
        assert_eq!(looks, [false, false, true, true, true, false, false]);
    }
}
