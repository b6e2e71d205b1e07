"""Looks at an uploaded actor before it is taken: an archive of known files with sane headers that fit their digests.

Nothing is unpickled, and no array is made before its header was found to fit the file; runs in a limited worker.
"""

import json
import math
import re
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

from backend.actor_file import ATLAS, CARD, DESCRIPTION, MODEL, NAME, REFERENCE, load_whole_actor, read_description
from backend.errors import ActorError
from backend.normalisation.cylinder import ATLAS_SIZE
from backend.progress import Progress

LARGEST = {DESCRIPTION: 1 << 20, CARD: 1 << 20, REFERENCE: 1 << 22, ATLAS: 1 << 22, MODEL: 1 << 28}
"""Bytes that each file may have; the default actor's network has 13 MB."""
LARGEST_HEADER = 1 << 20
"""Bytes of the JSON header of a safetensors file."""
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
"""Size of an element of each safetensors type that is taken."""


def check_actor(task: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Unpack and load an actor's archive; returns its name. Raises ActorError.

    task: path of the zip; folder; target: an empty folder's name to unpack to, which the service takes over.
    """
    target = Path(task["target"])
    target.mkdir()
    unpack_actor(Path(task["path"]), target)
    description = read_description(target)
    name = str(description.get("name", ""))
    if not NAME.fullmatch(name):
        raise ActorError(f"{DESCRIPTION} names the actor {name[:80]!r}; use up to 64 letters, digits, '-' and '_'.")
    check_tensors(target / MODEL, description)
    check_arrays(target / REFERENCE)
    _check_atlas(target / ATLAS)
    actor = load_whole_actor(target)
    return {"name": name, "digest": actor.digest}


def unpack_actor(path: Path, target: Path) -> None:
    """Unpack the five files of an actor, which may lie in one folder within the zip, and nothing else."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            for entry, name in zip(entries, _plain_names(entries), strict=True):
                _unpack_file(archive, entry, target / name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ActorError(f"The actor's archive cannot be unpacked ({error}); pack its folder as a zip.") from None
    except (ValueError, struct.error, UnicodeError, LookupError) as error:
        raise ActorError(f"The actor's archive is damaged ({error}); pack its folder as a zip again.") from None


def _plain_names(entries: list[zipfile.ZipInfo]) -> list[str]:
    """The names of the files within their one folder. Raises ActorError where there is anything but an actor."""
    if len(entries) > 2 * len(LARGEST):
        raise ActorError(f"The archive has {len(entries)} files; an actor has {len(LARGEST)}.")
    names, folders = [], set()
    for entry in entries:
        folder, _, name = entry.filename.rpartition("/")
        absolute = entry.filename.startswith("/")
        if name not in LARGEST or absolute or stat.S_ISLNK(entry.external_attr >> 16) or not _is_plain_folder(folder):
            raise ActorError(f"The archive holds {entry.filename[:80]!r}; an actor has only {', '.join(LARGEST)}.")
        folders.add(folder)
        names.append(name)
    if len(folders) > 1 or len(set(names)) < len(names):
        raise ActorError("The archive holds more than one actor; pack each by itself.")
    missing = sorted(set(LARGEST) - {CARD} - set(names))
    if missing:
        raise ActorError(f"The archive lacks {', '.join(missing)}; pack the actor's whole folder.")
    return names


def _is_plain_folder(folder: str) -> bool:
    return not folder or bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,79}", folder))


def _unpack_file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """Unpack one file; what it says of its size is not believed."""
    left = LARGEST[target.name]
    with archive.open(entry) as source, target.open("xb") as sink:
        while block := source.read(1 << 16):
            left -= len(block)
            if left < 0:
                raise ActorError(f"{target.name} unpacks to more than {LARGEST[target.name]} bytes.")
            sink.write(block)


def check_tensors(path: Path, description: dict[str, Any]) -> None:
    """Compare a safetensors file's header with its size and with the network in the description.

    The network is built without memory for its weights first: sizes that do not fit the file are noticed before
    anything is allocated.
    """
    shapes = read_shapes(path)
    try:
        import torch

        from models.presets import ModelConfig, build_model

        sizes: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in description["model"].items()}
        with torch.device("meta"):
            state = build_model(ModelConfig(**sizes)).state_dict()
    except (RuntimeError, TypeError, ValueError, KeyError, AttributeError, OverflowError, ArithmeticError) as error:
        raise ActorError(f"{DESCRIPTION} describes no network that can be built ({str(error)[:200]}).") from None
    expected = {name: list(value.shape) for name, value in state.items()}
    if shapes != expected:
        odd = sorted(name for name in shapes.keys() | expected if shapes.get(name) != expected.get(name))
        raise ActorError(f"{MODEL} does not fit the network in {DESCRIPTION}: {odd[0][:80]} and {len(odd) - 1} more.")


def read_shapes(path: Path) -> dict[str, list[int]]:
    """Shapes of the tensors in a safetensors file whose header fits its size. Raises ActorError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or not 2 <= length <= min(LARGEST_HEADER, size - 8):
            raise ActorError(f"{path.name} is no safetensors file: its header would have {length} bytes.")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            raise ActorError(f"{path.name} is no safetensors file: its header is not JSON.") from None
    if not isinstance(header, dict):
        raise ActorError(f"{path.name} is no safetensors file: its header is no table.")
    header.pop("__metadata__", None)
    spans = sorted(_read_span(name, entry) for name, entry in header.items())
    ends = [0, *(end for _, end, _ in spans)]
    if [start for start, _, _ in spans] != ends[:-1] or ends[-1] != size - 8 - length:
        raise ActorError(f"{path.name} is damaged: its tensors do not lie one after the other to its end.")
    return {name: header[name]["shape"] for _, _, name in spans}


def _read_span(name: str, entry: Any) -> tuple[int, int, str]:
    """Where a tensor lies, checked against its type and shape."""
    try:
        shape, (start, end) = entry["shape"], entry["data_offsets"]
        numbers = [*shape, start, end]
        right = all(type(n) is int and 0 <= n < 1 << 40 for n in numbers) and len(shape) <= 8
        if right and end - start == math.prod(shape) * BYTES[entry["dtype"]]:
            return start, end, name
    except (TypeError, KeyError, ValueError):
        pass
    raise ActorError(f"{MODEL} is damaged: the entry {name[:80]!r} has no shape, type and place that fit.")


def check_arrays(path: Path) -> None:
    """Look at the headers of the arrays in an .npz: plain numbers or text, no objects, as large as the file says."""
    import numpy as np
    from numpy.lib import format as npy

    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.file_size > LARGEST[REFERENCE]:
                    raise ActorError(f"{REFERENCE}: {entry.filename[:80]!r} unpacks to more than it may.")
                with archive.open(entry) as file:
                    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
                    shape, _, dtype = read[npy.read_magic(file)](file)
                    if dtype.hasobject or np.dtype(dtype).itemsize * math.prod(shape) > LARGEST[REFERENCE]:
                        raise ActorError(f"{REFERENCE}: {entry.filename[:80]!r} is larger than a face needs.")
    except ActorError:
        raise
    except Exception as error:  # a header is Python text that numpy evaluates: it may fail in any way
        raise ActorError(f"{REFERENCE} is damaged ({str(error)[:200]}); get the actor again.") from None


def _check_atlas(path: Path) -> None:
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            size = image.size
    except Exception as error:  # Pillow's errors for damaged files have no common base
        raise ActorError(f"{ATLAS} is not a picture ({str(error)[:200]}).") from None
    if size != (ATLAS_SIZE, ATLAS_SIZE):
        raise ActorError(f"{ATLAS} has {size[0]}x{size[1]} pixels, expected {ATLAS_SIZE}x{ATLAS_SIZE}.")
