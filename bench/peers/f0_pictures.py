"""Spectrogram and f0 tracks: FOLDER/NAME.wav and FOLDER/TRACKER/NAME.csv to OUT/f0_NAME.png."""

import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import soundfile
from PIL import Image

WINDOW = 1024
TRACKERS = [("DDSP-VST", "#ffd24a", 3.2), ("SwiftF0", "#ff5ea8", 2.2), ("Embouchure", "#39f0dc", 1.1)]
TITLES = {"whistle": "A whistle", "voice": "A low male voice", "violin": "A violin"}


def octaves_around(tracks):
    """A frequency range of whole and half octaves that covers most voiced frames."""
    voiced = np.concatenate([f0[v] for _, f0, v in tracks])
    low, high = np.percentile(voiced, [1, 99])
    return low / 2**0.75, high * 2**1.5


def read(path):
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    return table[:, 0], table[:, 1], table[:, 2] > 0.5


def draw(wav, folder, out):
    samples, rate = soundfile.read(wav)
    tracks = [read(folder / name / f"{wav.stem}.csv") for name, _, _ in TRACKERS]
    figure, axes = plt.subplots(figsize=(10, 4.2), dpi=90, layout="constrained")
    axes.specgram(samples, NFFT=WINDOW, Fs=rate, noverlap=WINDOW * 7 // 8, pad_to=4 * WINDOW, cmap="gray", vmin=-100, vmax=-25)
    axes.set_facecolor("black")
    for (name, colour, width), (time_s, f0_hz, voiced) in zip(TRACKERS, tracks):
        # Leave gaps where the sound is unvoiced or f0 jumps, so that no line is drawn where nothing was heard.
        leaps = np.abs(np.diff(np.log2(np.maximum(f0_hz, 1)), prepend=np.log2(max(f0_hz[0], 1)))) > 0.3
        axes.plot(time_s, np.where(voiced & ~leaps, f0_hz, np.nan), color=colour, linewidth=width, label=name)
        alone = voiced & leaps
        axes.plot(time_s[alone], f0_hz[alone], ".", color=colour, markersize=2 * width)
    axes.set_xlim(0, len(samples) / rate)
    axes.set_yscale("log")
    axes.set_ylim(*octaves_around(tracks))
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.set(xlabel="time in seconds", ylabel="Hz", title=TITLES.get(wav.stem, wav.stem))
    axes.legend(loc="upper right", framealpha=0.8, facecolor="black", labelcolor="white")
    path = out / f"f0_{wav.stem}.png"
    figure.savefig(path)
    # 128 colours keep the picture small enough for a repository, if rare colours are kept.
    Image.open(path).convert("RGB").quantize(128, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)


def main():
    folder, out = map(pathlib.Path, sys.argv[1:3])
    for wav in sorted(folder.glob("*.wav")):
        draw(wav, folder, out)


main()
