"""The add-on's words in other languages: labels, tooltips, menus, and why a button cannot be pressed."""

import bpy

from .german import GERMAN

LANGUAGES = {"de_DE": GERMAN}
"""Locale, as Blender names it, to English to translation."""
CONTEXT = "Mouthpiece"
"""Of words that Blender itself translates in another sense, such as the face of a mesh."""


def dictionary() -> dict[str, dict[tuple[str, str], str]]:
    """What Blender wants: labels of buttons are looked up in a context of their own."""
    contexts = ("*", CONTEXT, bpy.app.translations.contexts.operator_default)
    return {
        locale: {(context, english): words for english, words in table.items() for context in contexts}
        for locale, table in LANGUAGES.items()
    }


def register() -> None:
    """Give Blender the translations."""
    bpy.app.translations.register(__package__ or "", dictionary())


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(__package__ or "")
