"""What workers do for each kind of job, and how uploads are looked at; runs in the worker process."""

import json
import os
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.errors import ActorError
from backend.inference.request import SPEECH
from backend.progress import Progress
from backend.renaming import move
from backend.service.result_file import write_result
from backend.trust.provenance import file_sha256

if TYPE_CHECKING:
    from backend.speech.timeline import Timeline

Task = dict[str, Any]
"""task: its name; folder: where it may write; for a job also request, sources and result (the zip to write)."""

INSTALLED = "installed.txt"
"""In a training's folder: the digest of the description of the actor that it has installed."""


def warm_up() -> None:
    """Load what every animation needs, before the first is asked for."""
    import backend.inference.animate
    import backend.inference.outputs
    import backend.inference.texture  # noqa: F401
    from backend.actor_file import description_digest, read_description
    from backend.actor_library import find_actor
    from backend.errors import MouthpieceError

    try:
        digest = description_digest(read_description(find_actor("default")))
        _ = find_loaded_actor("default", digest).model
    except MouthpieceError:
        return  # the first job will say what is wrong with it


@lru_cache(maxsize=4)
def load_actor_once(folder: str, digest: str):
    """The actor of a digest, kept loaded. Raises ActorError where another one is there, and looks again next time."""
    from backend.actor_file import load_actor

    actor = load_actor(Path(folder))
    if actor.digest != digest:
        raise ActorError(f"The actor {actor.name} has changed since the job was accepted; retry the job.")
    return actor


def find_loaded_actor(name: str, digest: str):
    """The actor that the job was accepted for. Raises ActorError where it has changed since."""
    from backend.actor_library import find_actor

    return load_actor_once(str(find_actor(name)), digest)


def animate_job(task: Task, progress: Progress) -> dict[str, Any]:
    """One recording to the files that were asked for."""
    request = task["request"]
    sound = _named_sources(task)[0]
    _animate(sound, request, _result_folder(task), progress)
    return _pack(task)


def batch_job(task: Task, progress: Progress) -> dict[str, Any]:
    """Many recordings, each into a folder of its own; one that fails does not stop the others."""
    request, result = task["request"], _result_folder(task)
    report = []
    from backend.errors import Cancelled, MouthpieceError
    from backend.service.worker import without_places

    for number, (line, sound) in enumerate(zip(request["lines"], _named_sources(task), strict=True)):
        progress("lines", number, len(request["lines"]))
        folder = result / line["name"]
        folder.mkdir()
        try:
            _animate(sound, line, folder, progress)
            report.append({"name": line["name"], "state": "done"})
        except Cancelled:
            raise
        except MouthpieceError as error:
            shutil.rmtree(folder)
            sentence = without_places(str(error), Path(task["folder"]))
            progress(f"{line['name']}: {sentence}", 0, 0)
            report.append({"name": line["name"], "state": "failed", "error": sentence})
    progress("lines", len(request["lines"]), len(request["lines"]))
    (result / "lines.json").write_text(json.dumps(report, indent=1))
    if all(row["state"] == "failed" for row in report):
        raise MouthpieceError(f"None of the {len(report)} lines could be animated; the first: {report[0]['error']}")
    return _pack(task)


def inspect_job(task: Task, progress: Progress) -> dict[str, Any]:
    """What training would see in some videos: report.html and its pictures."""
    from backend.inspection.report import InspectRequest, inspect

    inspection = inspect(InspectRequest(tuple(_named_sources(task)), _result_folder(task), overwrite=True), progress)
    return _pack(task) | {"note": inspection.verdict}


def train_job(task: Task, progress: Progress) -> dict[str, Any]:
    """Videos to an actor among the user's own; goes on where an earlier try was cut short."""
    from backend.actor_file import DESCRIPTION
    from backend.actor_library import user_actors

    name, folder = task["request"]["actor"], Path(task["folder"])
    actor, installed = user_actors() / name, folder / INSTALLED
    if not (installed.is_file() and _digest(actor / DESCRIPTION) == installed.read_text()):
        _train(task, progress)
        installed.write_text(_digest(actor / DESCRIPTION))
    result = _result_folder(task)
    shutil.copytree(actor, result / name)
    for picture in (folder / "training").glob("*.png"):
        shutil.copy(picture, result)
    return _pack(task)


def _digest(path: Path) -> str:
    return file_sha256(path) if path.is_file() else ""


def _train(task: Task, progress: Progress) -> None:
    from backend.training.config import TrainConfig
    from backend.training.train import TrainRequest, train

    request, folder = task["request"], Path(task["folder"])
    options = dict(request["options"])
    consent, work = folder / "consent.json", folder / "training"
    consent.write_text(json.dumps(request["consent"]))
    job = TrainRequest(
        videos=tuple(_named_sources(task)),
        actor=request["actor"],
        consent=consent,
        work=work,
        resume=(work / "checkpoint.safetensors").exists(),
        overwrite=options.pop("overwrite"),
        accept_quality=options.pop("accept_quality"),
        config=TrainConfig(**options),
    )
    train(job, progress)


def _animate(sound: Path, line: dict[str, Any], folder: Path, progress: Progress) -> None:
    """Write animation, preview and the other outputs of one recording into an empty folder.

    line: actor, actor_digest, options, and spoken where the recording was made of a text.
    """
    from backend.inference.animate import animate
    from backend.inference.request import AnimateRequest
    from backend.service.preview import write_preview

    name, options = line["actor"], line["options"]
    actor = find_loaded_actor(name, line["actor_digest"])
    settings = {key: value for key, value in options.items() if key != "outputs"}
    files = tuple(folder / f"{sound.stem}.{ending}" for ending in options["outputs"])
    bare = folder / "bare"
    timeline = _spoken_timeline(line.get("spoken"))
    animate(AnimateRequest(sound, name, (bare, *files), timeline=timeline, **settings), progress, actor)
    for path in bare.iterdir():
        move(path, folder / path.name)
    bare.rmdir()
    if timeline is not None:  # who asked with words has no recording yet
        shutil.copyfile(sound, folder / SPEECH)
    write_preview(folder, sound)


def _spoken_timeline(spoken: dict[str, str] | None) -> "Timeline | None":
    """When what is said in a recording that was made of a text: the same voice says it in the same time again."""
    if spoken is None:
        return None
    from backend.speech.espeak import speak
    from backend.speech.timeline import Timeline

    said = speak(spoken["text"], spoken["voice"])
    return Timeline(tuple(said.phones), tuple(said.words))


def _named_sources(task: Task) -> list[Path]:
    """The job's uploads under the names that people gave them: messages and Blender show these."""
    folder = Path(task["folder"]) / "input"
    shutil.rmtree(folder, ignore_errors=True)
    paths = []
    for number, source in enumerate(task["sources"]):
        path = folder / str(number) / source["name"]
        path.parent.mkdir(parents=True)
        try:
            os.link(source["path"], path)
        except OSError:
            shutil.copyfile(source["path"], path)  # a disk without links
        paths.append(path)
    return paths


def _result_folder(task: Task) -> Path:
    folder = Path(task["folder"]) / "result"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _pack(task: Task) -> dict[str, Any]:
    target = Path(task["result"])
    target.unlink(missing_ok=True)
    size, digest = write_result(Path(task["folder"]) / "result", target)
    return {"size": size, "sha256": digest}


def _checks() -> dict[str, Callable[[Task, Progress], dict[str, Any]]]:
    from backend.service.actor_check import check_actor
    from backend.service.media_check import check_sound, check_video

    return {"check_sound": check_sound, "check_video": check_video, "check_actor": check_actor}


TASKS: dict[str, Callable[[Task, Progress], dict[str, Any]]] = {
    "animate": animate_job,
    "batch": batch_job,
    "inspect": inspect_job,
    "train": train_job,
    **_checks(),
}
