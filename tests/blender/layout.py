"""A layout that draws nothing and objects to whatever a real one could not draw."""

from types import SimpleNamespace


class RecordingLayout:
    """Stands in for Blender's UILayout, of which there is none without a window."""

    def __init__(self, drawn: list[str] | None = None) -> None:
        import bpy

        self.__dict__["drawn"] = [] if drawn is None else drawn
        self.__dict__["_functions"] = bpy.types.UILayout.bl_rna.functions
        self.__dict__["_properties"] = bpy.types.UILayout.bl_rna.properties

    def __setattr__(self, name: str, value) -> None:
        assert name in self._properties, f"a layout has no {name}"

    def __getattr__(self, name: str):
        if name == "template_list":
            return self._check(name, lambda *words: None)
        assert name in self._functions or name == "menu", f"a layout has no {name}()"
        known = type(self).__dict__.get(f"_{name}")
        return self._check(name, self._part if known is None else known.__get__(self))

    def _check(self, name: str, draw):
        def called(*words, **options):
            parameters = self._functions[name].parameters if name in self._functions else {}
            for option, value in options.items():
                assert option in parameters, f"{name}() has no {option}"
                if option == "icon":
                    assert value in parameters["icon"].enum_items, f"there is no icon {value}"
            self.drawn.extend(str(options[option]) for option in ("text", "heading") if options.get(option))
            return draw(*words)

        return called

    def _part(self, *words) -> "RecordingLayout":
        return RecordingLayout(self.drawn)

    def _prop(self, data, name: str, *words) -> None:
        assert name in data.bl_rna.properties, f"{data.bl_rna.identifier} has no {name}"
        self.drawn.append(f"{data.bl_rna.identifier}.{name}")

    def _prop_search(self, data, name: str, *words) -> None:
        self._prop(data, name)

    def _template_icon_view(self, data, name: str, *words) -> None:
        self._prop(data, name)

    def _operator(self, name: str, *words) -> SimpleNamespace:
        import bpy

        module, short = name.split(".")
        described = getattr(getattr(bpy.ops, module), short).get_rna_type()
        self.drawn.append(name)
        return _Settings(described)

    def _menu(self, name: str, *words) -> None:
        import bpy

        assert hasattr(bpy.types, name), f"there is no menu {name}"


class _Settings:
    """The properties of a button's operator."""

    def __init__(self, described) -> None:
        self.__dict__["_described"] = described

    def __setattr__(self, name: str, value) -> None:
        assert name in self._described.properties, f"{self._described.identifier} has no {name}"
