"""What an independent judge says of sounds that `bench sound` rendered.

    python -u sound.py JUDGE JOBS

JUDGE is a Python file with `resynth(reference, output)`, `transfer(source, output, instrument, like)`, `load(path)` and
a class `Yamnet` with `judge(samples, instrument)`. JOBS has one JSON object per line with the keys `kind` ("resynth",
"transfer" or "judge"), `source`, `output` and `instrument`; one JSON object per line is printed for each.
"""

import importlib.util
import json
import sys


def main(judge_path, jobs_path):
    spec = importlib.util.spec_from_file_location("judge", judge_path)
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    listener = judge.Yamnet()
    # Keep one model for all sounds: loading it takes longer than running it.
    judge.Yamnet = lambda: listener
    for line in open(jobs_path):
        job = json.loads(line)
        source, output, instrument = job["source"], job["output"], job["instrument"]
        if job["kind"] == "resynth":
            result = judge.resynth(source, output)
            result["judge"] = listener.judge(judge.load(output), instrument)
            result["judge_of_source"] = listener.judge(judge.load(source), instrument)
        elif job["kind"] == "transfer":
            result = judge.transfer(source, output, instrument, None)
        else:
            result = {"judge": listener.judge(judge.load(source), instrument)}
        print(json.dumps(result), flush=True)


main(*sys.argv[1:])
