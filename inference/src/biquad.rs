//! Second-order filter sections in double precision, for the filters of the analysis.

/// One section, transposed direct form II. Realtime-safe.
#[derive(Clone, Debug)]
pub(crate) struct Biquad {
    /// Coefficients of the input (`b`) and of the past output (`a`, without the first, which is 1).
    pub b: [f64; 3],
    pub a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    /// A section with an empty state.
    pub fn new(b: [f64; 3], a: [f64; 2]) -> Self {
        Self { b, a, state: [0.0; 2] }
    }

    /// Filters one sample.
    pub fn next(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }

    /// Sets an inaudible tail to zero. Called once per hop.
    pub fn end_tail(&mut self) {
        self.state = self.state.map(quiet_to_zero);
    }
}

/// Ends a decaying tail at -200 dB, before subnormal numbers, which are slow. A pause thus soon becomes exact zeros,
/// for which the encoder need not run.
pub(crate) fn quiet_to_zero(x: f64) -> f64 {
    if x.abs() < 1e-10 { 0.0 } else { x }
}
