"""Turn speech into an animated talking face."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backend.cli.options import add_options, field_docs
from backend.cli.patterns import expand
from backend.errors import ActorError, Cancelled, EnvironmentProblem, MouthpieceError, StorageProblem, UsageError
from backend.file_names import mend_name
from backend.inference.request import CHARACTERS, ENDINGS, SPEECH, AnimateRequest
from backend.inference.style import Style, parse_gains

if TYPE_CHECKING:
    from backend.actor_file import Actor
    from backend.speech.timeline import Timeline

VOICE = "en-us"
"""espeak-ng's voice where none is named."""
STOPS_ALL = (ActorError, Cancelled, EnvironmentProblem)
"""Errors that the next recording would meet too."""
STYLE_OPTIONS = (
    "intensity", "smooth", "style", "jaw", "lips", "silence_gate", "breath", "blinks", "brows", "head", "seed"
)  # fmt: skip
EPILOG = """examples:
  mouthpiece animate line.wav --actor default --out shot.blend --out shot.mp4
  mouthpiece animate --text "Nice to meet you." --actor default --out shot.blend
  mouthpiece animate line.wav --actor default --character hero.blend --map arkit --out shot.blend
  mouthpiece animate line.wav --transcript line.txt --actor voice --out shot.glb --blinks 1 --brows 0.6 --head 0.5
  mouthpiece animate lines/*.wav --actor default --out animations/   (a folder for each recording)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    docs = field_docs(AnimateRequest)
    parser.epilog = EPILOG
    parser.add_argument("audio", type=Path, nargs="*", metavar="AUDIO", help=docs["audio"])
    parser.add_argument("--text", metavar="WORDS", help="Speak this with espeak-ng instead of reading a recording.")
    parser.add_argument("--voice", metavar="NAME", help=f"espeak-ng's voice for --text, as en-us+f2 or fr ({VOICE}).")
    parser.add_argument("--actor", required=True, metavar="NAME", help=docs["actor"])
    parser.add_argument(
        "--out",
        type=Path,
        action="append",
        required=True,
        metavar="PATH",
        help=f"{docs['outputs']} A folder gets the bare animation, else one of {', '.join(ENDINGS)}. May repeat.",
    )
    parser.add_argument("--character", type=Path, metavar="FILE", help=docs["character"])
    parser.add_argument(
        "--transcript",
        metavar="FILE_OR_TEXT",
        help=f"{docs['transcript']} A text file, or for one recording the words themselves; with several recordings, a "
        "folder with a STEM.txt for each. The words and their times are written to markers.json in a folder, to "
        "STEM.markers.json where none is among the outputs, and into a .blend as markers of its timeline.",
    )
    language = f"{docs['language']} ({AnimateRequest.language})"
    parser.add_argument("--language", metavar="NAME", help=language)
    add_options(parser, AnimateRequest, ("map", "fps", "texture", "overwrite", "size"))
    style = parser.add_argument_group("style", "How the face performs it; vertices and weights alike.")
    add_options(style, Style, STYLE_OPTIONS)
    style.add_argument("--gains", default="", metavar="NAME=FACTOR,...", help=docs["gains"])


def run(options: argparse.Namespace) -> int:
    """Animate the recordings, or the text as it is spoken; returns the exit code."""
    _check_source(options)
    options.audio = expand(options.audio)
    if options.text is None:
        return animate_all(build_requests(options), options.transcript)
    from backend.speech.espeak import save_speech
    from backend.speech.timeline import Timeline

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        sound = Path(folder) / SPEECH
        options.audio = [sound]
        requests = build_requests(options, Timeline((), ()))  # what is wrong with them is said before a word is spoken
        timeline = save_speech(options.text, options.voice or VOICE, sound)
        return animate_all([replace(request, timeline=timeline) for request in requests])


def _check_source(options: argparse.Namespace) -> None:
    """Raise UsageError where what is to be animated is not clear."""
    if bool(options.audio) == (options.text is not None):
        raise UsageError("Give either recordings or --text.")
    if options.text is not None and options.transcript is not None:
        raise UsageError("--text says already what is said; leave --transcript away.")
    if options.text is not None and options.language is not None:
        raise UsageError("--text is spoken in the language of its voice: --voice de instead of --language de.")
    if options.language is not None and not options.transcript:
        raise UsageError("--language is that of a transcript; give it with --transcript.")
    if options.text is None and options.voice is not None:
        raise UsageError("--voice is the voice that speaks --text; leave it away for a recording.")


def animate_all(requests: list[AnimateRequest], transcript: str | None = None) -> int:
    """Check everything that was asked for, then animate one recording after the other with the actor loaded once.

    transcript: as it was given, for all of them. Of several recordings one that cannot be animated, or whose transcript
    cannot be read, does not stop the others. Returns the exit code.
    """
    from backend.actor_file import load_actor
    from backend.actor_library import find_actor
    from backend.animation_file import places_read
    from backend.audio.decode import check_is_file

    failed: dict[Path, MouthpieceError] = {}
    if requests[0].character is not None:
        check_is_file(requests[0].character, "a character (.blend, .glb)")
    read = places_read(path for request in requests for path in request.inputs)
    good = []
    for request in requests:
        with _going_on(request, failed, len(requests)):
            told = add_transcript(request, transcript)
            _check_request(told, read, len(requests) > 1)
            good.append(told)
    actor = load_actor(find_actor(requests[0].actor)) if good else None
    for request in good:
        with _going_on(request, failed, len(requests)), _folders(request, len(requests) > 1):
            _animate(request, actor)
    if len(requests) > 1:
        names = ", ".join(str(request.audio) for request in requests if request.audio in failed)
        done = f"{len(requests) - len(failed)} of {len(requests)} recordings animated"
        print(f"{done}; not finished: {names}" if failed else done, flush=True)
    if not failed:
        return 0
    return UsageError.exit_code if all(isinstance(error, UsageError) for error in failed.values()) else 1


@contextmanager
def _going_on(request: AnimateRequest, failed: dict[Path, MouthpieceError], count: int) -> Iterator[None]:
    """Let one of `count` recordings fail without stopping the others: say why, and put it down in `failed`."""
    try:
        yield
    except (*STOPS_ALL, BrokenPipeError):
        raise
    except (MouthpieceError, OSError) as error:
        if count == 1:
            raise
        error = StorageProblem(error) if isinstance(error, OSError) else error
        failed[request.audio] = error
        print(f"mouthpiece: error: {request.audio.name}: {' '.join(str(error).split())}", file=sys.stderr, flush=True)


def _check_request(request: AnimateRequest, read: frozenset[Path], makes_folders: bool) -> None:
    """Raise UsageError or InputError where a recording cannot be read or an output cannot be written."""
    from backend.audio.decode import check_is_file

    check_is_file(request.audio, "a sound or video file")
    request.check_outputs(read, makes_folders)


def _animate(request: AnimateRequest, actor: "Actor | None") -> None:
    from backend.cli.progress_report import ProgressReport
    from backend.inference.animate import animate

    with ProgressReport() as progress:
        animate(request, progress, actor, lambda path: progress.write(f"wrote {path}"))
    print(f"{request.audio.name}: {progress.summary()}", flush=True)


def build_requests(options: argparse.Namespace, timeline: "Timeline | None" = None) -> list[AnimateRequest]:
    """Return one request for each recording, its transcript still to be read.

    Raises UsageError where two would write to the same place, or an option is wrong. timeline: when what is said in the
    one recording, which was made of a text.
    """
    stems = [mend_name(path.stem) for path in options.audio]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise UsageError(f"Several recordings are called {twice[0]!r} and would overwrite each other; rename one.")
    if len({path.resolve() for path in options.out}) < len(options.out):
        raise UsageError("The same --out is given twice.")
    names = ("actor", "character", "map", "fps", "texture", "overwrite", "size", *STYLE_OPTIONS)
    settings = {name: getattr(options, name) for name in names}
    if options.language is not None:
        settings["language"] = options.language
    several = len(options.audio) > 1
    if several and options.transcript and not os.path.isdir(options.transcript):  # noqa: PTH112 - may be a long text
        raise UsageError("--transcript of several recordings must be a folder with a STEM.txt for each of them.")
    requests = [
        AnimateRequest(
            audio=audio,
            **(_places(options.out, stem) if several else {"outputs": tuple(options.out)}),
            timeline=timeline,
            keep_sound=timeline is not None,
            gains=parse_gains(options.gains),
            **settings,
        )
        for audio, stem in zip(options.audio, stems, strict=True)
    ]
    if options.character is not None and not any(path.suffix.lower() in CHARACTERS for path in options.out):
        raise UsageError(
            f"--character is shown by {' and '.join(CHARACTERS)} alone; add such an --out, or leave it away."
        )
    return requests


def add_transcript(request: AnimateRequest, given: str | None) -> AnimateRequest:
    """The request with what is said in its recording. Raises UsageError or InputError where that cannot be read.

    given: words, a text file, or a folder with a STEM.txt for each recording.
    """
    if not given:
        return request
    from backend.speech.transcript import read_transcript

    if os.path.isdir(given):  # noqa: PTH112 - a long text is an error to Path
        path = Path(given) / f"{request.audio.stem}.txt"
        if not path.is_file():
            raise UsageError(f"There is no transcript {path}; write one for each recording, an empty one for none.")
        return replace(request, transcript=read_transcript(str(path)))
    text = read_transcript(given)
    if not text.strip():
        print("mouthpiece: the transcript is empty; the lips follow the sound alone.", file=sys.stderr, flush=True)
    return replace(request, transcript=text)


def _places(outputs: list[Path], stem: str) -> dict[str, tuple[Path, ...]]:
    """Where one of several recordings goes: OUT/STEM, or beside OUT in a folder STEM where OUT is a file."""
    return {
        "outputs": tuple(out.parent / stem / out.name for out in outputs if out.suffix),
        "folders": tuple(out / stem for out in outputs if not out.suffix),
    }


@contextmanager
def _folders(request: AnimateRequest, makes_folders: bool) -> Iterator[None]:
    """Make the folders that one of several recordings is written in; those that stay empty go again."""
    places = {path.parent for path in request.places} if makes_folders else set()
    made = [folder for folder in places if not folder.exists()]
    for folder in places:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    try:
        yield
    finally:
        for folder in made:
            with suppress(OSError):  # it holds something
                folder.rmdir()
