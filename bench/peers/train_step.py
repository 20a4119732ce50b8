"""Seconds per step of an instrument's training in PyTorch, eager, on the processor.

    python -u train_step.py STEPS CLIPS SECONDS WIDTH

The same model, synth and loss as `embouchure train` when it compares sounds, written as DDSP is in PyTorch: the decoder
(dense, layer normalisation, GRU), 100 harmonics and 64 bands of noise at 48 kHz in 250 frames a second, spectrograms of
six sizes, linear, logarithmic and log-mel, Adam. Prints seconds per step and the peak memory in MB.
"""

import math
import resource
import sys
import time

import torch
from torch import nn

RATE, HOP = 48_000, 192
N_FEATURES, N_HARMONICS, N_BANDS = 19, 100, 64
SIZES = (4096, 2048, 1024, 512, 256, 128)


class Decoder(nn.Module):
    def __init__(self, width):
        super().__init__()

        def dense(n_in):
            return nn.Sequential(nn.Linear(n_in, width), nn.LayerNorm(width), nn.LeakyReLU(0.01))

        self.input = nn.Sequential(dense(N_FEATURES), dense(width))
        self.gru = nn.GRU(width, width, batch_first=True)
        self.output = dense(2 * width)
        self.head = nn.Linear(width, 1 + N_HARMONICS + N_BANDS)

    def forward(self, features):
        x = self.input(features)
        h, _ = self.gru(x)
        return self.head(self.output(torch.cat([h, x], -1)))


def scaled(x):
    return 2.0 * torch.sigmoid(x) ** math.log(10) + 1e-7


def harmonics(amplitudes, f0_hz):
    def upsampled(x):
        return nn.functional.interpolate(x.transpose(1, 2), scale_factor=HOP, mode="linear").transpose(1, 2)

    phase = 2 * math.pi * torch.cumsum(upsampled(f0_hz) / RATE, 1)
    k = torch.arange(1, N_HARMONICS + 1)
    return (torch.sin(phase * k) * upsampled(amplitudes)).sum(-1)


def noise(magnitudes):
    batch, frames, _ = magnitudes.shape
    size = 1024
    gains = nn.functional.interpolate(magnitudes, size // 2 + 1, mode="linear", align_corners=True)
    white = torch.fft.rfft(torch.randn(batch, frames, size))
    pieces = torch.fft.irfft(white * gains)[..., size // 2 - HOP : size // 2 + HOP]
    pieces = pieces * torch.bartlett_window(2 * HOP)
    folded = nn.functional.fold(
        pieces.transpose(1, 2), (1, HOP * (frames + 1)), kernel_size=(1, 2 * HOP), stride=(1, HOP)
    )
    return folded[:, 0, 0, : frames * HOP]


def mel_matrix(size, n_mel=80):
    mel = lambda hz: 2595 * math.log10(1 + hz / 700)
    band = torch.tensor([min(n_mel - 1, int(mel(i * RATE / size) / mel(RATE / 2) * n_mel)) for i in range(size // 2 + 1)])
    return nn.functional.one_hot(band, n_mel).float()


def loss(audio, target, mel):
    total = 0.0
    for size in SIZES:
        window = torch.hann_window(size)
        a, b = (
            (torch.stft(x, size, size // 4, window=window, center=False, return_complex=True).abs() + 1e-7) * 4 / size
            for x in (audio, target)
        )
        total = total + 10 * (a - b).abs().mean() + ((a + 1e-4) / (b + 1e-4)).log().abs().mean()
        if size == 2048:
            u, v = (x.pow(2).transpose(1, 2) @ mel + 1e-8 for x in (a, b))
            total = total + 0.5 * (u / v).log().abs().mean()
    return total / len(SIZES)


def main(steps, clips, seconds, width):
    torch.manual_seed(1)
    frames = int(250 * seconds)
    model, mel = Decoder(width), mel_matrix(2048)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    target = 0.1 * torch.randn(clips, frames * HOP)
    f0_hz = 200 + 400 * torch.rand(clips, 1, 1).expand(-1, frames, -1)
    features = torch.randn(clips, frames, N_FEATURES)
    took = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        raw = model(features)
        distribution = scaled(raw[..., 1 : 1 + N_HARMONICS])
        amplitudes = scaled(raw[..., :1]) * distribution / distribution.sum(-1, keepdim=True)
        audio = harmonics(amplitudes, f0_hz) + noise(scaled(raw[..., 1 + N_HARMONICS :] - 5))
        optimizer.zero_grad()
        loss(audio, target, mel).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 3.0)
        optimizer.step()
        took.append(time.perf_counter() - start)
    # The first step allocates memory, so it does not count.
    took = sorted(took[1:])
    print(took[len(took) // 2], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
