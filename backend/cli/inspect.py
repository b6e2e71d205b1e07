"""Show what training would see in a video, and say what is wrong with it."""

import argparse
from pathlib import Path

from backend.cli.patterns import expand

EPILOG = """example:
  mouthpiece inspect interview.mp4 --out inspection/     (then open inspection/report.html)

The exit code is 0 even where findings are severe (report.json has them for scripts), 1 where a video was left out.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.epilog = EPILOG
    parser.add_argument("videos", type=Path, nargs="+", metavar="VIDEO", help="Video files of one speaker, or folders.")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="Folder for the report.")
    parser.add_argument(
        "--face-model",
        type=Path,
        metavar="FILE",
        help="A .task file for MediaPipe's newer tracker; training uses the one that is built in.",
    )
    parser.add_argument("--overwrite", action="store_true", help="Replace a report that exists.")


def run(options: argparse.Namespace) -> int:
    """Write the report and print its findings; returns the exit code, 1 where a video was left out."""
    from backend.audio.decode import check_is_file
    from backend.cli.progress_report import ProgressReport
    from backend.inspection.report import InspectRequest, inspect
    from backend.video.listing import list_videos

    videos = tuple(list_videos(expand(options.videos)))
    for video in videos:
        check_is_file(video, "a video of a speaker", may_be_empty=len(videos) > 1)  # then it is left out
    request = InspectRequest(videos, options.out, options.face_model, options.overwrite)
    with ProgressReport() as progress:
        inspection = inspect(request, progress)
    for finding in inspection.findings:
        print(f"{finding.severity}: {finding}")
    print(f"{inspection.verdict}\nwrote {request.out / 'report.html'}\n{progress.summary()}")
    return int(bool(inspection.left_out))
