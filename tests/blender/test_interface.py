"""What people see and press: words in two languages, presets, dropped files, reasons, shortcuts, actors."""

import dataclasses
from pathlib import Path

import pytest

from backend.inference.style import LIMITS, Style
from tests.blender.interface_strings import drawn_strings, registered_strings
from tests.blender.rigs import add_mesh, select
from tests.blender.scene_checks import empty_scene
from tests.blender.sound import write_tone

pytestmark = pytest.mark.blender


def untranslated() -> dict:
    """What is not in each language, and what is translated in vain; placeholders that differ."""
    import blender_addon
    from blender_addon.translations import LANGUAGES, dictionary

    empty_scene()
    blender_addon.register()
    every = registered_strings() | drawn_strings()
    found = {locale: [sorted(every - set(table)), sorted(set(table) - every)] for locale, table in LANGUAGES.items()}
    contexts = sorted({context for context, _ in dictionary()["de_DE"]})
    same = sorted(english for english, words in LANGUAGES["de_DE"].items() if english == words)
    blender_addon.unregister()
    return {"found": found, "contexts": contexts, "count": len(every), "same": same}


def test_every_visible_word_is_translated(blender) -> None:
    found = blender(untranslated)
    assert found["count"] > 250
    assert found["found"] == {"de_DE": [[], []]}
    assert found["contexts"] == ["*", "Mouthpiece", "Operator"]
    # Words that German shares with English; anything longer was forgotten.
    assert all(" " not in word for word in found["same"])


def tooltips() -> list[str]:
    """Operators and their properties that say nothing when the mouse rests on them."""
    import bpy

    import blender_addon

    empty_scene()
    blender_addon.register()
    silent = []
    for name in dir(bpy.ops.mouthpiece):
        described = getattr(bpy.ops.mouthpiece, name).get_rna_type()
        silent += [name] if not described.description else []
        silent += [
            f"{name}.{prop.identifier}"
            for prop in described.properties
            if prop.identifier != "rna_type" and not prop.description and not prop.is_hidden
        ]
    blender_addon.unregister()
    return silent


def test_everything_has_a_tooltip(blender) -> None:
    assert blender(tooltips) == []


def drop_sounds(sounds: list[str]) -> dict:
    """Drop one sound, several, and one that is not there."""
    import bpy

    import blender_addon

    scene = empty_scene()
    scene.frame_set(12)
    blender_addon.register()
    found = {"one": list(bpy.ops.mouthpiece.take_sound(filepath=sounds[0]))}
    settings = scene.mouthpiece
    found["taken"] = [settings.speech, settings.sound, settings.start]
    folder = str(Path(sounds[0]).parent)
    names = [{"name": Path(sound).name} for sound in sounds]
    found["several"] = list(bpy.ops.mouthpiece.take_sound(directory=folder, files=names))
    found["lines"] = [[line.speech, line.sound, line.state] for line in scene.mouthpiece_batch.lines]
    for path in ("", sounds[0] + ".gone"):
        try:
            bpy.ops.mouthpiece.take_sound(filepath=path)
        except RuntimeError as error:
            found.setdefault("said", []).append(str(error))
    handler = bpy.types.MOUTHPIECE_FH_sound if hasattr(bpy.types, "FileHandler") else None
    found["endings"] = None if handler is None else handler.bl_file_extensions
    found["operator"] = None if handler is None else handler.bl_import_operator
    blender_addon.unregister()
    return found


def test_a_dropped_sound_is_chosen_and_several_become_lines(blender, tmp_path: Path) -> None:
    sounds = [str(write_tone(tmp_path / f"{name}.wav", 0.2)) for name in "ab"]
    found = blender(drop_sounds, sounds=sounds)
    assert found["one"] == found["several"] == ["FINISHED"]
    assert found["taken"] == ["FILE", sounds[0], 12]
    assert found["lines"] == [["FILE", sound, "WAITING"] for sound in sounds]
    assert all("no sound at" in words for words in found["said"])
    assert len(found["said"]) == 2
    if found["operator"] is not None:
        assert found["operator"] == "mouthpiece.take_sound"
        assert ".wav;" in found["endings"]


def keep_presets() -> dict:
    """Keep a style and a mapping, change them, take them back; then a style that ships."""
    import bpy

    import blender_addon

    scene = empty_scene()
    blender_addon.register()
    style, head = scene.mouthpiece_style, add_mesh("head", ["jawOpen", "odd"])
    select(head)
    style.jaw, style.seed = 1.5, 7
    row = head.mouthpiece_corrections.add()
    row.target, row.key = "jawOpen", "odd"
    scene.mouthpiece.map_name = "arkit"
    bpy.ops.mouthpiece.style_preset(name="Mine")
    bpy.ops.mouthpiece.map_preset(name="Hero")
    style.jaw, style.seed, scene.mouthpiece.map_name = 1.0, 0, "auto"
    head.mouthpiece_corrections.clear()
    apply("mouthpiece/style", "Mine", "MOUTHPIECE_MT_style_presets")
    apply("mouthpiece/shape_keys", "Hero", "MOUTHPIECE_MT_map_presets")
    rows = [[row.target, row.key] for row in head.mouthpiece_corrections]
    found = {"style": [style.jaw, style.seed], "map": scene.mouthpiece.map_name, "rows": rows}
    if hasattr(bpy.utils, "register_preset_path"):
        for name in ("Calm", "Lively", "Cartoon", "Mumbled"):
            apply("mouthpiece/style", name, "MOUTHPIECE_MT_style_presets")
            found[name] = [style.intensity, style.blinks]
    blender_addon.unregister()
    return found


def apply(folder: str, name: str, menu: str) -> None:
    """Choose a preset in its menu."""
    import bpy

    path = bpy.utils.preset_find(name, folder)
    assert path, f"{name} is not found"
    bpy.ops.script.execute_preset(filepath=path, menu_idname=menu)


def test_presets_are_kept_and_taken_back(blender, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("BLENDER_USER_SCRIPTS", str(tmp_path))
    found = blender(keep_presets)
    assert found["style"] == [1.5, 7]
    assert (found["map"], found["rows"]) == ("arkit", [["jawOpen", "odd"]])
    assert len({tuple(value) for name, value in found.items() if name in ("Calm", "Lively", "Cartoon", "Mumbled")}) > 2


def choose_actors() -> dict:
    """The menu of actors, its choice both ways, and options that are sent."""
    import bpy

    import blender_addon
    from blender_addon.actor_pictures import actor_items, actor_names
    from blender_addon.style_settings import changed_options

    scene = empty_scene()
    blender_addon.register()
    settings = scene.mouthpiece
    found = {
        "names": [item[0] for item in actor_items(settings, bpy.context)],
        "searched": actor_names(None, None, "VOI"),
    }
    settings.actor_picture = "voice"
    found["chosen"] = settings.actor
    settings.actor = "elsewhere"
    found["elsewhere"] = settings.actor_picture
    found["untouched"] = changed_options(scene)
    scene.mouthpiece_style.jaw, scene.mouthpiece_style.seed = 0.7, 3
    found["sent"] = changed_options(scene)
    blender_addon.unregister()
    return found


def test_actors_are_chosen_and_only_changed_controls_are_sent(blender, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path))
    (tmp_path / "actors" / "mine").mkdir(parents=True)
    (tmp_path / "actors" / "mine" / "actor.json").write_text('{"licence": "ours", "consent": {"speaker": "Ann"}}')
    (tmp_path / "actors" / "broken").mkdir()
    (tmp_path / "actors" / "broken" / "actor.json").write_text("{")
    found = blender(choose_actors)
    assert found["names"] == ["broken", "mine", "default", "voice"]
    assert found["searched"] == ["voice"]
    assert (found["chosen"], found["elsewhere"]) == ("voice", "elsewhere")
    assert found["untouched"] == {}
    assert found["sent"] == {"jaw": 0.7, "seed": 3}


def style_defaults() -> dict:
    """Default, least and most of each style control."""
    import blender_addon
    from blender_addon.style_settings import MouthpieceStyle, style_names

    empty_scene()
    blender_addon.register()
    found = {}
    for name in style_names():
        prop = MouthpieceStyle.bl_rna.properties[name]
        found[name] = [prop.default, getattr(prop, "hard_min", None), getattr(prop, "hard_max", None)]
    blender_addon.unregister()
    return found


def test_the_style_controls_are_the_backends(blender) -> None:
    found = blender(style_defaults)
    fields = {field.name: field.default for field in dataclasses.fields(Style)}
    assert set(found) == set(fields)
    assert found.pop("gains")[0] == ""
    for name, (default, least, most) in found.items():
        assert default == pytest.approx(fields[name])
        assert (least, most) == pytest.approx(LIMITS.get(name, (0, 2**31 - 1)))


def ask_why() -> dict:
    """Whether operators can be pressed in an empty scene and in edit mode, and what shortcuts there are."""
    import bpy

    import blender_addon

    scene = empty_scene()
    blender_addon.register()
    names = (
        "animate",
        "cancel",
        "animate_lines",
        "line_remove",
        "train_actor",
        "live_start",
        "live_stop",
        "open_report",
    )
    found = {name: getattr(bpy.ops.mouthpiece, name).poll() for name in names}
    scene.mouthpiece_training.actor = "mine"
    found["named"] = bpy.ops.mouthpiece.train_actor.poll()
    select(add_mesh("head", ["jawOpen"]))
    found["with character"] = bpy.ops.mouthpiece.live_start.poll()
    bpy.ops.object.mode_set(mode="EDIT")
    found["edit mode"] = bpy.ops.mouthpiece.animate.poll()
    keys = bpy.context.window_manager.keyconfigs.addon
    mine = [] if keys is None else [item for map_ in keys.keymaps for item in map_.keymap_items]
    found["shortcuts"] = [item.idname for item in mine if item.idname.startswith("mouthpiece.")]
    blender_addon.unregister()
    left = [] if keys is None else [item for map_ in keys.keymaps for item in map_.keymap_items]
    found["left"] = [item.idname for item in left if item.idname.startswith("mouthpiece.")]
    return found


def test_buttons_are_disabled_where_they_cannot_work(blender) -> None:
    found = blender(ask_why)
    assert found.pop("shortcuts") in ([], ["mouthpiece.animate"] * 2)
    assert found.pop("left") == []
    assert {name for name, can in found.items() if can} == {"animate", "named", "with character"}


def read_log(home: str) -> list[str]:
    """Open the log where there is none, then where there is one."""
    import bpy

    import blender_addon

    empty_scene()
    blender_addon.register()
    first = list(bpy.ops.mouthpiece.open_log())
    Path(home).mkdir(parents=True)
    (Path(home) / "blender_backend.log").write_text("it said this")
    second = list(bpy.ops.mouthpiece.open_log())
    words = [text.as_string().strip() for text in bpy.data.texts]
    blender_addon.unregister()
    return [*first, *second, *words]


def test_the_log_is_opened_as_a_text(blender, tmp_path: Path, monkeypatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("MOUTHPIECE_HOME", str(home))
    assert blender(read_log, home=str(home)) == ["CANCELLED", "FINISHED", "it said this"]
