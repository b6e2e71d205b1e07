"""Large arrays on disk, written and read a few rows at a time.

A memory map would do, but its pages count as the process's own until the system takes them back: an hour of video
would look like gigabytes in use. And where the disk is full, the system kills a process that writes to one.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from backend.renaming import move

BLOCK = 256
"""Rows read at a time: 12 MB of lip crops."""


class RowWriter:
    """Writes a .npy file row by row under a temporary name; it has its own name once it is complete.

    Use as a context manager. Leaving it with fewer or more rows than `shape` says raises ValueError.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: type) -> None:
        self.path, self._temporary = path, path.with_suffix(".tmp")
        self._shape, self._dtype, self._rows = shape, np.dtype(dtype), 0

    def __enter__(self) -> "RowWriter":
        self._file = self._temporary.open("wb")
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": self._shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        return self

    def write(self, rows: np.ndarray) -> None:
        """Append rows (N, ...) of the array's own shape."""
        # Not `tofile`, which does not tell a full disk from other failures.
        self._file.write(np.ascontiguousarray(rows, self._dtype).data)
        self._rows += len(rows)

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            self._file.close()
            if kind is None:
                if self._rows != self._shape[0]:
                    raise ValueError(f"{self.path} was to have {self._shape[0]} rows and got {self._rows}")
                move(self._temporary, self.path)
        finally:
            self._temporary.unlink(missing_ok=True)


def read_rows(path: Path, block: int = BLOCK) -> Iterator[np.ndarray]:
    """The rows of a .npy file in arrays of up to `block` rows."""
    like = np.load(path, mmap_mode="r", allow_pickle=False)
    row = int(np.prod(like.shape[1:], dtype=int))
    with path.open("rb") as file:
        file.seek(like.offset)
        for start in range(0, like.shape[0], block):
            count = min(block, like.shape[0] - start)
            yield np.fromfile(file, like.dtype, count * row).reshape(count, *like.shape[1:])
