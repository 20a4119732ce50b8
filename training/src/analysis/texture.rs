//! Measures how much the partials of held notes waver; see [`embouchure_inference::play::texture`].

use super::HarmonicTrack;
use embouchure_inference::play::texture::{N_BANDS, N_SCALES, SCALE_HOPS, Texture};

/// Shortest held note, hops, and hops that are left out at both its ends, because attack and release are no wavering.
const LEAST_HOPS: usize = 100;
const MARGIN_HOPS: usize = 15;
/// A note is held while its pitch stays this near to its first one, octaves.
const HELD: f32 = 0.06;
/// Partials below this share of the strongest (-34 dB) are left out: the noise around them may make them waver.
const AUDIBLE: f32 = 0.02;

/// Sums over the measured notes, by time scale and band.
#[derive(Default)]
pub struct TextureMeasure {
    /// Squared deviations of the natural logarithm of an amplitude.
    squares: [[f64; N_BANDS]; N_SCALES],
    /// Values in each sum.
    counts: [[f64; N_BANDS]; N_SCALES],
}

impl TextureMeasure {
    /// Adds the held notes of a recording: f0, voicing and harmonics per hop.
    pub fn add(&mut self, f0_hz: &[f32], pitched: &[bool], harmonics: &HarmonicTrack) {
        let mut start = 0;
        for t in 0..=f0_hz.len() {
            let goes_on = t < f0_hz.len() && pitched[t] && (f0_hz[t] / f0_hz[start]).log2().abs() < HELD;
            if !goes_on {
                if t - start >= LEAST_HOPS {
                    self.add_note(&f0_hz[start + MARGIN_HOPS..t - MARGIN_HOPS], start + MARGIN_HOPS, harmonics);
                }
                start = t;
            }
        }
    }

    /// Adds the sums of another measurement.
    pub fn merge(&mut self, other: &Self) {
        let pairs = |a: &mut [[f64; N_BANDS]; N_SCALES], b: &[[f64; N_BANDS]; N_SCALES]| {
            a.as_flattened_mut().iter_mut().zip(b.as_flattened()).for_each(|(a, b)| *a += b);
        };
        pairs(&mut self.squares, &other.squares);
        pairs(&mut self.counts, &other.counts);
    }

    fn add_note(&mut self, f0_hz: &[f32], start: usize, harmonics: &HarmonicTrack) {
        let n_harmonics = harmonics.frame(start).len();
        let level = |k: usize| (0..f0_hz.len()).map(|t| harmonics.frame(start + t)[k]).sum::<f32>();
        let levels: Vec<f32> = (0..n_harmonics).map(level).collect();
        let strongest = levels.iter().fold(0.0f32, |m, l| m.max(*l));
        for k in (0..n_harmonics).filter(|k| levels[*k] > AUDIBLE * strongest) {
            let logs: Vec<f32> = (0..f0_hz.len()).map(|t| (harmonics.frame(start + t)[k] + 1e-7).ln()).collect();
            let (mut finer, mut finer_f0) = (logs, f0_hz.iter().map(|f| f.log2()).collect::<Vec<f32>>());
            for (scale, hops) in SCALE_HOPS.iter().enumerate() {
                let (smoother, smoother_f0) = (smoothed(&finer, *hops), smoothed(&finer_f0, *hops));
                let wavering = without(&difference(&finer, &smoother), &difference(&finer_f0, &smoother_f0));
                for (x, f0) in wavering.iter().zip(f0_hz) {
                    let band = (Texture::band((k + 1) as f32 * f0) + 0.5) as usize;
                    self.squares[scale][band] += f64::from(x.powi(2));
                    self.counts[scale][band] += 1.0;
                }
                (finer, finer_f0) = (smoother, smoother_f0);
            }
        }
    }

    /// Standard deviations, `[N_SCALES][N_BANDS]`, nepers. A band without values has that of the nearest band with
    /// some.
    pub fn deviations(&self) -> [[f32; N_BANDS]; N_SCALES] {
        std::array::from_fn(|scale| {
            let measured = |band: &usize| self.counts[scale][*band] > 0.0;
            std::array::from_fn(|band| {
                let nearest = (0..N_BANDS).filter(measured).min_by_key(|other| other.abs_diff(band));
                nearest.map_or(0.0, |b| (self.squares[scale][b] / self.counts[scale][b]).sqrt() as f32)
            })
        })
    }
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// `x` without the part that `cause` explains linearly. Vibrato moves the partials over the slopes of the body; at
/// runtime the body does that itself.
fn without(x: &[f32], cause: &[f32]) -> Vec<f32> {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    let slope = (product(x, cause) / product(cause, cause).max(1e-9)) as f32;
    x.iter().zip(cause).map(|(x, c)| x - slope * c).collect()
}

/// Moving average over `reach` values to each side.
fn smoothed(x: &[f32], reach: usize) -> Vec<f32> {
    let mut sums = vec![0.0f64];
    x.iter().for_each(|x| sums.push(sums[sums.len() - 1] + f64::from(*x)));
    let mean = |t: usize| {
        let (from, to) = (t.saturating_sub(reach), (t + reach + 1).min(x.len()));
        ((sums[to] - sums[from]) / (to - from) as f64) as f32
    };
    (0..x.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_note_has_no_texture_and_a_wavering_one_has() {
        let measure = |depth: f32, period: f32| {
            let track = HarmonicTrack::from_frames(5, 500, |t, out| {
                out.fill((-2.0 + depth * (t as f32 * std::f32::consts::TAU / period).sin()).exp());
            });
            let mut measure = TextureMeasure::default();
            measure.add(&[440.0; 500], &[true; 500], &track);
            measure.deviations().map(|scale| scale[10])
        };
        assert_eq!(measure(0.0, 10.0), [0.0; N_SCALES]);
        let [fast, slow] = measure(0.3, 8.0);
        assert!((fast - 0.21).abs() < 0.05 && slow < 0.1, "{fast} {slow}");
        let [fast, slow] = measure(0.3, 40.0);
        assert!(fast < 0.1 && (slow - 0.2).abs() < 0.07, "{fast} {slow}");
    }

    #[test]
    fn wavering_that_follows_the_vibrato_is_left_out() {
        let vibrato = |t: usize| (t as f32 * std::f32::consts::TAU / 45.0).sin();
        let f0_hz: Vec<f32> = (0..500).map(|t| 440.0 * (0.02 * vibrato(t)).exp2()).collect();
        let track = HarmonicTrack::from_frames(5, 500, |t, out| out.fill((-2.0 + 0.3 * vibrato(t)).exp()));
        let mut measure = TextureMeasure::default();
        measure.add(&f0_hz, &[true; 500], &track);
        assert!(measure.deviations().iter().all(|scale| scale[10] < 0.01), "{:?}", measure.deviations());
    }
}
