"""Calibrates an ONNX model on a Ray cluster: each shard of the samples is a task, the result is that of one run.

    python calibrate.py MODEL DATASET --output ranges.json [--method Percentile] [--shards 8] [-- further flags]

Every worker needs Node with onnx-ptq, and MODEL and DATASET under the same paths. What shards collect (up to a megabyte)
travels through Ray. Further flags go to `onnx-ptq calibrate` as they are.
"""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
if "--address" not in sys.argv:
    # A cluster on this machine listens on the loopback address only.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"

import ray  # noqa: E402


class ProgramLostError(Exception):
    """onnx-ptq was killed: for want of memory, say. What it says itself is no such error: it would say it again."""


def call(command: list[str]) -> None:
    """Runs onnx-ptq; what it says on standard error is the exception."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        raise ProgramLostError(f"{shlex.join(command)}: signal {-done.returncode}")
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())


# A shard whose worker or program is lost runs again, by itself; the others are kept.
@ray.remote(max_retries=5, retry_exceptions=[ProgramLostError])
def calibrate(command: list[str], shard: str, resume: bytes | None) -> bytes:
    """One shard: its calibration state."""
    with tempfile.TemporaryDirectory() as folder:
        state = pathlib.Path(folder, "state.json")
        more = ["--shard", shard, "--calibration_state", str(state)]
        if resume is not None:
            merged = pathlib.Path(folder, "merged.json")
            merged.write_bytes(resume)
            more += ["--resume", str(merged)]
        call([*command, *more, "--quiet"])
        return state.read_bytes()


def merge(command: list[str], states: list[ray.ObjectRef]) -> bytes:
    """All shards: the ranges, or the state that every shard goes on from. One state is in memory at a time."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        while states:  # in any order: the merged bytes are the same
            (ready,), states = ray.wait(states)
            files.append(pathlib.Path(folder, f"{len(files)}.json"))
            files[-1].write_bytes(ray.get(ready))
        merged = pathlib.Path(folder, "merged.json")
        call([*command, "--calibration_state", *map(str, files), "--ranges", str(merged), "--quiet"])
        return merged.read_bytes()


def partition(words: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Words before "--", it, and those after it."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at : at + 1], words[at + 1 :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("dataset")
    parser.add_argument("--output", required=True, help="the ranges, a calibration cache")
    parser.add_argument("--method", default="MinMax")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--workers", type=int, help="shards at a time on this machine; absent: one for each core")
    parser.add_argument("--command", default="npx onnx-ptq", help="how onnx-ptq is started")
    parser.add_argument("--address", help="of a Ray cluster; absent: one on this machine")
    own, _, further = partition(sys.argv[1:])
    args = parser.parse_args(own)

    program = shlex.split(args.command)
    model, dataset = (str(pathlib.Path(path).resolve()) for path in (args.model, args.dataset))
    command = [*program, "calibrate", "--input_model", model, "--calibrate_dataset", dataset]
    command += ["--calibrate_method", args.method, *further]
    if args.address:
        ray.init(address=args.address)
    else:
        ray.init(num_cpus=args.workers, include_dashboard=False, log_to_driver=False)
    try:
        merged = None
        # One round for methods of one pass over the samples, two for the others.
        while merged is None or b"onnx-ptq calibration state" in merged[:100]:
            shards = [f"{index}/{args.shards}" for index in range(args.shards)]
            resume = ray.put(merged)  # once for all shards
            states = [calibrate.remote(command, shard, resume) for shard in shards]
            merged = merge([*program, "merge-ranges"], states)
    finally:
        ray.shutdown()
    pathlib.Path(args.output).write_bytes(merged)
    print(f"written  {args.output}")


if __name__ == "__main__":
    main()
