"""Files that come in: streamed to the disk, measured, looked at by a limited process, then named by their digest."""

import asyncio
import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from backend.service.checkers import Checkers
from backend.service.problems import DISK_FULL, Busy, Problem, StorageFull, TooLarge, Unprocessable
from backend.service.roots import open_inside
from backend.service.settings import ServiceSettings
from backend.service.store import UPLOAD, Store, StoredFile
from backend.service.whole_file import move_whole, sync_file
from backend.trust.provenance import file_sha256

BLOCK = 1 << 20
IDLE_SECONDS = 30.0
"""Longest pause of a client that uploads."""
MOST_SPOKEN = 1000
"""Spoken texts whose recordings are remembered."""
MOST_AT_ONCE = 64
"""Uploads that may come in at the same time."""
LEAST_FREE_BYTES = 64 << 20
"""Of the disk, or of a small disk a twentieth: with less it is nearly full, and an upload that would leave less is not
begun."""


class Uploads:
    """Takes recordings and videos from clients, or from allowed folders of this computer."""

    def __init__(self, settings: ServiceSettings, store: Store, checkers: Checkers) -> None:
        self._settings, self._store, self._checkers = settings, store, checkers
        self._layout = settings.layout
        self._arriving = 0
        self._spoken: dict[tuple[str, str], str] = {}

    async def receive(self, body: AsyncIterator[bytes], size: int | None, kind: str) -> StoredFile:
        """Take an upload. Raises TooLarge, StorageFull, Busy, Unprocessable with the decoder's sentence."""
        with self.place(size or 0) as path:
            digest = await self.write_stream(body, path)
            return await self.take(path, digest, kind)

    async def import_path(self, text: str, kind: str) -> StoredFile:
        """Copy a file from an allowed folder: what is done later must not change with it."""
        with open_inside(text, self._settings.allow) as source:
            size = os.fstat(source.fileno()).st_size
            with self.place(size) as path:
                digest = await asyncio.to_thread(self._copy, source, path)
                return await self.take(path, digest, kind)

    async def speak(self, text: str, voice: str) -> StoredFile:
        """Make a recording of a text, or find the one made before: espeak-ng says nothing twice alike.

        Raises Unprocessable where the voice is unknown or espeak-ng is missing.
        """
        known = self._store.get_file(UPLOAD, self._spoken.get((text, voice), ""))
        if known is not None and self._layout.upload(known.name).is_file():
            return known
        with self.place(0) as path:
            await self._checkers.check("sound", path, self._layout.work, text=text, voice=voice)
            digest = await asyncio.to_thread(file_sha256, path)
            file = await self.take(path, digest, "sound")
        while len(self._spoken) >= MOST_SPOKEN:
            self._spoken.pop(next(iter(self._spoken)))
        self._spoken[text, voice] = digest
        return file

    async def take(self, path: Path, digest: str, kind: str) -> StoredFile:
        """Look at a whole file and keep it under its digest; one that is here already is only refreshed.

        A video is a sound as well, and stays a video.
        """
        known = self._store.get_file(UPLOAD, digest)
        if known is not None and known.about["kind"] in (kind, "video") and self._layout.upload(digest).is_file():
            await asyncio.to_thread(self._store.refresh, UPLOAD, digest)
            return known
        about = await self._checkers.check(kind, path, self._layout.work)
        file = StoredFile(digest, UPLOAD, path.stat().st_size, digest, {"kind": kind, "seconds": about["seconds"]})
        await asyncio.to_thread(self._keep, path, file)
        return file

    @contextlib.contextmanager
    def place(self, size: int):
        """A name for a file that comes in; the file is gone at the end unless it was kept."""
        if self._arriving >= MOST_AT_ONCE:
            raise Busy(f"{MOST_AT_ONCE} uploads are under way; try again.", 1)
        self._check_size(size)
        if shutil.disk_usage(self._layout.root).free < size + self.least_free:
            raise StorageFull(DISK_FULL, 60)
        path = self._layout.incoming / secrets.token_hex(16)
        self._arriving += 1
        try:
            yield path
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(DISK_FULL, 60) from None
            raise
        finally:
            self._arriving -= 1
            path.unlink(missing_ok=True)

    @property
    def least_free(self) -> int:
        """Bytes of the disk that stay free, so that small disks are of use too."""
        return min(LEAST_FREE_BYTES, shutil.disk_usage(self._layout.root).total // 20)

    async def write_stream(self, body: AsyncIterator[bytes], path: Path) -> str:
        """Write what comes in to a new file and force it to the disk; returns its SHA-256.

        Raises TooLarge, Unprocessable where nothing came, Problem where the client paused too long.
        """
        digest, size = hashlib.sha256(), 0
        with path.open("xb") as file:
            iterator = aiter(body)
            while (block := await _next_block(iterator)) is not None:
                size += len(block)
                self._check_size(size)
                digest.update(block)
                file.write(block)
            file.flush()
            await asyncio.to_thread(sync_file, file.fileno())
        if size == 0:
            raise Unprocessable("The upload is empty; send the file as the request's body.")
        return digest.hexdigest()

    def _copy(self, source: BinaryIO, path: Path) -> str:
        digest, size = hashlib.sha256(), 0
        with path.open("xb") as file:
            while block := source.read(BLOCK):
                size += len(block)
                self._check_size(size)
                digest.update(block)
                file.write(block)
            file.flush()
            sync_file(file.fileno())
        return digest.hexdigest()

    def _check_size(self, size: int) -> None:
        if size > self._settings.max_upload_mb * 1_000_000:
            raise TooLarge(f"Files of up to {self._settings.max_upload_mb} MB are taken; see --max-upload-mb.")

    def _keep(self, path: Path, file: StoredFile) -> None:
        move_whole(path, self._layout.upload(file.name))
        self._store.put_file(file)


async def _next_block(iterator: AsyncIterator[bytes]) -> bytes | None:
    try:
        return await asyncio.wait_for(anext(iterator), IDLE_SECONDS)
    except StopAsyncIteration:
        return None
    except TimeoutError:
        raise Problem(f"The upload paused for more than {IDLE_SECONDS:.0f} s.") from None
