"""Turn speech into an animated talking face."""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from backend.cli.options import add_options, field_docs
from backend.errors import UsageError
from backend.inference.request import ENDINGS, AnimateRequest
from backend.inference.style import Style, parse_gains

if TYPE_CHECKING:
    from backend.speech.timeline import Timeline

SPEECH = "speech.wav"
"""Name of the sound that is made of a text."""
STYLE_OPTIONS = ("intensity", "smooth", "style", "jaw", "lips", "silence_gate", "blinks", "brows", "head", "seed")
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
    parser.add_argument(
        "--voice", default="en-us", metavar="NAME", help="espeak-ng's voice for --text, as en-us+f2 or fr (en-us)."
    )
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
        "folder of STEM.txt. The words and their times are written to markers.json.",
    )
    parser.add_argument("--language", default=AnimateRequest.language, metavar="NAME", help=docs["language"])
    add_options(parser, AnimateRequest, ("map", "fps", "texture", "overwrite", "size"))
    style = parser.add_argument_group("style", "How the face performs it; vertices and weights alike.")
    add_options(style, Style, STYLE_OPTIONS)
    style.add_argument("--gains", default="", metavar="NAME=FACTOR,...", help=docs["gains"])


def run(options: argparse.Namespace) -> None:
    """Animate the recordings, or the text as it is spoken."""
    if bool(options.audio) == (options.text is not None):
        raise UsageError("Give either recordings or --text.")
    if options.text is None:
        animate_all(options)
        return
    from backend.speech.espeak import save_speech

    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / SPEECH
        timeline = save_speech(options.text, options.voice, sound)
        options.audio = [sound]
        animate_all(options, timeline)
        for path in options.out:
            if not path.suffix:  # files hold their sound; beside bare numbers it would be lost
                shutil.copyfile(options.audio[0], path / SPEECH)


def animate_all(options: argparse.Namespace, timeline: "Timeline | None" = None) -> None:
    """Check everything that was asked for, then animate one recording after the other with the actor loaded once.

    timeline: when what is said in the one recording, where that is known exactly.
    """
    from backend.actor_file import load_actor
    from backend.actor_library import find_actor
    from backend.animation_file import check_output
    from backend.audio.decode import check_is_file
    from backend.cli.progress_report import ProgressReport
    from backend.inference.animate import animate

    requests = build_requests(options, timeline)
    for request in requests:
        check_is_file(request.audio, "a sound or video file")
        if request.character is not None:
            check_is_file(request.character, "a character (.blend, .glb)")
        for path in request.places:
            if len(requests) == 1 or path.parent.exists():
                check_output(path, request.overwrite)
    actor = load_actor(find_actor(options.actor))
    for request in requests:
        if len(requests) > 1:
            _make_folders(request)
        with ProgressReport() as progress:
            written = animate(request, progress, actor)
        for path in written:
            print(f"wrote {path}")
        print(f"{request.audio.name}: {progress.summary()}", flush=True)


def build_requests(options: argparse.Namespace, timeline: "Timeline | None" = None) -> list[AnimateRequest]:
    """Return one request for each recording. Raises UsageError where two would write to the same place."""
    stems = [path.stem for path in options.audio]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise UsageError(f"Several recordings are called {twice[0]!r} and would overwrite each other; rename one.")
    if len(set(options.out)) < len(options.out):
        raise UsageError("The same --out is given twice.")
    names = ("actor", "character", "map", "fps", "texture", "overwrite", "size", "language", *STYLE_OPTIONS)
    settings = {name: getattr(options, name) for name in names}
    several = len(options.audio) > 1
    return [
        AnimateRequest(
            audio=audio,
            outputs=tuple(_place(out, audio.stem) if several else out for out in options.out),
            transcript=_transcript(options.transcript, audio, several),
            timeline=timeline,
            gains=parse_gains(options.gains),
            **settings,
        )
        for audio in options.audio
    ]


def _transcript(given: str | None, audio: Path, several: bool) -> str:
    """What is said in a recording. Raises UsageError where several recordings are given one text."""
    if given is None:
        return ""
    from backend.speech.transcript import read_transcript

    if not several:
        return read_transcript(given)
    folder = Path(given)
    if not folder.is_dir():
        raise UsageError("--transcript of several recordings must be a folder with a STEM.txt for each of them.")
    path = folder / f"{audio.stem}.txt"
    if not path.is_file():
        raise UsageError(f"There is no transcript {path}; write one for each recording, an empty one for none.")
    return read_transcript(str(path))


def _place(out: Path, stem: str) -> Path:
    """Where one of several recordings goes: OUT/STEM, or beside OUT in a folder STEM where OUT is a file."""
    return out.parent / stem / out.name if out.suffix else out / stem


def _make_folders(request: AnimateRequest) -> None:
    for path in request.outputs:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"The folder {path.parent} cannot be made: {error.strerror}.") from None
