"""Processor time of DDSP-VST's pitch network, s per s of audio: frame after frame, and one frame every 20 ms.

One thread, 50 frames a second as in the plugin. Prints both numbers.
"""

import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

FRAMES_PER_SECOND = 50


def main():
    network = Interpreter(sys.argv[1], num_threads=1)
    network.allocate_tensors()
    at = network.get_input_details()[0]
    noise = np.random.default_rng(0).normal(0, 0.1, at["shape"]).astype(np.float32)

    def frame():
        start = time.process_time()
        network.set_tensor(at["index"], noise)
        network.invoke()
        return time.process_time() - start

    for _ in range(20):
        frame()
    # The median, because other programs disturb a short run.
    tight = float(np.median([frame() for _ in range(500)]))
    paced = []
    for _ in range(4 * FRAMES_PER_SECOND):
        paced.append(frame())
        time.sleep(max(0.0, 1 / FRAMES_PER_SECOND - paced[-1]))
    print(tight * FRAMES_PER_SECOND, float(np.mean(paced)) * FRAMES_PER_SECOND)


main()
