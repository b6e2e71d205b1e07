"""Operators of the Train section: inspect a video, train an actor from it."""

from pathlib import Path

import bpy

from .activity import Activity
from .background import Background
from .client import default_home
from .errors import BackendError
from .line_files import safe_name
from .long_operator import CancelOperator, LongOperator
from .preferences import BACKEND, backend_choice
from .video_jobs import Consent, TrainRequest, find_videos, inspect_videos, train_actor

BUSY = "A video is being worked on; wait or cancel it"
_report: list[Path] = []


def chosen_videos(settings: bpy.types.PropertyGroup) -> tuple[Path, ...]:
    """The video of the settings, or those of its folder. Raises BackendError where none is chosen."""
    if not settings.video:
        raise BackendError("No video is chosen; choose one of a person who speaks into the camera.")
    return find_videos(Path(bpy.path.abspath(settings.video)))


class MOUTHPIECE_OT_inspect_video(LongOperator, bpy.types.Operator):
    """Look at what training would see in the video: tracking, light, sound, and whether it is good enough"""

    bl_idname = "mouthpiece.inspect_video"
    bl_label = "Inspect Video"
    place = "video"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available while no other video is worked on."""
        return cls.is_free(BUSY)

    def begin(self, context: bpy.types.Context) -> Activity:
        """Ask the backend for the report."""
        videos = chosen_videos(context.scene.mouthpiece_training)
        folder = default_home() / "blender" / "inspections" / safe_name(videos[0].stem if videos else "video")
        choice = backend_choice(context)

        def work(background: Background) -> Path:
            return inspect_videos(background, lambda: BACKEND.connect(choice), videos, folder)

        return Activity(Background(work), _inspected, cancelled="Cancelled; no report was written").start()


def _inspected(report: Path) -> str:
    _report[:] = [report]
    return f"The report is in {report}"


class MOUTHPIECE_OT_open_report(bpy.types.Operator):
    """Show the report of the last inspection in the browser"""

    bl_idname = "mouthpiece.open_report"
    bl_label = "Open Report"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available after an inspection."""
        if not _report or not _report[0].is_file():
            cls.poll_message_set("Inspect a video first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open it."""
        if bpy.app.background:
            self.report({"INFO"}, f"The report is in {_report[0]}")
        else:
            bpy.ops.wm.url_open(url=_report[0].as_uri())
        return {"FINISHED"}


class MOUTHPIECE_OT_train_actor(LongOperator, bpy.types.Operator):
    """Make an actor of the person in the video, with their consent; it takes from minutes to hours"""

    bl_idname = "mouthpiece.train_actor"
    bl_label = "Train Actor"
    place = "video"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available while no other video is worked on, once the actor has a name."""
        if not context.scene.mouthpiece_training.actor.strip():
            cls.poll_message_set("Give the new actor a name")
            return False
        return cls.is_free(BUSY)

    def begin(self, context: bpy.types.Context) -> Activity:
        """Ask the backend for the actor. Raises BackendError where the consent is incomplete."""
        settings = context.scene.mouthpiece_training
        request = train_request(settings)
        request.consent.check()
        choice, scene = backend_choice(context), context.scene.name

        def work(background: Background) -> str:
            return train_actor(background, lambda: BACKEND.connect(choice), request)

        return Activity(
            Background(work),
            lambda sentence: _trained(scene, request, sentence),
            cancelled="Cancelled; no actor was made",
        ).start()


def train_request(settings: bpy.types.PropertyGroup) -> TrainRequest:
    """What the settings ask for. Raises BackendError where no video is chosen."""
    names = ("speaker", "statement", "given_by", "date", "licence")
    actor = settings.actor.strip()
    return TrainRequest(
        videos=chosen_videos(settings),
        actor=actor,
        consent=Consent(**{name: getattr(settings, name).strip() for name in names}),
        folder=default_home() / "blender" / "trainings" / safe_name(actor),
        options={
            "preset": settings.preset,
            "accept_quality": settings.accept_quality,
            "overwrite": settings.overwrite,
        },
    )


def _trained(scene: str, request: TrainRequest, sentence: str) -> str:
    """Choose the new actor for the next line."""
    found = bpy.data.scenes.get(scene)
    if found is not None:
        found.mouthpiece.actor = request.actor
    return sentence


class MOUTHPIECE_OT_cancel_video(CancelOperator, bpy.types.Operator):
    """Stop what is being done with the video"""

    bl_idname = "mouthpiece.cancel_video"
    place = "video"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available while a video is worked on."""
        return cls.is_busy("No video is being worked on")


CLASSES = (
    MOUTHPIECE_OT_inspect_video,
    MOUTHPIECE_OT_open_report,
    MOUTHPIECE_OT_train_actor,
    MOUTHPIECE_OT_cancel_video,
)
register, unregister = bpy.utils.register_classes_factory(CLASSES)
