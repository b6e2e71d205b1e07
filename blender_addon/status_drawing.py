"""How far work is and what became of it, drawn the same in the panels and in the preferences."""

import bpy

from .activity import Work


def draw_progress(layout: bpy.types.UILayout, activity: Work, cancel: str) -> None:
    """How far an activity is, and a button that stops it."""
    progress = activity.progress
    left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s"
    stage = bpy.app.translations.pgettext_iface(progress.stage)
    row = layout.row(align=True)
    if hasattr(row, "progress"):
        row.progress(factor=progress.fraction, text=f"{stage}{left}")
    else:  # Blender before 4.0
        row.label(text=f"{stage} {progress.fraction:.0%}{left}", translate=False)
    row.operator(cancel, text="", icon="X")


def draw_sentence(layout: bpy.types.UILayout, sentence: str, icon: str, width: int = 60) -> None:
    """A sentence in as many lines as it needs: a label shows no more than fits."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for index, line in enumerate(split_lines(sentence, width)):
        column.label(text=line, icon=icon if index == 0 else "BLANK1", translate=False)


def split_lines(sentence: str, width: int) -> list[str]:
    """Lines of whole words, of at most so many letters where a word is not longer."""
    lines, line = [], ""
    for word in sentence.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]
