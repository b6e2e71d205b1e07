"""Operators of the Live section: begin, stop."""

from pathlib import Path

import bpy

from .activity import under_way
from .animate_operators import character_target
from .background import Background
from .errors import AnimationError
from .face_operators import selected_meshes
from .live import LiveRun, bake_recording, live_face
from .live_stream import LiveRequest, LiveStream
from .long_operator import CancelOperator, LongOperator
from .preferences import BACKEND, backend_choice
from .session import frame_rate


class MOUTHPIECE_OT_live_start(LongOperator, bpy.types.Operator):
    """Move the selected character with the voice at the microphone, or with a sound file in its own time"""

    bl_idname = "mouthpiece.live_start"
    bl_label = "Start Live"
    place = "live"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available with a character selected."""
        if not selected_meshes(context):
            cls.poll_message_set("Select a character: an object with shape keys, or its armature")
            return False
        return cls.is_free("Live is running; stop it first")

    def begin(self, context: bpy.types.Context) -> LiveRun:
        """Start the stream."""
        settings, scene = context.scene.mouthpiece_live, context.scene
        face = live_face(scene, character_target(scene, selected_meshes(context)))
        request = live_request(scene)
        choice = backend_choice(context)
        stream = LiveStream(request, choice, lambda: BACKEND.connect(choice))
        start, take = float(scene.frame_current), settings.take.strip() or "Live"
        again = settings.replace_take
        run = LiveRun(
            Background(stream.work),
            lambda count: bake_recording(run, take, start, again),
            cancelled="Cancelled; nothing was recorded",
            undo="Mouthpiece: Live" if settings.record else "",
            tick=1.0 / request.fps,
            stream=stream,
            face=face,
            record=settings.record,
        )
        run.start()
        return run


def live_request(scene: bpy.types.Scene) -> LiveRequest:
    """What the settings ask for, at the scene's rate. Raises AnimationError where no file is chosen."""
    settings = scene.mouthpiece_live
    sound = None
    if settings.source == "FILE":
        if not settings.sound:
            raise AnimationError("No sound is chosen; choose a file, or the microphone.")
        sound = Path(bpy.path.abspath(settings.sound))
        if not sound.is_file():
            raise AnimationError(f"There is no sound at {sound}; choose an existing file.")
    actor = scene.mouthpiece.actor.strip() or "default"
    return LiveRequest(actor, frame_rate(scene), settings.look_ahead, sound, settings.device.strip())


class MOUTHPIECE_OT_live_stop(bpy.types.Operator):
    """Stop; what was recorded is baked into keys"""

    bl_idname = "mouthpiece.live_stop"
    bl_label = "Stop Live"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available while it runs."""
        if under_way("live") is None:
            cls.poll_message_set("Live is not running")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Let the stream end in good order."""
        run = under_way("live")
        if isinstance(run, LiveRun):
            run.stop()
        return {"FINISHED"}


class MOUTHPIECE_OT_live_cancel(CancelOperator, bpy.types.Operator):
    """Stop without a recording"""

    bl_idname = "mouthpiece.live_cancel"
    place = "live"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available while it runs."""
        return cls.is_busy("Live is not running")


CLASSES = (MOUTHPIECE_OT_live_start, MOUTHPIECE_OT_live_stop, MOUTHPIECE_OT_live_cancel)
register, unregister = bpy.utils.register_classes_factory(CLASSES)
