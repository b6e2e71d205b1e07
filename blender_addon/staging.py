"""Write results under temporary names beside their final ones, and move them into place together; needs no Blender."""

import os
import re
import shutil
from pathlib import Path
from types import TracebackType

from .errors import OutputError


class Staging:
    """A context manager: on success every result appears whole, on failure nothing is left behind.

    The temporary name keeps the folder and the ending, so relative paths inside a file and exporters that look at the
    ending work. A folder that other results refer to by its final name is placed early with `place_folder`.
    """

    def __init__(self) -> None:
        self._pending: dict[Path, Path] = {}
        self._placed: dict[Path, Path | None] = {}

    def __enter__(self) -> "Staging":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._commit()
        else:
            self._roll_back()

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
        _remove(temporary)
        temporary.mkdir(parents=True)
        return temporary

    def place_folder(self, final: Path) -> None:
        """Move a folder from `folder` into place now; an older one comes back should a later step fail."""
        self._place(final, keep=final.exists())

    def _stage(self, final: Path) -> Path:
        self._pending[final] = _hidden(final, "partial")
        return self._pending[final]

    def _commit(self) -> None:
        try:
            for final in list(self._pending):
                # After the last one nothing can fail: a file replaces its older one in one step then.
                self._place(final, keep=final.is_dir() or (final.exists() and len(self._pending) > 1))
        except OSError:
            self._roll_back()
            raise
        for older in self._placed.values():
            if older is not None:
                _remove(older)

    def _place(self, final: Path, keep: bool) -> None:
        """Move a result into place; the older one is kept beside it where it may have to come back."""
        older = _hidden(final, "older") if keep else None
        if older is not None:
            _remove(older)
            final.replace(older)
            self._placed[final] = older
        self._pending[final].replace(final)
        del self._pending[final]
        self._placed[final] = older

    def _roll_back(self) -> None:
        for temporary in self._pending.values():
            _remove(temporary)
        for final, older in self._placed.items():
            _remove(final)
            if older is not None:
                older.replace(final)


def _hidden(final: Path, word: str) -> Path:
    return final.with_name(f".{final.stem}.{word}-{os.getpid()}{final.suffix}")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
