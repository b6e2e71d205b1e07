"""A training that is killed again and again, beside one that is left alone: both end at the same figures.

    python -m benchmarks.killed [--preset PRESET] [--epochs N] [--kills N] [--seed N]

Trains on the synthetic speaker of the development data with the real command and kills it (SIGKILL), in turn at a
random moment of a whole training and soon after its next checkpoint.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from backend.training.checkpoint import load_checkpoint
from backend.training.train import CHECKPOINT
from benchmarks.machine import describe_machine
from benchmarks.relit_speaker import ACTOR

CONSENT = {
    "speaker": "Synthetic speaker of the Mouthpiece project; nobody real is shown or heard",
    "statement": "The video was rendered from CC0 parts with synthetic voices.",
    "given_by": "Mouthpiece",
    "date": "2026-11-20",
    "licence": "CC0-1.0",
}


POLL_SECONDS = 2.0
"""Between two looks for the next checkpoint, and the most that a kill comes after it."""


class Training:
    """One actor in the making, in a folder of its own."""

    def __init__(self, folder: Path, preset: str, epochs: int) -> None:
        folder.mkdir()
        self.work, self.actor = folder / "work", folder / "actor"
        (folder / "consent.json").write_text(json.dumps(CONSENT))
        self.command = [
            *(sys.executable, "-m", "backend", "train", str(ACTOR), "--actor", "speaker", "--preset", preset),
            *("--consent", str(folder / "consent.json"), "--epochs", str(epochs)),
            *("--out", str(self.actor), "--work", str(self.work), "--resume", "--overwrite"),
        ]

    def start(self) -> subprocess.Popen:
        """The real command, silent; it goes on where the last one was left."""
        return subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def finish(self) -> None:
        """Run to the end. Raises RuntimeError where it fails."""
        if self.start().wait():
            raise RuntimeError(f"{' '.join(self.command)} failed; run it to see why")

    @property
    def epochs_kept(self) -> int:
        """In the checkpoint."""
        path = self.work / CHECKPOINT
        return load_checkpoint(path).epoch if path.exists() else 0

    @property
    def metrics(self) -> dict[str, float]:
        """Figures on the held-out end."""
        return json.loads((self.actor / "actor.json").read_text())["metrics"]

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Arrays by name."""
        return load_file(self.actor / "model.safetensors")


def main() -> None:
    """Print the figures of both, and how far their weights are apart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not ACTOR.exists():
        print("Nothing measured: the development data (../shared/data) is not on this machine.")
        return
    generator = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        whole, killed = (Training(Path(scratch) / name, options.preset, options.epochs) for name in ("whole", "killed"))
        whole.finish()
        shutil.copytree(whole.work / "dataset", killed.work / "dataset")
        started = time.perf_counter()
        whole.finish()  # once more: how long it takes without the dataset
        seconds = time.perf_counter() - started
        print(f"{describe_machine()}\n{options.preset}, {options.epochs} epochs")
        for number in range(options.kills):
            process, kept, started = killed.start(), killed.epochs_kept, time.perf_counter()
            while number % 2 and process.poll() is None and killed.epochs_kept == kept:
                time.sleep(POLL_SECONDS)
            try:
                process.wait(generator.uniform(0, POLL_SECONDS if number % 2 else seconds))
                break  # it has ended by itself, and left no checkpoint
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                print(
                    f"killed after {time.perf_counter() - started:.0f} s, {killed.epochs_kept} epochs kept", flush=True
                )
        else:
            killed.finish()
        for name, value in whole.metrics.items():
            print(f"{name:28} {value:9.4f} {killed.metrics[name]:9.4f}")
        first, second = whole.weights, killed.weights
        apart = max(float(np.abs(first[name] - second[name]).max()) for name in first)
        print(f"{'weights apart at most':28} {apart:9.2g}")


if __name__ == "__main__":
    main()
