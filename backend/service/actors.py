"""The actors as the service sees them: listed, described, digested once, and taken in when they pass the check."""

import asyncio
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.actor_file import DESCRIPTION, DIGESTED, check_name, description_digest, read_description
from backend.actor_library import list_actors, user_actors
from backend.errors import ActorError, UsageError
from backend.renaming import move, remove_tree
from backend.service.problems import Conflict, NotFound, Unprocessable


@dataclass(frozen=True)
class ActorFacts:
    """An actor without its network; error: why it cannot be used, or None."""

    name: str
    digest: str
    licence: str
    speaker: str
    shipped: bool
    metrics: dict[str, float]
    error: str | None = None


class Actors:
    """Reads each actor once for as long as its files stay as they are."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[float, ...], ActorFacts]] = {}

    def all(self) -> list[ActorFacts]:
        """All actors, the user's own first."""
        return [self._read(folder) for folder in list_actors()]

    def get(self, name: str) -> ActorFacts:
        """An actor by its name, never by a path. Raises NotFound, Unprocessable where it is damaged."""
        facts = self._read(self.folder(name))
        if facts.error:
            raise Unprocessable(facts.error)
        return facts

    def folder(self, name: str) -> Path:
        """Where an actor lies."""
        try:
            check_name(name)
        except UsageError as error:
            raise Unprocessable(str(error)) from None
        for folder in list_actors():
            if folder.name == name:
                return folder
        raise NotFound(f"There is no actor {name!r}; there are: {', '.join(_names()) or 'none'}.")

    async def install(self, folder: Path, name: str) -> ActorFacts:
        """Move a checked actor among the user's own. Raises Conflict where the name is taken."""
        target = user_actors() / check_name(name)
        if name in _names() or target.exists():
            raise Conflict(f"There is an actor {name!r} already; rename one of them.")
        await asyncio.to_thread(_move, folder, target)
        return self.get(name)

    def _read(self, folder: Path) -> ActorFacts:
        stamp = tuple(_modified(folder / name) for name in (DESCRIPTION, *DIGESTED))
        known = self._known.get(folder)
        if known is None or known[0] != stamp:
            known = self._known[folder] = (stamp, _describe(folder))
        return known[1]


def _names() -> list[str]:
    return [folder.name for folder in list_actors()]


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _describe(folder: Path) -> ActorFacts:
    shipped = folder.parent != user_actors()
    try:
        description = read_description(folder)
    except ActorError as error:
        return ActorFacts(folder.name, "", "unknown", "unknown", shipped, {}, str(error).replace(str(folder), "It"))
    consent = description.get("consent")
    speaker = consent.get("speaker", "unknown") if isinstance(consent, dict) else "unknown"
    metrics = dict(_numbers(description.get("metrics")))
    licence = str(description.get("licence", "none stated"))
    return ActorFacts(folder.name, description_digest(description), licence, str(speaker), shipped, metrics)


def _numbers(values: Any) -> Iterator[tuple[str, float]]:
    if isinstance(values, dict):
        for name, value in values.items():
            if isinstance(value, int | float) and value == value and abs(value) < 1e300:
                yield str(name), float(value)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        shutil.copytree(source, temporary)
        move(temporary, target)
    finally:
        remove_tree(temporary)
