"""Operators of the backend: set it up, check it, start and stop it, read what it wrote."""

import bpy

from .activity import Activity
from .backend_process import backend_log, microphone_log
from .background import Background
from .errors import BackendError
from .long_operator import CancelOperator, LongOperator
from .preferences import BACKEND, backend_choice, remember_state, set_up_request, user_folder
from .set_up import LOG, remove_environment, set_up

BUSY = "Something is being done with the backend; wait or cancel it"


class MOUTHPIECE_OT_set_up_backend(LongOperator, bpy.types.Operator):
    """Make the backend's environment from what the add-on carries; downloads 0.3 GB of libraries, on Linux more"""

    bl_idname = "mouthpiece.set_up_backend"
    bl_label = "Set Up Backend"
    place = "backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available where Blender may go online and nothing else is under way."""
        if not getattr(bpy.app, "online_access", True):
            cls.poll_message_set("Its libraries are downloaded: switch on Preferences > System > Allow Online Access")
            return False
        return cls.is_free(BUSY)

    def begin(self, context: bpy.types.Context) -> Activity:
        """Start the set-up in a thread."""
        request = set_up_request(context)
        remember_state(False, "Not set up")

        def make(background: Background) -> str:
            _stop(background)  # it runs in the environment that is made anew
            return set_up(background, request)

        return Activity(Background(make), _set_up_done, cancelled="Cancelled; nothing was set up").start()


def _set_up_done(sentence: str) -> str:
    remember_state(True, sentence)
    return sentence


class MOUTHPIECE_OT_remove_backend(LongOperator, bpy.types.Operator):
    """Delete the environment that Set Up Backend made, to free its space; actors and animations stay"""

    bl_idname = "mouthpiece.remove_backend"
    bl_label = "Remove"
    place = "backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available where there is one."""
        if not (user_folder() / "environment").exists():
            cls.poll_message_set("The backend is not set up")
            return False
        return cls.is_free(BUSY)

    def begin(self, context: bpy.types.Context) -> Activity:
        """Start deleting in a thread."""
        folder = user_folder()

        def remove(background: Background) -> str:
            _stop(background)
            background.say("removing the backend")
            remove_environment(folder)
            return f"The backend's environment in {folder / 'environment'} was deleted"

        return Activity(Background(remove), _removed).start()


def _removed(sentence: str) -> str:
    remember_state(False, "Not set up")
    return sentence


class MOUTHPIECE_OT_check_backend(LongOperator, bpy.types.Operator):
    """Ask how the backend does, and how to mend what is wrong with it"""

    bl_idname = "mouthpiece.check_backend"
    bl_label = "Check Backend"
    place = "backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available while nothing else is under way."""
        return cls.is_free(BUSY)

    def begin(self, context: bpy.types.Context) -> Activity:
        """Check in a thread."""
        choice = backend_choice(context)

        def check(background: Background) -> tuple[bool, str]:
            background.say("checking the backend")
            return BACKEND.examine(choice)

        return Activity(Background(check), _checked).start()


def _checked(found: tuple[bool, str]) -> str:
    remember_state(*found)
    return found[1]


class MOUTHPIECE_OT_start_backend(LongOperator, bpy.types.Operator):
    """Start the backend now instead of with the first animation"""

    bl_idname = "mouthpiece.start_backend"
    bl_label = "Start"
    place = "backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available while nothing else is under way."""
        return cls.is_free(BUSY)

    def begin(self, context: bpy.types.Context) -> Activity:
        """Start it in a thread, which waits until it answers."""
        choice = backend_choice(context)

        def start(background: Background) -> str:
            background.say("starting the backend")
            try:
                return f"The backend is running at {BACKEND.connect(choice).url}"
            except BackendError as error:
                remember_state(False, str(error))
                raise

        return Activity(Background(start), _started).start()


def _started(sentence: str) -> str:
    remember_state(True, sentence)
    return sentence


class MOUTHPIECE_OT_stop_backend(LongOperator, bpy.types.Operator):
    """Stop the backend that this Blender started"""

    bl_idname = "mouthpiece.stop_backend"
    bl_label = "Stop"
    place = "backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available where this Blender started it."""
        if not BACKEND.started:
            cls.poll_message_set("This Blender has started no backend")
            return False
        return cls.is_free(BUSY)

    def begin(self, context: bpy.types.Context) -> Activity:
        """Stop it in a thread."""

        def stop(background: Background) -> str:
            _stop(background)
            return "The backend was stopped"

        return Activity(Background(stop), _stopped).start()


def _stop(background: Background) -> None:
    """Stop the backend, which takes a second or some to end in good order. Called in the thread."""
    background.say("stopping the backend")
    BACKEND.stop()


def _stopped(sentence: str) -> str:
    remember_state(False, "Stopped")
    return sentence


class MOUTHPIECE_OT_cancel_backend(CancelOperator, bpy.types.Operator):
    """Stop what is being done with the backend; an unfinished set-up is taken away"""

    bl_idname = "mouthpiece.cancel_backend"
    place = "backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available while something is under way."""
        return cls.is_busy("Nothing is being done with the backend")


class MOUTHPIECE_OT_open_log(bpy.types.Operator):
    """Show the newest log of the backend in a text block: its set-up's, or its own"""

    bl_idname = "mouthpiece.open_log"
    bl_label = "Open Log"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load the log as a text, and show it where there is a text editor."""
        logs = [path for path in (user_folder() / LOG, backend_log(), microphone_log()) if path.is_file()]
        if not logs:
            self.report({"WARNING"}, "There is no log yet: nothing was set up or started")
            return {"CANCELLED"}
        newest = max(logs, key=lambda path: path.stat().st_mtime)
        text = bpy.data.texts.get(newest.name) or bpy.data.texts.new(newest.name)
        text.from_string(newest.read_text("utf-8", errors="replace"))
        _show_text(context, text)
        self.report({"INFO"}, f"{newest} is in the text block {text.name}")
        return {"FINISHED"}


def _show_text(context: bpy.types.Context, text: bpy.types.Text) -> None:
    """Show a text in a text editor, opening a window for it where there is none."""
    if bpy.app.background or context.window is None:
        return
    if not any(area.type == "TEXT_EDITOR" for area in context.screen.areas):
        bpy.ops.wm.window_new()
        context.window_manager.windows[-1].screen.areas[0].type = "TEXT_EDITOR"
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "TEXT_EDITOR":
                area.spaces.active.text = text


CLASSES = (
    MOUTHPIECE_OT_set_up_backend,
    MOUTHPIECE_OT_remove_backend,
    MOUTHPIECE_OT_check_backend,
    MOUTHPIECE_OT_start_backend,
    MOUTHPIECE_OT_stop_backend,
    MOUTHPIECE_OT_cancel_backend,
    MOUTHPIECE_OT_open_log,
)
register, unregister = bpy.utils.register_classes_factory(CLASSES)
