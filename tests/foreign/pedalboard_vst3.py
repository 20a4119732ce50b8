"""The built VST3 in pedalboard, a host built on JUCE.

    python pedalboard_vst3.py Embouchure.vst3

`cargo xtask test` calls this in an environment that has requirements.txt. pedalboard renders offline and takes the
reported latency out of what it returns, so every expectation below is without delay.
"""

import sys

import numpy as np
from pedalboard import load_plugin

RATES = [44_100, 48_000]
BLOCKS = [64, 511, 4096]


def noise(n_channels, n_samples):
    return (np.random.default_rng(11).uniform(-0.5, 0.5, (n_channels, n_samples))).astype(np.float32)


def phrase(rate):
    """A tone that glides, swells and pauses, the same in both channels."""
    time = np.arange(int(1.5 * rate)) / rate
    f0_hz = 500 * 2 ** (0.7 * time + 0.02 * np.sin(2 * np.pi * 5 * time))
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate
    level = 0.3 * np.abs(np.sin(2 * np.pi * 0.8 * time))
    level[(time >= 0.6) & (time < 0.7)] = 0
    tone = level * (np.sin(phase) + 0.2 * np.sin(2 * phase))
    return np.stack([tone, tone]).astype(np.float32)


class Checks:
    def __init__(self):
        self.n_passed = 0
        self.n_failed = 0

    def that(self, what, is_right, seen=""):
        if is_right:
            self.n_passed += 1
        else:
            self.n_failed += 1
            print(f"FAILED: {what} {seen}")


def load(path, **raw_values):
    """A new instance. `raw_values`: 0 to 1, as the VST3 interface carries them."""
    plugin = load_plugin(path)
    for name, raw_value in raw_values.items():
        plugin.parameters[name].raw_value = raw_value
    # The host hands changes to the processor with the next block. Until then neither the sound nor the state shows
    # them.
    plugin.process(np.zeros((2, 4800), np.float32), 48_000, buffer_size=512)
    return plugin


def check_parameters(path, checks):
    names = set(load_plugin(path).parameters)
    wanted = {"dry_wet", "brightness", "transpose", "octave_fit", "gate", "output", "bypass"}
    checks.that("parameter names", wanted <= names, f"missing {wanted - names} in {names}")


def check_dry(path, checks):
    plugin = load(path, dry_wet=0.0)
    for rate in RATES:
        for block in BLOCKS:
            for n_channels in (1, 2):
                x = noise(n_channels, 30_000)
                y = plugin.process(x, rate, buffer_size=block, reset=True)
                what = f"dry is the input: {n_channels} channels at {rate} Hz, blocks of {block}"
                if y.shape != x.shape:
                    checks.that(what, False, f"{y.shape} is not {x.shape}")
                    continue
                difference = np.abs(y - x).max()
                checks.that(what, difference <= 1e-6, f"differs by {difference}")
            latency = plugin.reported_latency_samples
            checks.that(f"a latency is reported at {rate} Hz, blocks of {block}", latency > 0, latency)


def check_wet(path, checks):
    plugin = load(path, dry_wet=1.0)
    for rate in RATES:
        x = phrase(rate)
        reference = plugin.process(x, rate, buffer_size=4096, reset=True)
        checks.that(f"wet is finite at {rate} Hz", np.isfinite(reference).all())
        checks.that(f"wet is not silent at {rate} Hz", np.abs(reference).max() > 0.01)
        for block in BLOCKS:
            # pedalboard announces the block size as the largest one, so this also compares latencies.
            y = plugin.process(x, rate, buffer_size=block, reset=True)
            difference = np.abs(y - reference).max()
            what = f"wet does not depend on the block: {block} at {rate} Hz"
            checks.that(what, difference <= 1e-5, f"differs by {difference}")


def check_state(path, checks):
    first = load(path, dry_wet=0.25, brightness=0.75, transpose=0.0, octave_fit=0.0)
    state = first.raw_state
    second = load_plugin(path)
    checks.that("the state holds the parameters", second.raw_state != state)
    second.raw_state = state
    checks.that("state round trip", second.raw_state == state)
    for name, parameter in first.parameters.items():
        restored = second.parameters[name].raw_value
        checks.that(f"{name} is restored", abs(restored - parameter.raw_value) < 1e-6, restored)
    try:
        second.raw_state = bytes(np.random.default_rng(3).integers(0, 256, 300, dtype=np.uint8))
    except (RuntimeError, ValueError):
        pass  # Refusing nonsense is right too; a crash ends this process.
    y = second.process(phrase(48_000), 48_000, buffer_size=512)
    checks.that("plays on after a nonsensical state", np.isfinite(y).all())


def main():
    path = sys.argv[1]
    checks = Checks()
    for check in (check_parameters, check_dry, check_wet, check_state):
        check(path, checks)
    print(f"pedalboard: {checks.n_passed} passed; {checks.n_failed} failed")
    return 1 if checks.n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
