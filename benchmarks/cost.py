"""Cost against the length of a recording, and against the number of lines in one call; draws docs/pictures/cost.png."""

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.processes import Finished, fastest_run
from benchmarks.speech import write_lines, write_speech

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "cost.png"
LENGTHS = (1, 10, 60, 600, 3600)
"""Seconds of speech."""
COUNTS = (1, 5, 20, 50, 100, 200)
"""Lines of 2 s in one call."""


def measure(actor: str, longest: float, repeats: int) -> tuple[dict[float, Finished], dict[int, Finished]]:
    """Whole processes without texture, for each length and each number of lines."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        options = ["--actor", actor, "--no-texture", "--overwrite", "--out", folder / "out"]
        lengths = {}
        for seconds in (length for length in LENGTHS if length <= longest):
            sound = write_speech(folder / "sound.wav", seconds)
            lengths[seconds] = fastest_run(repeats if seconds < 600 else 1, "animate", sound, *options)
            print(f"{seconds:6} s of speech: {describe(lengths[seconds])}", flush=True)
        lines = write_lines(folder, max(COUNTS))
        counts = {}
        for count in COUNTS:
            options[-1] = folder / f"lines{count}"
            options[-1].mkdir()
            counts[count] = fastest_run(repeats, "animate", *lines[:count], *options)
            print(f"{count:6} lines of 2 s: {describe(counts[count])}", flush=True)
    return lengths, counts


def describe(run: Finished) -> str:
    """One run in words."""
    return f"{run.seconds:8.2f} s, {run.processor_seconds:8.2f} s of processor time, {run.megabytes:6.0f} MB"


def draw(lengths: dict[float, Finished], counts: dict[int, Finished], path: Path) -> None:
    """Both curves side by side, with the memory of the first.

    Processor time is drawn because it does not depend on what else the machine does; the table has both.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    seconds, numbers = list(lengths), list(counts)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    left.loglog(seconds, [run.processor_seconds for run in lengths.values()], "o-", label="processor time")
    left.loglog(seconds, seconds, ":", color="grey", label="real time")
    left.set(xlabel="seconds of speech", ylabel="processor seconds, whole process", title="one recording, no texture")
    left.legend(frameon=False)
    memory = left.twinx()
    memory.plot(seconds, [run.megabytes for run in lengths.values()], "s--", color="tab:orange", ms=4)
    memory.set(ylabel="memory, MB (squares)", ylim=(0, None))
    alone = counts[min(counts)].processor_seconds
    right.loglog(numbers, [run.processor_seconds for run in counts.values()], "o-", label="one call")
    right.loglog(numbers, [alone * number for number in numbers], ":", color="grey", label="a call for each")
    right.set(xlabel="lines of 2 s", ylabel="processor seconds", title="many lines, no texture")
    right.legend(frameon=False)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Print the table and draw the picture; --json FILE also writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actor", default="default")
    parser.add_argument("--longest", type=float, default=max(LENGTHS), help="seconds of the longest recording")
    parser.add_argument("--repeats", type=int, default=2, help="runs of each process, of which the fastest counts")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(describe_machine())
    lengths, counts = measure(options.actor, options.longest, options.repeats)
    draw(lengths, counts, options.picture)
    if options.json:
        tables = {"lengths": lengths, "lines": counts}
        figures = {name: {str(key): vars(run) for key, run in table.items()} for name, table in tables.items()}
        options.json.write_text(json.dumps({"machine": describe_machine(), **figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
