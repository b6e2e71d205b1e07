"""Runs inside a Blender with a window: `blender --factory-startup --python in_window.py -- FOLDER`.

Registers the add-on of this checkout, writes what the window shows to FOLDER/state.json, and does what
FOLDER/request.json asks for: change the view, and take a picture of the window. All else is clicked from outside.
"""

import json
import os
import sys
from pathlib import Path

import bpy

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
SECONDS = 0.25
UI_SCALE = 1.1
DRAWN: list[str] = []
"""The sections of the panel as they are drawn, the newest last."""
ROOT = Path(__file__).resolve().parents[2]


def _noted(name: str, draw):
    def note_and_draw(panel, context) -> None:
        DRAWN.append(name)
        draw(panel, context)

    return note_and_draw


def forgive_older_blender() -> None:
    """Let properties be declared with a translation context, which Blender 3.4 does not know."""
    if bpy.app.version >= (4, 2):
        return
    for name in ("BoolProperty", "EnumProperty", "FloatProperty", "IntProperty", "StringProperty"):
        setattr(bpy.props, name, _without_context(getattr(bpy.props, name)))


def _without_context(declare):
    def declare_without(*arguments, translation_context=None, **options):
        return declare(*arguments, **options)

    return declare_without


def set_up() -> None:
    """An empty scene and an open sidebar; the add-on is registered."""
    sys.path.insert(0, str(ROOT))
    import blender_addon
    from blender_addon.panels.animate import AnimateSection
    from blender_addon.result_options import ResultSection

    AnimateSection.draw = _noted("animate", AnimateSection.draw)
    ResultSection.draw = _noted("result", ResultSection.draw)
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "shot.blend"))  # so that // is this folder
    blender_addon.register()
    space_of("VIEW_3D").show_region_ui = True


def area_of(kind: str):
    """The window's area of a kind."""
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == kind)


def space_of(kind: str):
    """What the window's area of a kind shows."""
    return area_of(kind).spaces.active


def write_state() -> None:
    """Tell what is where, and how far the line is; heights are from the bottom of the window."""
    from blender_addon.activity import shown

    activity = shown("line")
    view = area_of("VIEW_3D")
    sidebar = next(region for region in view.regions if region.type == "UI")
    scene = bpy.context.scene
    content = {
        "sidebar": [sidebar.x, sidebar.y, sidebar.width, sidebar.height],
        "sound": scene.mouthpiece.sound,
        "face": scene.mouthpiece.face,
        "activity": None if activity is None else [activity.ended, activity.failed, activity.message],
        "objects": [item.name for item in scene.objects],
        "meshes": {mesh.name: len(mesh.vertices) for mesh in bpy.data.meshes},
        "panel": bool(DRAWN),
        "result": DRAWN[-1:] == ["result"],  # it comes after the section Animate, and not when it is closed
        "frames": [scene.frame_start, scene.frame_end],
    }
    temporary = FOLDER / "state.part"
    temporary.write_text(json.dumps(content), "utf-8")
    temporary.replace(FOLDER / "state.json")


def answer_request() -> None:
    """Do what is asked for, once."""
    path = FOLDER / "request.json"
    if not path.exists():
        return
    request = json.loads(path.read_text("utf-8"))
    if "frame" in request:
        bpy.context.scene.frame_set(request["frame"])
    if "character" in request:
        add_character(request["character"])
    if "shading" in request:
        view = space_of("VIEW_3D")
        view.shading.type = request["shading"]
        view.overlay.show_overlays = False
        view.region_3d.view_perspective = "CAMERA"
    if "picture" in request:
        window = bpy.context.window_manager.windows[0]
        with bpy.context.temp_override(window=window, screen=window.screen):
            bpy.ops.screen.screenshot(filepath=str(FOLDER / request["picture"]))
    path.unlink()


def add_character(keys: list[str]) -> None:
    """A selected mesh with shape keys of these names, as far as the panel can tell a character."""
    from tests.blender.rigs import add_mesh, select

    select(add_mesh("Hero", keys))


def tick() -> float:
    """Called by Blender's timer."""
    try:
        answer_request()
        write_state()
    except Exception as error:  # the driver must see it rather than wait
        (FOLDER / "error.txt").write_text(repr(error), "utf-8")
        os._exit(1)
    return SECONDS


def begin() -> None:
    """Once the window is there."""
    try:
        forgive_older_blender()
        set_up()
    except Exception as error:  # as above
        (FOLDER / "error.txt").write_text(repr(error), "utf-8")
        os._exit(1)
    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)


bpy.context.preferences.view.show_splash = False  # before the window is drawn for the first time
bpy.context.preferences.view.ui_scale = UI_SCALE
bpy.app.timers.register(begin, first_interval=1.0)
