"""Run the Blender tests in every supported Blender, each in an environment of its own; prints a table.

    python3 -m tests.blender.every_blender [--version 4.2.23] [--json FILE] [-- PYTEST ARGUMENTS]

The environments lie in .venvs/, outside the main one, and are kept for the next time. Blender 5.1 and later needs
Python 3.13, earlier versions 3.11; MOUTHPIECE_PYTHON_313 and MOUTHPIECE_PYTHON_311 name them where they are not found.
The backend that the tests animate with is the checkout's own (`python3 build.py setup`). Standard library only.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("scipy", "pillow", "pytest", "hypothesis", "pygltflib", "soundfile", "httpx", "platformdirs")


@dataclass(frozen=True)
class Edition:
    """A Blender, and what it runs with."""

    blender: str
    python: str
    numpy: str


EDITIONS = (
    Edition("4.2.23", "3.11", "1.26.4"),
    Edition("4.5.15", "3.11", "1.26.4"),
    Edition("5.0.1", "3.11", "1.26.4"),
    Edition("5.2.3", "3.13", "2.4.6"),
)


@dataclass(frozen=True)
class Row:
    """What the tests said in one Blender."""

    blender: str
    python: str
    passed: int
    failed: int
    skipped: int
    seconds: float


class MissingPython(Exception):
    """The Python that a Blender needs is not on this machine."""


def find_python(version: str) -> str:
    """The program of Python `version`. Raises MissingPython with what to do."""
    name = f"MOUTHPIECE_PYTHON_{version.replace('.', '')}"
    homes = (Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions").glob(f"{version}.*/bin/python")
    for program in (os.environ.get(name), shutil.which(f"python{version}"), *sorted(map(str, homes))):
        if program and _runs(program, version):
            return program
    raise MissingPython(f"Python {version} was not found; install it, or name its program in {name}.")


def _runs(program: str, version: str) -> bool:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([program, "-c", code], capture_output=True, text=True).stdout.strip() == version
    except OSError:
        return False


def make_environment(edition: Edition) -> Path:
    """The interpreter of an environment with the edition's Blender, made or completed."""
    folder = ROOT / ".venvs" / f"bpy-{edition.blender}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([find_python(edition.python), "-m", "venv", str(folder)], check=True)
    wanted = [f"bpy=={edition.blender}", f"numpy=={edition.numpy}", *_pinned(LIBRARIES)]
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
    subprocess.run(install, check=True)
    return python


def _pinned(names: tuple[str, ...]) -> list[str]:
    """Libraries in the versions of the requirement files."""
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "requirements").glob("*.txt"))
    found = dict(re.findall(r"^([\w-]+)==([\w.]+)$", text, re.MULTILINE))
    return [f"{name}=={found[name]}" for name in names]


def run_tests(edition: Edition, python: Path, arguments: list[str]) -> Row:
    """Run the tests with the edition's environment."""
    report = ROOT / ".venvs" / f"bpy-{edition.blender}.xml"
    report.unlink(missing_ok=True)
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    subprocess.run([*command, *(arguments or ["tests/blender"])], cwd=ROOT)
    counts = ElementTree.parse(report).getroot()[0].attrib
    failed, skipped = int(counts["failures"]) + int(counts["errors"]), int(counts["skipped"])
    passed = int(counts["tests"]) - failed - skipped
    return Row(edition.blender, edition.python, passed, failed, skipped, round(float(counts["time"])))


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| Blender | Python | passed | failed | skipped | seconds |", "|---|---|---|---|---|---|"]
    cells = ([row.blender, row.python, row.passed, row.failed, row.skipped, f"{row.seconds:.0f}"] for row in rows)
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in cells)])


def main() -> int:
    """Print the table; 1 where a test failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    versions = [edition.blender for edition in EDITIONS]
    parser.add_argument("--version", action="append", choices=versions, help="only this Blender; may repeat")
    parser.add_argument("--json", type=Path, help="also write the table's rows here")
    parser.add_argument("arguments", nargs="*", help="passed on to pytest; tests/blender by default")
    options = parser.parse_args()
    rows = []
    for edition in EDITIONS:
        if options.version is None or edition.blender in options.version:
            print(f"Blender {edition.blender} with Python {edition.python}", flush=True)
            rows.append(run_tests(edition, make_environment(edition), options.arguments))
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2), "utf-8")
    return int(any(row.failed for row in rows))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (MissingPython, subprocess.CalledProcessError) as error:
        sys.exit(f"every_blender: {error}")
