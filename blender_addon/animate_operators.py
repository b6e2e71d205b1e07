"""Operators that need the backend: animate, cancel, and the backend's own."""

from typing import ClassVar

import bpy

from .errors import AddonError
from .face_operators import corrections_of, recognised, selected_meshes
from .preferences import BACKEND, backend_choice, remember_state
from .session import Target, current_session, show_session, start_session, watch_session
from .speech_source import file_source, strip_source


class MOUTHPIECE_OT_animate(bpy.types.Operator):
    """Animate the sound with the backend, and bake the result onto the character or a new talking head"""

    bl_idname = "mouthpiece.animate"
    bl_label = "Animate"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available in object mode while nothing else is under way, with a character where one is to be driven."""
        session = current_session()
        if session is not None and not session.ended:
            cls.poll_message_set("A line is being animated; wait or cancel it")
            return False
        if context.mode != "OBJECT":
            cls.poll_message_set("Leave edit mode first")
            return False
        if context.scene.mouthpiece.face == "CHARACTER" and not selected_meshes(context):
            cls.poll_message_set("Select a character: an object with shape keys, or its armature")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start, and let Blender go on."""
        session = self._start(context)
        if session is None:
            return {"CANCELLED"}
        watch_session(session)
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Animate and wait for the end."""
        session = self._start(context)
        if session is None:
            return {"CANCELLED"}
        session.run()
        self.report({"ERROR" if session.failed else "INFO"}, session.message)
        return {"CANCELLED"} if session.failed else {"FINISHED"}

    def _start(self, context: bpy.types.Context):
        settings = context.scene.mouthpiece
        try:
            strip = settings.speech == "STRIP"
            source = strip_source(context.scene) if strip else file_source(settings.sound, settings.start)
            session = start_session(context, source, chosen_target(context), settings.actor.strip() or "default")
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return None
        show_session(session)
        return session


def chosen_target(context: bpy.types.Context) -> Target:
    """What the panel's settings say to bake onto. Raises MappingError before anything is asked of the backend."""
    settings = context.scene.mouthpiece
    if settings.face != "CHARACTER":
        return Target(context.scene.name)
    meshes = selected_meshes(context)
    recognised(meshes, settings.map_name).check()
    names = tuple(mesh.name for mesh in meshes)
    return Target(context.scene.name, names, settings.map_name, tuple(corrections_of(meshes)))


class MOUTHPIECE_OT_cancel(bpy.types.Operator):
    """Stop the line that is being animated; nothing is baked"""

    bl_idname = "mouthpiece.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available while a line is under way."""
        session = current_session()
        return session is not None and not session.ended

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the job to end."""
        session = current_session()
        if session is not None:
            session.job.cancel()
        return {"FINISHED"}


class MOUTHPIECE_OT_check_backend(bpy.types.Operator):
    """Ask how the backend does, and how to mend what is wrong with it"""

    bl_idname = "mouthpiece.check_backend"
    bl_label = "Check Backend"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Check and report."""
        running, sentence = BACKEND.check(backend_choice(context))
        remember_state(running, sentence)
        self.report({"INFO" if running else "WARNING"}, sentence)
        return {"FINISHED"}


class MOUTHPIECE_OT_start_backend(bpy.types.Operator):
    """Start the backend now instead of with the first animation"""

    bl_idname = "mouthpiece.start_backend"
    bl_label = "Start"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start it and wait until it answers."""
        try:
            client = BACKEND.connect(backend_choice(context))
        except AddonError as error:
            remember_state(False, str(error))
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        remember_state(True, f"Running at {client.url}")
        self.report({"INFO"}, f"The backend is running at {client.url}")
        return {"FINISHED"}


class MOUTHPIECE_OT_stop_backend(bpy.types.Operator):
    """Stop the backend that this Blender started"""

    bl_idname = "mouthpiece.stop_backend"
    bl_label = "Stop"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available where this Blender started it."""
        if not BACKEND.started:
            cls.poll_message_set("This Blender has started no backend")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stop it."""
        BACKEND.stop()
        remember_state(False, "Stopped")
        self.report({"INFO"}, "The backend was stopped")
        return {"FINISHED"}


CLASSES = (
    MOUTHPIECE_OT_animate,
    MOUTHPIECE_OT_cancel,
    MOUTHPIECE_OT_check_backend,
    MOUTHPIECE_OT_start_backend,
    MOUTHPIECE_OT_stop_backend,
)


def register() -> None:
    """Register the operators."""
    for item in CLASSES:
        bpy.utils.register_class(item)


def unregister() -> None:
    """Unregister the operators; a job under way ends without a bake."""
    session = current_session()
    if session is not None:
        session.job.cancel()
        session.ended = True
    for item in reversed(CLASSES):
        bpy.utils.unregister_class(item)
