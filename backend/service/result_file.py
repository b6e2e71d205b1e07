"""A result: one zip of stored files, so that any part of any of them can be sent from its place."""

import hashlib
import os
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

DATE = (2020, 1, 1, 0, 0, 0)
"""Of every file in it: equal work gives equal bytes."""
LOCAL_HEADER = struct.Struct("<26xHH")
"""The lengths of name and extra field at the end of a zip's local file header (APPNOTE 4.3.7)."""


@dataclass(frozen=True)
class Member:
    """A file in a result: where its bytes lie in the zip."""

    name: str
    offset: int
    size: int


def write_result(folder: Path, target: Path) -> tuple[int, str]:
    """Pack a folder and force it to the disk; returns the size and SHA-256 of the zip."""
    with target.open("xb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(item for item in folder.rglob("*") if item.is_file()):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), DATE)
                entry.external_attr = 0o644 << 16
                entry.file_size = path.stat().st_size  # which says whether its header must be a large file's
                with path.open("rb") as source, archive.open(entry, "w") as sink:
                    while block := source.read(1 << 20):
                        sink.write(block)
        file.flush()
        os.fsync(file.fileno())
    with target.open("rb") as file:
        return target.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def read_members(path: Path) -> dict[str, Member]:
    """The files in a result by their names."""
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        members = {}
        for entry in archive.infolist():
            file.seek(entry.header_offset)
            name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
            offset = entry.header_offset + LOCAL_HEADER.size + name + extra
            members[entry.filename] = Member(entry.filename, offset, entry.file_size)
        return members
