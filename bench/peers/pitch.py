"""Other pitch trackers on the sounds of `bench pitch`.

    python -u pitch.py FOLDER [--ddsp-vst MODEL] [--only NAME]

Reads FOLDER/*.wav (mono, 16 kHz) and writes, for each tracker, FOLDER/TRACKER/NNN.csv with rows of time in s, f0 in Hz
and 0 or 1 for voiced, and FOLDER/TRACKER/cpu_share: seconds of one core per second of audio. Every tracker has one
thread, its own settings, and its own idea of time: SwiftF0 and CREPE speak of the middle of a frame that reaches into
the future, DDSP-VST has its answer at the end of the frame.
"""

import argparse
import pathlib
import time

import numpy as np
import soundfile

RATE = 16_000


class SwiftF0:
    """As published, with the threshold that its authors give."""

    name = "SwiftF0"

    def __init__(self):
        from swift_f0 import SwiftF0

        self.detector = SwiftF0(threads=1)

    def track(self, samples):
        result = self.detector.detect(samples, RATE)
        return result.timestamps, result.pitch_hz, result.confidence > 0.6


class TorchCrepe:
    """The tiny model, every 10 ms, without Viterbi, which would need the future."""

    name = "torchcrepe_tiny"

    def __init__(self):
        import torch
        import torchcrepe

        torch.set_num_threads(1)
        self.torch, self.torchcrepe = torch, torchcrepe

    def track(self, samples):
        f0_hz, periodicity = self.torchcrepe.predict(
            self.torch.from_numpy(samples)[None],
            RATE,
            hop_length=RATE // 100,
            fmin=32.0,
            model="tiny",
            decoder=self.torchcrepe.decode.weighted_argmax,
            return_periodicity=True,
            batch_size=512,
        )
        f0_hz, periodicity = f0_hz[0].numpy(), periodicity[0].numpy()
        return np.arange(len(f0_hz)) / 100, f0_hz, periodicity > 0.5


class DdspVst:
    """The network inside DDSP-VST, called as the plugin does: 1024 samples, every 20 ms."""

    name = "DDSP-VST"
    FRAME = 1024
    HOP = 320
    # Outputs, by the last character of their names.
    F0_HZ, LOUDNESS_DB = "0", "2"
    SILENCE_DB = -60.0

    def __init__(self, model):
        from ai_edge_litert.interpreter import Interpreter

        self.network = Interpreter(model, num_threads=1)
        self.network.allocate_tensors()
        self.input = self.network.get_input_details()[0]
        self.outputs = {d["name"][-1]: d["index"] for d in self.network.get_output_details()}

    def track(self, samples):
        starts = range(0, len(samples) - self.FRAME + 1, self.HOP)
        answers = [self.frame(samples[s : s + self.FRAME]) for s in starts]
        time_s = [(s + self.FRAME) / RATE for s in starts]
        return time_s, [f0 for f0, _ in answers], [db > self.SILENCE_DB for _, db in answers]

    def frame(self, samples):
        self.network.set_tensor(self.input["index"], samples.reshape(self.input["shape"]))
        self.network.invoke()
        read = lambda output: float(np.ravel(self.network.get_tensor(self.outputs[output]))[0])
        return read(self.F0_HZ), read(self.LOUDNESS_DB)


def run(tracker, files, folder):
    folder = folder / tracker.name
    folder.mkdir(exist_ok=True)
    # The first call allocates, so it is not timed.
    tracker.track(np.zeros(RATE, np.float32))
    took_s = audio_s = 0.0
    for file in files:
        samples, rate = soundfile.read(file, dtype="float32")
        assert rate == RATE, file
        # Pad sounds shorter than a frame, for which there would be no output.
        samples = np.pad(samples, (0, max(0, DdspVst.FRAME - len(samples))))
        start = time.process_time()
        answers = tracker.track(samples)
        took_s += time.process_time() - start
        audio_s += len(samples) / RATE
        rows = (f"{t:.5f},{np.nan_to_num(f):.4f},{int(v)}\n" for t, f, v in zip(*answers))
        (folder / f"{file.stem}.csv").write_text("".join(rows))
    (folder / "cpu_share").write_text(f"{took_s / audio_s}\n")
    print(f"{tracker.name}: {len(files)} sounds, {100 * took_s / audio_s:.2f} % of a core")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--ddsp-vst", metavar="MODEL", help="the .tflite file")
    parser.add_argument("--only", action="append", help="SwiftF0, torchcrepe_tiny or DDSP-VST; again for more")
    arguments = parser.parse_args()
    files = sorted(arguments.folder.glob("*.wav"))
    trackers = {SwiftF0.name: SwiftF0, TorchCrepe.name: TorchCrepe}
    if arguments.ddsp_vst:
        trackers[DdspVst.name] = lambda: DdspVst(arguments.ddsp_vst)
    for name, make in trackers.items():
        if not arguments.only or name in arguments.only:
            run(make(), files, arguments.folder)


main()
