"""Collects what people can read of the add-on: from Blender's registered classes, and from the code that draws."""

import ast
from pathlib import Path

ADDON = Path(__file__).resolve().parents[2] / "blender_addon"
SPOKEN = {"poll_message_set": 0, "is_free": 0, "is_busy": 0, "say": 0, "Progress": 0}
"""Functions whose argument is shown to people."""
OWN = ("MOUTHPIECE_", "Mouthpiece")


def registered_strings() -> set[str]:
    """Labels, tooltips and menu entries of the registered classes. The add-on must be registered."""
    import bpy

    found: set[str] = set()
    for kind in (bpy.types.Panel, bpy.types.Menu, bpy.types.PropertyGroup, bpy.types.AddonPreferences):
        for item in _own_classes(kind):
            found.add(getattr(item, "bl_label", ""))
            for name in getattr(item, "__annotations__", {}):
                found |= _property_strings(item.bl_rna.properties.get(name))
    for item in _own_classes(bpy.types.Operator):
        module, name = item.bl_idname.split(".")
        described = getattr(getattr(bpy.ops, module), name).get_rna_type()
        found |= {described.name, described.description}
        if "presets" not in str(item.__mro__[1].__module__):  # Blender translates its own
            for prop in described.properties:
                found |= _property_strings(prop) if prop.identifier != "rna_type" else set()
    found |= _property_strings(bpy.types.Object.bl_rna.properties["mouthpiece_corrections"])
    return {text for text in found if any(letter.isalpha() for letter in text)}


def _own_classes(kind: type) -> list[type]:
    found = []
    for item in kind.__subclasses__():
        found += [*([item] if item.__name__.startswith(OWN) else []), *_own_classes(item)]
    return [item for item in dict.fromkeys(found) if hasattr(item, "bl_rna") and item.is_registered]


def _property_strings(prop) -> set[str]:
    if prop is None:
        return set()
    found = {prop.name, prop.description}
    if prop.type == "ENUM":
        found |= {text for entry in prop.enum_items_static for text in (entry.name, entry.description)}
    return found


def drawn_strings() -> set[str]:
    """Literal texts that the code draws or gives as the reason why a button is disabled."""
    found: set[str] = set()
    for path in ADDON.rglob("*.py"):
        if {"bundle", "translations"} & set(path.parts):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        constants = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                found |= _call_strings(node, constants)
    return {text for text in found if any(letter.isalpha() for letter in text)}


def _call_strings(node: ast.Call, constants: dict[str, ast.expr]) -> set[str]:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name in ("run", "open") or any(keyword.arg == "translate" for keyword in node.keywords):
        return set()
    wanted = [keyword.value for keyword in node.keywords if keyword.arg in ("text", "heading")]
    if name in SPOKEN and len(node.args) > SPOKEN[name]:
        wanted.append(node.args[SPOKEN[name]])
    parts = [constants.get(getattr(branch, "id", ""), branch) for item in wanted for branch in _branches(item)]
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def _branches(node: ast.expr) -> list[ast.expr]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
