//! Decides from uncertain single observations whether a condition lasts.

/// Sums the time for which a condition is observed, less the time for which it is not. Realtime-safe.
#[derive(Clone, Copy, Debug)]
pub struct Persistence {
    needed_s: f32,
    max_s: f32,
    /// Time with the condition less time without it, 0 to `max_s`.
    evidence_s: f32,
    is_present: bool,
}

impl Persistence {
    /// `needed_s`: evidence from which the condition holds. `max_s`: most evidence that is kept.
    pub const fn new(needed_s: f32, max_s: f32) -> Self {
        Self { needed_s, max_s, evidence_s: 0.0, is_present: false }
    }

    /// Adds `change_s` of evidence, s: above 0 for time with the condition, below 0 for time without it. True from when
    /// there is enough evidence until there is none.
    pub fn update(&mut self, change_s: f32) -> bool {
        self.evidence_s = (self.evidence_s + change_s).clamp(0.0, self.max_s);
        self.is_present = self.evidence_s >= self.needed_s || self.is_present && self.evidence_s > 0.0;
        self.is_present
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_enough_evidence_and_ends_without_any() {
        let mut persistence = Persistence::new(0.3, 0.5);
        let results = [0.1, 0.1, 0.2, 10.0, -0.4, -0.2, 0.2].map(|change_s| persistence.update(change_s));
        assert_eq!(results, [false, false, true, true, true, false, false]);
    }
}
