#!/usr/bin/env python3
"""Sets up Mouthpiece and runs it: `python3 build.py demo`, `python3 build.py test`. Standard library only."""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SAMPLE = ROOT / "backend" / "samples" / "speech.flac"
VERSIONS = ((3, 11), (3, 13), (3, 12))  # best first: bpy has no wheel for 3.12, MediaPipe 0.10.21 none for 3.13
GROUPS = ("inference", "service", "blender", "training", "speech", "test", "check")  # requirements/GROUP.txt
USER_GROUPS = GROUPS[:5]
ADDON_SOURCES = ("backend", "models", "shape_keys", "blender_addon", "requirements")
ADDON_FILES = ("build.py", "pyproject.toml", "LICENSE")


class BuildError(Exception):
    """Something a person has to mend first; the text says how."""


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


def run(command: Sequence[object], what: str, **options: object) -> None:
    """Run a command in the repository; raise BuildError naming `what` when it fails."""
    status = subprocess.call([str(part) for part in command], cwd=ROOT, **options)  # type: ignore[arg-type]
    if status != 0:
        raise BuildError(f"{what} failed (exit code {status}); its own messages stand above.")


# ---------------------------------------------------------------- which Python


def python_version(command: list[str]) -> tuple[int, int] | None:
    """Return (major, minor) of an interpreter, or None when the command does not run."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        # What the Microsoft Store puts in Python's place speaks the system's language, in letters of any encoding.
        answer = subprocess.run([*command, "-c", code], capture_output=True, text=True, errors="replace", timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.split()
    return (int(words[0]), int(words[1])) if answer.returncode == 0 and len(words) == 2 else None


def find_python() -> tuple[list[str], tuple[int, int]]:
    """Return the command of the best interpreter on this machine and its version.

    Raises BuildError when there is none from 3.11 to 3.13.
    """
    for wanted in VERSIONS:
        if sys.version_info[:2] == wanted and "MOUTHPIECE_PYTHON" not in os.environ:
            return [sys.executable], wanted
        for command in candidates(wanted):
            if python_version(command) == wanted:
                return command, wanted
    raise BuildError(
        f"Python 3.11, 3.12 or 3.13 is needed; this is {sys.version_info[0]}.{sys.version_info[1]} and no other was "
        "found. Install Python 3.11 from python.org or your system's packages and run this again with it."
    )


def candidates(wanted: tuple[int, int]) -> list[list[str]]:
    """Return the commands that may be Python `wanted`; MOUTHPIECE_PYTHON, where set, is the only one."""
    chosen = os.environ.get("MOUTHPIECE_PYTHON")
    if chosen:
        return [[chosen]]
    name = f"{wanted[0]}.{wanted[1]}"
    found = [[path] for path in (shutil.which(f"python{name}"), shutil.which("python3")) if path]
    launcher = shutil.which("py") if os.name == "nt" else None
    return [*found, [launcher, f"-{name}"]] if launcher else found


# ---------------------------------------------------------------- system packages


def ensure_system(python: list[str], version: tuple[int, int], groups: tuple[str, ...]) -> None:
    """Make sure that Python can make environments and that Blender finds the libraries it links to."""
    probe = subprocess.run([*python, "-c", "import venv, ensurepip"], capture_output=True)
    if probe.returncode != 0:
        package = f"python{version[0]}.{version[1]}-venv"
        why = f"{python[0]} lacks the module that makes environments"
        install_packages([package], why, f"sudo apt-get install -y {package}")
    if "blender" in groups:
        from backend.system_libraries import DEBIAN_PACKAGES, install_command, missing_libraries

        missing = missing_libraries()
        if missing:
            packages = [DEBIAN_PACKAGES[name] for name in missing]
            install_packages(packages, "Blender needs " + ", ".join(missing), install_command(missing))


def install_packages(packages: list[str], why: str, command: str) -> None:
    """Install Debian packages when run as root on Debian; otherwise raise BuildError with the command."""
    if not (shutil.which("apt-get") and getattr(os, "geteuid", lambda: 1)() == 0):
        raise BuildError(f"{why}. Install what is missing with: {command}")
    say(f"[set-up] {why}: installing {' '.join(packages)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *step], env=quiet, capture_output=True, text=True)
        if done.returncode != 0:
            said = done.stderr.strip() or done.stdout.strip()
            raise BuildError(f"'apt-get {' '.join(step)}' failed; it says: {said}")


# ---------------------------------------------------------------- the environment


def venv_python(venv: Path) -> Path:
    """Return the environment's interpreter."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(group: str) -> str:
    """Return what a group's installation depends on, as a digest."""
    name = ROOT / ("pyproject.toml" if group == "project" else f"requirements/{group}.txt")
    return hashlib.sha256(str(ROOT).encode() + name.read_bytes()).hexdigest()


def read_stamp(venv: Path) -> dict[str, str]:
    """Return which groups are installed in which state; empty when the environment is missing or broken."""
    try:
        stamp = json.loads((venv / "mouthpiece-setup.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and venv_python(venv).exists() else {}


def setup(venv: Path, groups: tuple[str, ...]) -> Path:
    """Bring the environment up to date with `groups` and return its interpreter; quick when nothing changed."""
    wanted = {group: fingerprint(group) for group in (*groups, "project")}
    stamp = read_stamp(venv)
    todo = [group for group in wanted if stamp.get(group) != wanted[group]]
    if not todo:
        return venv_python(venv)
    started = time.monotonic()
    python, version = find_python()
    ensure_system(python, version, groups)
    if not stamp:
        say(f"[set-up] making {venv} with Python {version[0]}.{version[1]} ({' '.join(python)})")
        run([*python, "-m", "venv", "--clear", venv], "Making the environment")
    for group in todo:
        install(venv, group)
        stamp[group] = wanted[group]
        (venv / "mouthpiece-setup.json").write_text(json.dumps(stamp, indent=1), "utf-8")
    say(f"[set-up] ready in {time.monotonic() - started:.0f} s")
    return venv_python(venv)


def install(venv: Path, group: str) -> None:
    """Install one group of requirements, or the `mouthpiece` command itself for "project"."""
    pip = [venv_python(venv), "-m", "pip", "install", "--disable-pip-version-check"]
    if not sys.stdout.isatty():
        pip.append("--quiet")
    started = time.monotonic()
    if group == "project":
        what: list[object] = ["--no-deps", "--no-build-isolation", "--editable", ROOT]
    else:
        # those two files say why what their packages declare must not be pulled in
        alone = ["--no-deps"] if group in ("training", "speech") else []
        what = [*alone, "-r", ROOT / "requirements" / f"{group}.txt"]
    say(f"[set-up] installing {'the mouthpiece command' if group == 'project' else f'requirements/{group}.txt'} ...")
    run([*pip, *what], f"Installing {group}")
    say(f"[set-up] ... done in {time.monotonic() - started:.0f} s")


# ---------------------------------------------------------------- verbs


def demo(venv: Path, extra: list[str]) -> None:
    """Animate the shipped speech sample with the shipped actor into demo/."""
    python = setup(venv, USER_GROUPS)
    folder = ROOT / "demo"
    folder.mkdir(exist_ok=True)
    outputs = [folder / "shot.blend", folder / "shot.glb", folder / "shot.mp4", folder / "animation"]
    arguments: list[object] = ["animate", SAMPLE, "--actor", "default", "--overwrite", *extra]
    for output in outputs:
        arguments += ["--out", output]
    started = time.monotonic()
    run([python, "-m", "backend", *arguments], "The demo")
    say(f"\nThe demo took {time.monotonic() - started:.0f} s for {SAMPLE.relative_to(ROOT)}. It wrote:")
    for output in outputs:
        say(f"  {output.relative_to(ROOT)}  ({describe(output)})")


def describe(path: Path) -> str:
    """Return the size of a file, or the number of files in a folder."""
    if path.is_dir():
        return f"{sum(1 for item in path.rglob('*') if item.is_file())} files"
    return f"{path.stat().st_size / 1e6:.2f} MB"


def test(venv: Path, extra: list[str]) -> None:
    """Run the test suite; further arguments go to pytest."""
    python = setup(venv, (*USER_GROUPS, "test"))
    workers = min(4, os.cpu_count() or 1)
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    environment = {"OMP_NUM_THREADS": threads, **os.environ}  # or torch and OpenCV start a thread a core in each worker
    parallel = [] if any(item.startswith("-n") for item in extra) else ["-n", workers, "--dist", "loadfile"]
    run([python, "-m", "pytest", *parallel, *extra], "The test suite", env=environment)


def check(venv: Path, extra: list[str]) -> None:
    """Check style, formatting and types with pinned tools."""
    python = setup(venv, (*USER_GROUPS, "check"))
    run([python, "-m", "ruff", "check", "."], "ruff check ('ruff check --fix .' mends much of it)")
    run([python, "-m", "ruff", "format", "--check", "."], "ruff format --check ('ruff format .' mends it)")
    run([python, "-m", "basedpyright", *extra], "The type check")


def bench(venv: Path, extra: list[str]) -> None:
    """Run every module in benchmarks/ that has a main(); name some to run only these."""
    found = [
        path.stem for path in sorted((ROOT / "benchmarks").glob("*.py")) if "\ndef main(" in path.read_text("utf-8")
    ]
    if unknown := set(extra) - set(found):
        raise BuildError(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(found)}.")
    python = setup(venv, (*USER_GROUPS, "test"))
    for name in extra or found:
        say(f"\n[bench] {name}")
        run([python, "-m", f"benchmarks.{name}"], f"benchmarks/{name}.py")


def addon(venv: Path, extra: list[str]) -> None:
    """Pack the Blender extension with the backend, the actors and the rig maps into one zip in dist/."""
    if extra:
        raise BuildError(f"addon takes no further arguments, got: {' '.join(extra)}")
    manifest = (ROOT / "blender_addon" / "blender_manifest.toml").read_text("utf-8")
    fields = dict(line.split(" = ", 1) for line in manifest.splitlines() if line.startswith(("id = ", "version = ")))
    target = ROOT / "dist" / "{id}-{version}.zip".format(**{k: v.split('"')[1] for k, v in fields.items()})
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in source_files(("blender_addon",)):
            add_file(archive, path, path.relative_to(ROOT / "blender_addon").as_posix())
        for path in [*source_files(ADDON_SOURCES), *(ROOT / name for name in ADDON_FILES)]:
            add_file(archive, path, "bundle/" + path.relative_to(ROOT).as_posix())
    say(f"[addon] {target.relative_to(ROOT)} ({describe(target)})")
    validate_addon(venv, target)


def source_files(folders: tuple[str, ...]) -> list[Path]:
    """Return the files below `folders` without caches, in a fixed order."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*")))
    return [path for path in found if path.is_file() and not {"__pycache__", ".ruff_cache"} & set(path.parts)]


def add_file(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    """Add a file with a fixed date, so that equal sources give equal zips."""
    entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, path.read_bytes())


def validate_addon(venv: Path, target: Path) -> None:
    """Let Blender's own tool judge the zip where Blender is installed."""
    tool = 'bpy.utils.resource_path("LOCAL") + "/scripts/addons_core/bl_pkg/cli/blender_ext.py"'
    code = f"import bpy, os; print({tool}, flush=True); os._exit(0)"  # bpy may hang in a normal exit
    python = venv_python(venv)
    found = subprocess.run([str(python), "-c", code], capture_output=True, text=True) if python.exists() else None
    if found is None or found.returncode != 0:
        say("[addon] not validated: Blender is not set up here ('python3 build.py setup' does it)")
        return
    run([python, found.stdout.split("\n")[-2], "validate", target], "Blender's validation of the zip")


SETUP_HELP = "Install what is missing of Mouthpiece and its libraries into .venv; --only PART installs one part."
VERBS = {"setup": None, "demo": demo, "test": test, "check": check, "addon": addon, "bench": bench}


def parse(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return the options and the arguments that are passed on to the verb."""
    verbs = "\n".join(f"  {name:6} {inspect.getdoc(verb) if verb else SETUP_HELP}" for name, verb in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="build.py", description=__doc__, epilog=f"verbs:\n{verbs}", formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("verb", choices=VERBS, metavar="VERB")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="the environment's folder (.venv)")
    parser.add_argument("--only", choices=GROUPS, action="append", help="setup: only this part; may repeat")
    return parser.parse_known_args(argv)


def main(argv: list[str]) -> int:
    """Run one verb; return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a Windows console may not know a letter
    options, extra = parse(argv)
    verb = VERBS[options.verb]
    try:
        if verb:
            verb(options.venv.resolve(), extra)
        else:
            python = setup(options.venv.resolve(), tuple(options.only or USER_GROUPS))
            say(f"[set-up] everything is in place: {python.parent / 'mouthpiece'}")
            say(f"[set-up] to call it 'mouthpiece': {'' if os.name == 'nt' else 'source '}{python.parent / 'activate'}")
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
