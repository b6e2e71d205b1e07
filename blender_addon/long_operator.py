"""What operators have in common whose work goes on in a thread: a window stays usable, a script waits for the end."""

import bpy

from .activity import Work, show, under_way, watch
from .errors import AddonError


class LongOperator:
    """Base of such operators; they say in `begin` what is to be done, and show it at `place`."""

    place = "line"

    def begin(self, context: bpy.types.Context) -> Work:
        """Start the work. Raises AddonError where it cannot be."""
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start, and let Blender go on."""
        activity = self._start(context)
        if activity is None:
            return {"CANCELLED"}
        watch(activity)
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do the work, wait for its end, and report what was made."""
        activity = self._start(context)
        if activity is None:
            return {"CANCELLED"}
        activity.run()
        self.report({"ERROR" if activity.failed else "INFO"}, activity.message)
        return {"CANCELLED"} if activity.failed else {"FINISHED"}

    def _start(self, context: bpy.types.Context) -> Work | None:
        try:
            return show(self.place, self.begin(context))
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return None

    @classmethod
    def is_free(cls, sentence: str) -> bool:
        """Whether nothing else is under way at the place; says the sentence where something is."""
        if under_way(cls.place) is None:
            return True
        cls.poll_message_set(sentence)
        return False


class CancelOperator:
    """Base of the operators that ask the work at a `place` to end."""

    bl_label = "Cancel"
    place = "line"

    @classmethod
    def is_busy(cls, sentence: str) -> bool:
        """Whether something is under way at the place; says the sentence where nothing is."""
        if under_way(cls.place) is not None:
            return True
        cls.poll_message_set(sentence)  # type: ignore[attr-defined]
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the work to end."""
        work = under_way(self.place)
        if work is not None:
            work.cancel()
        return {"FINISHED"}
