//! Six synthetic sources, made of sums and products only, so that their samples are the same on every machine.

/// Samples at a rate, Hz.
type Make = fn(f64) -> Vec<f32>;

/// Names and their generators.
pub const SOURCES: [(&str, Make); 6] =
    [("whistle", whistle), ("voice", voice), ("bass", bass), ("soft", soft), ("hum", hum), ("crowd", crowd)];

const SECONDS: f64 = 2.0;

/// Glides and vibrato in a high register, with breath noise.
fn whistle(rate: f64) -> Vec<f32> {
    let mut noise = Noise(1);
    line(
        rate,
        |t| 900.0 + 250.0 * sine(0.7 * t) + 12.0 * sine(5.5 * t),
        |turns, t, _| {
            let level = if t % 0.9 < 0.75 { 0.2 } else { 0.0 };
            level * (sine(turns) + 0.02 * sine(2.0 * turns)) + 0.002 * noise.next()
        },
    )
}

/// Vowels and consonants: harmonics under two formants, and hiss.
fn voice(rate: f64) -> Vec<f32> {
    let mut noise = Noise(2);
    let notes = [196.0, 220.0, 246.94, 293.66];
    line(
        rate,
        |t| notes[(2.0 * t) as usize % 4] * (1.0 + 0.008 * sine(5.0 * t)),
        |turns, t, f0_hz| {
            if t % 0.5 < 0.06 {
                return 0.05 * noise.next();
            }
            let swell = (t % 0.5 - 0.06) * (0.5 - t % 0.5) * 20.0;
            let formant = |hz: f64, at: f64| 1.0 / (1.0 + (hz - at) * (hz - at) / 20_000.0);
            let partial = |k: usize| {
                let hz = f0_hz * k as f64;
                (formant(hz, 650.0) + 0.4 * formant(hz, 1500.0) + 0.02) / k as f64 * sine(turns * k as f64)
            };
            0.4 * swell.min(1.0) * (1..=20).map(partial).sum::<f64>() + 0.001 * noise.next()
        },
    )
}

/// Low sawtooth notes without rests.
fn bass(rate: f64) -> Vec<f32> {
    let notes = [65.4, 98.0, 73.4, 55.0, 82.4];
    line(
        rate,
        |t| notes[(2.5 * t) as usize % 5],
        |turns, t, _| {
            let attack = ((t % 0.4) * 30.0).min(1.0);
            0.3 * attack * (1..=24).map(|k| sine(turns * k as f64) / k as f64).sum::<f64>()
        },
    )
}

/// A distant microphone: soft notes in ambient noise.
fn soft(rate: f64) -> Vec<f32> {
    let mut noise = Noise(4);
    line(
        rate,
        |t| if t % 1.0 < 0.5 { 440.0 } else { 523.25 },
        |turns, t, _| {
            let level = if t > 0.3 && t % 0.5 < 0.4 { 0.004 } else { 0.0 };
            level * (sine(turns) + 0.3 * sine(2.0 * turns) + 0.2 * sine(3.0 * turns)) + 0.0002 * noise.next()
        },
    )
}

/// Mains hum, then a note over it, then hum alone.
fn hum(rate: f64) -> Vec<f32> {
    line(
        rate,
        |_| 330.0,
        |turns, t, _| {
            let mains = (1..=8).map(|k| sine(50.0 * k as f64 * t) / (k * k) as f64).sum::<f64>();
            let note = if (0.6..1.5).contains(&t) { sine(turns) + 0.5 * sine(2.0 * turns) } else { 0.0 };
            0.003 * mains + 0.15 * note
        },
    )
}

/// Sound that is no melody: clicks, full scale, two notes at once, and zeros.
fn crowd(rate: f64) -> Vec<f32> {
    let mut noise = Noise(6);
    line(
        rate,
        |_| 300.0,
        |turns, t, _| match (4.0 * t) as usize {
            0 => 0.0,
            1 | 2 => 0.2 * (sine(turns) + sine(1.26 * turns)) + 0.1 * sine(2.0 * turns),
            3 => 1.6 * sine(turns),
            4 => {
                if t % 0.05 < 0.002 {
                    noise.next()
                } else {
                    0.0
                }
            }
            5 => 0.2 * noise.next(),
            _ => 0.25 * sine(turns),
        },
    )
}

/// Samples of a source. `hz`: pitch at a time, s. `sample`: from the phase in turns, the time and the pitch.
fn line(rate: f64, hz: impl Fn(f64) -> f64, mut sample: impl FnMut(f64, f64, f64) -> f64) -> Vec<f32> {
    let mut turns = 0.0;
    let next = |i: usize| {
        let t = i as f64 / rate;
        let f0_hz = hz(t);
        turns += f0_hz / rate;
        sample(turns, t, f0_hz).clamp(-1.0, 1.0) as f32
    };
    (0..(SECONDS * rate) as usize).map(next).collect()
}

/// Sine of `turns` by its Taylor series, with an error below 1e-6.
fn sine(turns: f64) -> f64 {
    let x = turns - turns.floor() - 0.5;
    let folded = if x > 0.25 {
        0.5 - x
    } else if x < -0.25 {
        -0.5 - x
    } else {
        x
    };
    let y = -folded * std::f64::consts::TAU;
    let z = y * y;
    y * (1.0 + z * (-1.0 / 6.0 + z * (1.0 / 120.0 + z * (-1.0 / 5040.0 + z * (1.0 / 362_880.0)))))
}

/// White noise from -1 to 1 (a linear congruential generator).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 30) as f64 - 1.0
    }
}
