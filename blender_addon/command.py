"""The windowless command: build a talking head, write it in any format, report in JSON lines."""

import argparse
import errno
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn, TextIO

from .errors import AddonError, CommandError, OutputError

if TYPE_CHECKING:
    from .animation import Animation

Progress = Callable[[str, int, int], None]

CHARACTERS = (".blend", ".glb")
FORMATS = (".blend", ".glb", ".usdc", ".abc", ".fbx")
MESSAGE_LINES = 40  # of Blender's own messages shown after a failure
SIZES = (64, 4096)  # pixels a side of a rendered picture


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read and check the command line; raises CommandError with a sentence where it is wrong."""
    try:
        options = _parser().parse_args(arguments)
    except argparse.ArgumentError as error:
        raise CommandError(f"The command line is wrong: {error}. Try --help.") from error
    _check(options)
    return options


class _Parser(argparse.ArgumentParser):
    """Raises instead of ending the process: exit_on_error=False still ends it for a missing argument."""

    def error(self, message: str) -> NoReturn:
        raise argparse.ArgumentError(None, message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m blender_addon.headless", description=__doc__)
    parser.add_argument("--animation", type=Path, required=True, help="folder that holds animation.npz")
    parser.add_argument("--audio", type=Path, help="the speech the animation was made from")
    parser.add_argument("--out", type=Path, action="append", default=[], help=f"result ({', '.join(FORMATS)}); repeat")
    parser.add_argument("--render", type=Path, help="folder for the rendered frames 0001.png and so on")
    parser.add_argument("--size", type=int, default=512, help="pixels a side of a rendered frame")
    parser.add_argument("--character", type=Path, help="character to drive instead of a new head (.blend, .glb)")
    parser.add_argument("--map", default="auto", help="names of its shape keys: auto, arkit, oculus or a .json file")
    parser.add_argument("--line", help="name of the object and its action; the sound's name by default")
    return parser


def _check(options: argparse.Namespace) -> None:
    if not options.out and options.render is None:
        raise CommandError("Nothing to write: give --out or --render.")
    for path in options.out:
        if path.suffix.lower() not in FORMATS:
            raise CommandError(f"{path} has the ending {path.suffix!r}, expected one of {', '.join(FORMATS)}.")
    if options.character is not None:
        _check_character(options)
    if not SIZES[0] <= options.size <= SIZES[1]:
        raise CommandError(f"--size is {options.size}, expected {SIZES[0]} to {SIZES[1]} pixels.")
    if options.audio is not None and not options.audio.is_file():
        raise CommandError(f"There is no sound at {options.audio}; give an existing file to --audio.")
    for path in [*options.out, *([] if options.render is None else [options.render])]:
        if not path.absolute().parent.is_dir():
            raise CommandError(f"{path} cannot be written: the folder {path.absolute().parent} does not exist.")


def _check_character(options: argparse.Namespace) -> None:
    if options.character.suffix.lower() not in CHARACTERS or not options.character.is_file():
        raise CommandError(f"There is no character at {options.character}; give an existing .blend or .glb.")
    if options.render is not None:
        raise CommandError("--render shows the talking head only; open the .blend to render a character.")
    for path in options.out:
        if path.suffix.lower() not in CHARACTERS:
            raise CommandError(f"{path} has the ending {path.suffix!r}; a character is written as .blend or .glb.")


def run(options: argparse.Namespace, progress: Progress) -> list[Path]:
    """Build the scene and write every result; returns their paths. All of them appear, or none."""
    from .animation import read_animation

    animation = read_animation(options.animation)
    progress("blender", 0, 1)
    if options.character is not None:
        return _run_character(options, animation, progress)
    from .writing import build_scene, write_results

    progress("blender", 1, 1)
    sound = None if options.audio is None else options.audio.absolute()
    line = options.line or (sound.stem if sound is not None else animation.folder.name)
    progress("bake", 0, 1)
    scene, baked = build_scene(animation, line, sound, options.size)
    progress("bake", 1, 1)
    for phrase in baked.shortcomings():
        sys.stderr.write(f"Note: {phrase}.\n")
    outputs = [path.absolute() for path in options.out]
    render = None if options.render is None else options.render.absolute()
    return write_results(scene, baked, animation, sound, outputs, render, progress)


def _run_character(options: argparse.Namespace, animation: "Animation", progress: Progress) -> list[Path]:
    from .character_shot import build_character_scene, write_character
    from .importing import describe_character

    progress("blender", 1, 1)
    sound = None if options.audio is None else options.audio.absolute()
    line = options.line or (sound.stem if sound is not None else animation.folder.name)
    progress("bake", 0, 1)
    scene, baked, playing = build_character_scene(options.character.absolute(), animation, line, sound, options.map)
    progress("bake", 1, 1)
    sys.stderr.write(f"Note: {describe_character(baked)}.\n")
    return write_character(scene, line, playing, sound, [path.absolute() for path in options.out], progress)


def main(arguments: list[str]) -> int:
    """Run with JSON lines on standard output; returns the exit status.

    The last line is {"wrote": [paths]} or {"error": sentence}; before it come {"stage", "done", "total"}.
    """
    if {"-h", "--help"} & set(arguments):
        _parser().print_help()
        return 0
    with _blender_messages() as (lines, messages):

        def say(**content) -> None:
            lines.write(json.dumps(content) + "\n")
            lines.flush()

        options = None
        try:
            options = parse_arguments(arguments)
            written = run(options, lambda stage, done, total: say(stage=stage, done=done, total=total))
        except Exception as error:  # whoever reads the lines must always get a last one
            say(error=_sentence(error, [] if options is None else options.out))
            _explain(error, messages)
            return 1
        say(wrote=[str(path) for path in written])
        return 0


@contextmanager
def _blender_messages() -> Iterator[tuple[TextIO, BinaryIO]]:
    """(standard output for our lines, file that collects what Blender itself prints).

    Blender prints to file descriptor 1 from C, and too much of it for a pipe that its reader may leave for later.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as lines, tempfile.TemporaryFile() as messages:
        sys.stdout.flush()
        os.dup2(messages.fileno(), 1)
        try:
            yield lines, messages
        finally:
            sys.stdout.flush()
            os.dup2(lines.fileno(), 1)


def _sentence(error: Exception, outputs: list[Path]) -> str:
    if outputs and _is_full(error):
        names = ", ".join(map(str, outputs))
        return f"There is no space left on the disk to write {names}; free some, or use another disk."
    if isinstance(error, AddonError):
        return str(error)
    if isinstance(error, ImportError):
        return f"Blender's Python module cannot be loaded ({error}); install bpy, or run this inside Blender."
    if isinstance(error, OSError):
        return f"A file cannot be read or written: {error}. Check the path, its rights and the space on the disk."
    return f"Building the scene failed unexpectedly: {type(error).__name__}: {error}"


def _is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error; Blender hands on what its exporters raise as text alone."""
    while error is not None:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _explain(error: Exception, messages: BinaryIO) -> None:
    """Put what helps to find the cause on standard error."""
    if isinstance(error, AddonError) and not isinstance(error, OutputError):
        return
    sys.stdout.flush()
    messages.seek(0)
    tail = messages.read().decode("utf-8", errors="replace").splitlines()[-MESSAGE_LINES:]
    sys.stderr.write("\n".join([*tail, *traceback.format_exception(error)]))
