"""Write results under temporary names beside their final ones, and move them into place together; needs no Blender.

`python -m blender_addon.staging JOURNAL` settles what a process that died has left behind.
"""

import errno
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from .errors import OutputError
from .renaming import move, patiently

JOURNAL = "MOUTHPIECE_JOURNAL"
"""Environment variable: a file for what is staged, by which whoever started this process settles it should it die."""
COMMITTED, UNDONE = {"done": True}, {"done": False}
"""Last line of a journal: every result is in place, or is being taken back."""

LEAST_FREE = 1 << 16
"""Bytes; where fewer are left on a disk, what was written last may be cut short."""


@dataclass(frozen=True)
class Staged:
    """A result on its way."""

    final: Path
    partial: Path
    """Where it is written."""
    older: Path
    """Where the one that it replaces waits until all results are in place."""


class Staging:
    """A context manager: on success every result appears whole, on failure nothing is left behind.

    The temporary name keeps the folder and the ending, so relative paths inside a file and exporters that look at the
    ending work. A folder that other results refer to by its final name is placed early with `place_folder`.
    """

    def __init__(self) -> None:
        self._staged: dict[Path, Staged] = {}
        self._new: dict[Path, bool] = {}
        self._journal = Path(os.environ[JOURNAL]) if JOURNAL in os.environ else None

    def __enter__(self) -> "Staging":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        committed = False
        try:
            if kind is None:
                self._commit()
                committed = True
        finally:
            self._settle(committed)

    def file(self, final: Path) -> Path:
        """Temporary path to write the file `final` to. Raises OutputError where `final` is a folder."""
        if final.is_dir():
            raise OutputError(f"{final} is a folder, so no file can be written there; choose another name.")
        return self._stage(final)

    def folder(self, final: Path, pattern: str) -> Path:
        """Empty temporary folder whose content becomes the folder `final`, replacing it.

        Raises OutputError where `final` holds anything whose name does not match the regular expression `pattern`:
        a folder with somebody's own files is never replaced.
        """
        if final.exists() and not final.is_dir():
            raise OutputError(f"{final} is a file, so no folder can be written there; choose another name.")
        foreign = sorted(path.name for path in final.glob("*") if not re.fullmatch(pattern, path.name))
        if foreign:
            raise OutputError(
                f"{final} holds files of another kind ({foreign[0]}) and is not replaced; choose another name."
            )
        temporary = self._stage(final)
        temporary.mkdir(parents=True)
        return temporary

    def place_folder(self, final: Path) -> None:
        """Move a folder from `folder` into place now; an older one comes back should a later step fail."""
        self._place(final, keep=True)

    def _stage(self, final: Path) -> Path:
        staged = Staged(final, _hidden(final, "partial"), _hidden(final, "older"))
        _remove(staged.older)
        _remove(staged.partial)
        self._note({"staged": asdict(staged)})
        self._staged[final] = staged
        return staged.partial

    def _commit(self) -> None:
        for final in self._staged:
            if shutil.disk_usage(final.parent).free < LEAST_FREE:  # Blender does not always notice
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(final))
        for final in self._staged:
            if final not in self._new:
                # A file alone replaces its older one in one step.
                self._place(final, keep=final.is_dir() or len(self._staged) > 1)
        self._note(COMMITTED)

    def _place(self, final: Path, keep: bool) -> None:
        """Move a result into place; the older one is kept beside it where it may have to come back."""
        staged, new = self._staged[final], not os.path.lexists(final)
        self._note({"placed": final, "new": new})
        self._new[final] = new
        if keep and not new:
            move(final, staged.older)
        move(staged.partial, final)

    def _settle(self, committed: bool) -> None:
        if not committed:
            with suppress(OSError):
                self._note(UNDONE)
        try:
            settle(self._staged.values(), self._new, committed)
        except KeyboardInterrupt:  # broken off anywhere, it can be done again
            settle(self._staged.values(), self._new, committed)
            raise
        if self._journal is not None:
            self._journal.unlink(missing_ok=True)

    def _note(self, content: dict[str, Any]) -> None:
        if self._journal is not None:
            with self._journal.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(content, default=str)}\n")


def settle(results: Iterable[Staged], new: Mapping[Path, bool], committed: bool) -> None:
    """Remove the older results where all new ones are in place, else put everything back as it was.

    new: of each result that was, or was about to be, moved into place, whether it replaces none. May be broken off
    anywhere and done again.
    """
    for staged in results:
        for half in _half_written(staged):
            _remove(half)
        if committed:
            _remove(staged.older)
        elif os.path.lexists(staged.older):
            _remove(staged.final)
            move(staged.older, staged.final)
        elif new.get(staged.final):
            _remove(staged.final)


def main(journal: Path) -> None:
    """Settle what a process that has ended noted in its journal and did not settle itself."""
    whole = journal.read_text(encoding="utf-8").split("\n")[:-1]  # what has no end was about to be written
    notes = [json.loads(line) for line in whole]
    results = [Staged(*map(Path, note["staged"].values())) for note in notes if "staged" in note]
    new = {Path(note["placed"]): note["new"] for note in notes if "placed" in note}
    settle(results, new, notes[-1:] == [COMMITTED])


def _hidden(final: Path, word: str) -> Path:
    return final.with_name(f".{final.stem}.{word}-{os.getpid()}{final.suffix}")


def _half_written(staged: Staged) -> list[Path]:
    """A temporary result, and what was written beside it: Blender saves to NAME@ first, USD to a name of its own.

    A .blend that is saved twice, as a character's, has its first version in NAME1.
    """
    partial = staged.partial
    if not partial.parent.is_dir():
        return []
    beside = partial.name.removesuffix(staged.final.suffix) + "."
    return [path for path in partial.parent.iterdir() if path == partial or path.name.startswith(beside)]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        patiently(shutil.rmtree, path)
    else:
        patiently(path.unlink, True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
