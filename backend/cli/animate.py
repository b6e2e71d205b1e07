"""Turn speech into an animated talking face."""

import argparse
import shutil
import tempfile
from pathlib import Path

from backend.cli.options import add_options, field_docs
from backend.errors import UsageError
from backend.inference.request import ENDINGS, AnimateRequest

SPEECH = "speech.wav"
"""Name of the sound that is made of a text."""
EPILOG = """examples:
  mouthpiece animate line.wav --actor default --out shot.blend --out shot.mp4
  mouthpiece animate --text "Nice to meet you." --actor default --out shot.blend
  mouthpiece animate line.wav --actor default --character hero.blend --map arkit --out shot.blend
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
    add_options(parser, AnimateRequest, ("map", "fps", "intensity", "smooth", "texture", "overwrite", "size"))


def run(options: argparse.Namespace) -> None:
    """Animate the recordings, or the text as it is spoken."""
    if bool(options.audio) == (options.text is not None):
        raise UsageError("Give either recordings or --text.")
    if options.text is None:
        animate_all(options)
        return
    from backend.speech.espeak import save_speech

    with tempfile.TemporaryDirectory() as folder:
        options.audio = [save_speech(options.text, options.voice, Path(folder) / SPEECH)]
        animate_all(options)
        for path in options.out:
            if not path.suffix:  # files hold their sound; beside bare numbers it would be lost
                shutil.copyfile(options.audio[0], path / SPEECH)


def animate_all(options: argparse.Namespace) -> None:
    """Check everything that was asked for, then animate one recording after the other with the actor loaded once."""
    from backend.actor_file import load_actor
    from backend.actor_library import find_actor
    from backend.animation_file import check_output
    from backend.audio.decode import check_is_file
    from backend.cli.progress_report import ProgressReport
    from backend.inference.animate import animate

    requests = build_requests(options)
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


def build_requests(options: argparse.Namespace) -> list[AnimateRequest]:
    """Return one request for each recording. Raises UsageError where two would write to the same place."""
    stems = [path.stem for path in options.audio]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise UsageError(f"Several recordings are called {twice[0]!r} and would overwrite each other; rename one.")
    if len(set(options.out)) < len(options.out):
        raise UsageError("The same --out is given twice.")
    names = ("actor", "character", "map", "fps", "intensity", "smooth", "texture", "overwrite", "size")
    settings = {name: getattr(options, name) for name in names}
    several = len(options.audio) > 1
    return [
        AnimateRequest(
            audio=audio, outputs=tuple(_place(out, audio.stem) if several else out for out in options.out), **settings
        )
        for audio in options.audio
    ]


def _place(out: Path, stem: str) -> Path:
    """Where one of several recordings goes: OUT/STEM, or beside OUT in a folder STEM where OUT is a file."""
    return out.parent / stem / out.name if out.suffix else out / stem


def _make_folders(request: AnimateRequest) -> None:
    for path in request.outputs:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"The folder {path.parent} cannot be made: {error.strerror}.") from None
