"""Measure an actor against video of its speaker that it was not trained on."""

import argparse
import json
from pathlib import Path

from backend.cli.patterns import expand

EPILOG = """example:
  mouthpiece evaluate anna interview.mp4 --json anna.json --video anna_side_by_side.mp4

Parts of a video that the actor was trained on are passed over. docs/guide/evaluation.md says what each figure is.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.epilog = EPILOG
    parser.add_argument("actor", metavar="ACTOR", help="Name or folder of the actor.")
    parser.add_argument("videos", type=Path, nargs="+", metavar="VIDEO", help="Video files of the speaker, or folders.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the figures here too.")
    parser.add_argument("--video", type=Path, metavar="FILE.mp4", help="Write the first clip, truth beside prediction.")
    parser.add_argument(
        "--transcripts", type=Path, metavar="FILE",
        help="What is said: lines of a clip's name, a tab and the text; closures are then judged at /p b m/.",
    )  # fmt: skip
    parser.add_argument("--include-training", action="store_true", help="Judge the trained parts too (says little).")


def run(options: argparse.Namespace) -> int:
    """Print the figures as a table; returns the exit code, 1 where a video was left out."""
    from backend.actor_file import load_whole_actor
    from backend.actor_library import find_actor
    from backend.animation_file import check_output, new_file, places_read
    from backend.cli.progress_report import ProgressReport
    from backend.errors import UsageError
    from backend.video.listing import list_videos

    videos = list_videos(expand(options.videos))
    folder = find_actor(options.actor)
    read = places_read([*videos, *folder.iterdir(), *([options.transcripts] if options.transcripts else [])])
    for path in (options.json, options.video):
        if path is not None:
            check_output(path, overwrite=True, read=read)
    if options.video is not None and options.json is not None and options.video.resolve() == options.json.resolve():
        raise UsageError(f"--json and --video would both be written to {options.video}; give each a file of its own.")
    if options.video is not None and options.video.suffix != ".mp4":
        raise UsageError(f"--video writes an .mp4, got {options.video.name}.")
    actor = load_whole_actor(folder)
    from backend.audio.decode import check_is_file
    from backend.evaluation.evaluate import evaluate, read_transcripts
    from backend.evaluation.figures import format_figure

    for video in videos:
        check_is_file(video, "a video of the speaker", may_be_empty=len(videos) > 1)  # then it is left out
    transcripts = read_transcripts(options.transcripts) if options.transcripts else None
    with ProgressReport() as progress:
        figures = evaluate(actor, videos, transcripts, options.include_training, options.video, progress)
    if options.json:
        text = {name: value if value == value else None for name, value in figures.items()}  # JSON has no NaN
        with new_file(options.json, overwrite=True) as temporary:
            temporary.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")
    width = max(map(len, figures))
    print("\n".join(f"{name:{width}}  {format_figure(value):>10}" for name, value in figures.items()))
    return int(figures["left_out"] > 0)
