"""Parts of files over HTTP: the Range header (RFC 9110 section 14) and the pieces that answer it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from pathlib import Path

from fastapi.responses import Response, StreamingResponse

from backend.service.problems import RangeNotSatisfiable

BLOCK = 1 << 18
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def parse_range(text: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one past the last of a Range header; None for all of it.

    Forms that are not understood, and lists of ranges, are ignored as the standard allows.
    Raises RangeNotSatisfiable for a range that begins behind the end.
    """
    match = RANGE.fullmatch(text.strip()) if text and len(text) < 100 else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # the last N bytes
        if int(last) == 0:
            raise RangeNotSatisfiable("The last 0 bytes of a file cannot be sent.")
        return max(0, size - int(last)), size
    start, end = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise RangeNotSatisfiable(f"The file has {size} bytes; a range cannot begin at {start}.")
    return start, end


def send_part(
    path: Path,
    offset: int,
    size: int,
    headers: dict[str, str],
    etag: str,
    media_type: str,
    reading: AbstractContextManager[None],
) -> Response:
    """Answer with `size` bytes of a file from `offset`, or the part of them that the request's headers name.

    headers: of the request. reading: held while the file is read.
    """
    quoted = f'"{etag}"'
    # Content that an upload brought along is never run by a browser: it is only ever data.
    extra = {"etag": quoted, "accept-ranges": "bytes", "content-security-policy": "default-src 'none'; sandbox"}
    if headers.get("if-none-match") == quoted:
        return Response(status_code=304, headers=extra)
    fresh = headers.get("if-range") in (None, quoted)
    span = parse_range(headers.get("range"), size) if fresh else None
    start, end = span or (0, size)
    extra["content-length"] = str(end - start)
    if span:
        extra["content-range"] = f"bytes {start}-{end - 1}/{size}"
    content = _read(path, offset + start, end - start, reading)
    return StreamingResponse(content, 206 if span else 200, extra, media_type)


async def _read(path: Path, offset: int, size: int, reading: AbstractContextManager[None]) -> AsyncIterator[bytes]:
    with reading, path.open("rb") as file:
        file.seek(offset)
        while size > 0:
            block = await asyncio.to_thread(file.read, min(BLOCK, size))
            if not block:
                return
            size -= len(block)
            yield block
