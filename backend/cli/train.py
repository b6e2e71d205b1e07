"""Make an actor from video of one speaker, with their consent."""

import argparse
import dataclasses
import os
from pathlib import Path

from backend.cli.options import add_options
from backend.cli.patterns import expand
from backend.training.config import TrainConfig

OPTIONS = ("preset", "epochs", "seed", "held_out", "device", "from_scratch")
"""Fields of TrainConfig that the command line offers; the others stay at their defaults."""
EPILOG = """example:
  mouthpiece train interview.mp4 --actor anna --consent anna_consent.json

The consent record is a JSON file with speaker, statement, given_by, date and licence.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.epilog = EPILOG
    parser.add_argument("videos", type=Path, nargs="+", metavar="VIDEO", help="Video files of one speaker, or folders.")
    parser.add_argument("--actor", required=True, metavar="NAME", help="Name of the new actor.")
    parser.add_argument("--consent", required=True, type=Path, metavar="FILE", help="The speaker's consent record.")
    parser.add_argument("--out", type=Path, metavar="DIR", help="Folder of the actor (among your actors).")
    parser.add_argument("--work", type=Path, metavar="DIR", help="Folder for dataset and checkpoints (beside it).")
    parser.add_argument("--resume", action="store_true", help="Go on with an unfinished run.")
    parser.add_argument("--overwrite", action="store_true", help="Replace an actor that exists.")
    parser.add_argument(
        "--accept-quality", action="store_true", help="Train although the data-quality gate finds the videos unfit."
    )
    add_options(parser, TrainConfig, OPTIONS)


def run(options: argparse.Namespace) -> None:
    """Train the actor and say where it is."""
    config = TrainConfig(**{name: getattr(options, name) for name in OPTIONS})
    from backend.audio.decode import check_is_file
    from backend.cli.progress_report import ProgressReport
    from backend.training.train import TrainRequest, train
    from backend.video.listing import list_videos

    names = [
        field.name for field in dataclasses.fields(TrainRequest) if field.name not in ("videos", "named", "config")
    ]
    settings = {name: getattr(options, name) for name in names}
    named = tuple(expand(options.videos))
    request = TrainRequest(tuple(list_videos(named)), named=named, config=config, **settings)
    for video in request.videos:
        check_is_file(video, "a video of the speaker", may_be_empty=len(request.videos) > 1)  # then it is left out
    if os.environ.get("RANK", "0") != "0":  # of several processes under torchrun the first one speaks
        train(request)
        return
    with ProgressReport() as progress:
        folder = train(request, progress)
    print(f"wrote {folder}\nreport: {request.report}\n{progress.summary()}")
    print(f"Use it with: mouthpiece animate AUDIO --actor {_handle(request)} ...")


def _handle(request) -> str:
    """What to give to --actor: the name, or the folder where the actor is not among the user's own."""
    return request.actor if request.out is None else str(request.out)
