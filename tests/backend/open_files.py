"""Which files a process has open; Windows neither removes nor renames them."""

import os
import sys
from pathlib import Path


class OpenFiles:
    """Notes what this process removes or renames while it has it open, which Windows would refuse."""

    def __init__(self) -> None:
        self.refused: list[str] | None = None
        """Events and paths; None where nobody asks."""
        sys.addaudithook(self._hear)  # there is no way to take a hook away

    def _hear(self, event: str, arguments: tuple) -> None:
        if self.refused is None or event not in ("os.remove", "os.rename"):
            return
        refused, self.refused = self.refused, None  # what is opened below is not asked about
        held = open_files()
        for path, folder in zip(arguments, arguments[-1:] if event == "os.remove" else arguments[2:], strict=False):
            place = Path(f"/proc/self/fd/{folder}").readlink() if folder != -1 else Path.cwd()
            whole = os.path.realpath(place / os.fsdecode(path))
            refused += [f"{event} {file}" for file in held if f"{file}/".startswith(f"{whole}/")]
        self.refused = refused


def open_files() -> set[str]:
    """The files, not folders, that this process has open or mapped."""
    folder = Path("/proc/self")
    links = {os.path.realpath(link) for link in (folder / "fd").iterdir()}
    mapped = {line.split(maxsplit=5)[5] for line in (folder / "maps").read_text().splitlines() if "/" in line}
    return {path for path in links | mapped if Path(path).is_file()}
