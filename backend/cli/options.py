"""Command line options made from a configuration dataclass, its defaults and the docstrings under its fields."""

import argparse
import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterable
from typing import Any


def field_docs(cls: type) -> dict[str, str]:
    """Return the docstring that stands under each field of a dataclass and of those it inherits from, by its name."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    docs = {name: text for base in cls.__bases__ if base is not object for name, text in field_docs(base).items()}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            docs[field.target.id] = inspect.cleandoc(str(ast.literal_eval(after.value)))
    return docs


def add_options(parser: argparse._ActionsContainer, cls: type, names: Iterable[str]) -> None:
    """Add an option for each of the named fields of a dataclass: `learning_rate: float = 1e-3` is --learning-rate.

    A field that is True by default becomes --no-NAME, one that is False becomes --NAME.
    """
    docs = field_docs(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for name in names:
        flag, default, text = name.replace("_", "-"), fields[name].default, docs[name].replace("%", "%%")
        if isinstance(default, bool):
            action, prefix, label = ("store_false", "no-", "Switch off: ") if default else ("store_true", "", "")
            parser.add_argument(f"--{prefix}{flag}", dest=name, action=action, help=label + text)
        else:
            kind: Any = type(default)
            parser.add_argument(f"--{flag}", dest=name, type=kind, default=default, help=f"{text} ({default})")
