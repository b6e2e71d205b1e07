"""Damaged and hostile files through the real decoders: every one is refused with a sentence, and nothing else stops."""

import json
import os
import random
import struct
import zipfile

import pytest

from backend.actor_file import ATLAS, DESCRIPTION, MODEL, REFERENCE
from backend.service.client import ServiceError
from tests.backend.service.mutations import (
    good_actor,
    good_sounds,
    mutate,
    mutate_actor,
    pack,
    small_actor,
    with_digests,
)
from tests.backend.service.running import QUICK

SOUNDS, ACTORS = 200, 40
"""Mutations in the test suite; `benchmarks/service_fuzz.py` makes 10,000."""


def test_mutated_sounds(service, tmp_path, new_sound):
    client, chance = service.client, random.Random(7)
    seeds = good_sounds(tmp_path)
    workers = set(service.workers())
    taken = 0
    for number in range(SOUNDS):
        try:
            client.upload(mutate(seeds[number % len(seeds)], chance))
            taken += 1
        except ServiceError as error:
            assert 400 <= error.status < 500, error
            assert str(error).endswith(".")
    assert 0 < taken < SOUNDS  # decoders forgive some damage
    assert client.wait(client.animate(client.upload(new_sound()), **QUICK)).state == "done"
    assert workers <= set(service.workers()), "a decoder had to be started again"


def test_mutated_actors(service, tmp_path):
    (tmp_path / "small").mkdir()
    client, chance, files = service.client, random.Random(8), small_actor(tmp_path / "small")
    refusals = 0
    for number in range(ACTORS):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(mutate_actor(files, chance))
        try:
            assert client.install_actor(path)["name"] == "small"  # the damage was in what nobody reads
        except ServiceError as error:
            assert error.status in (409, 422), error  # 409: such a one was installed before
            assert str(error).endswith(".")
            refusals += 1
    assert refusals >= ACTORS - 1


def renamed(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return with_digests(files, lambda description: description.update(name=name))


def test_a_good_actor_is_installed_once(service, tmp_path, new_sound):
    client = service.client
    name = f"copy-{os.getpid()}"
    (tmp_path / "actor.zip").write_bytes(pack(renamed(good_actor(), name), zipfile.ZIP_DEFLATED))
    assert client.install_actor(tmp_path / "actor.zip")["name"] == name
    with pytest.raises(ServiceError) as refused:
        client.install_actor(tmp_path / "actor.zip")
    assert refused.value.status == 409
    assert client.wait(client.animate(client.upload(new_sound()), actor=name, **QUICK)).state == "done"


def _replace(name: str, content: bytes):
    return lambda files: with_digests(files | {name: content})


def _describe(**values):
    return lambda files: with_digests(files, lambda description: description.update(values))


def _model(**values):
    return lambda files: with_digests(files, lambda description: description["model"].update(values))


def _safetensors(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header


def _npz(descr: str, shape: str) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    return pack({f"{name}.npy": array for name in ("vertices", "uv", "rectangle", "mask")})


HOSTILE = {
    "pickle in the arrays": _replace(REFERENCE, _npz("'|O'", "(1,)")),
    "arrays of a terabyte": _replace(REFERENCE, _npz("'<f4'", "(1000000, 1000000)")),
    "code in an array's header": _replace(REFERENCE, _npz("__import__('os').abort()", "(1,)")),
    "tensors of a terabyte": _replace(
        MODEL, _safetensors(b'{"a":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4]}}')
    ),
    "a header beyond the end": _replace(MODEL, _safetensors(b"{}", 1 << 60)),
    "a header that nests": _replace(MODEL, _safetensors(b"[" * 100_000)),
    "tensors that overlap": _replace(
        MODEL,
        _safetensors(
            b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}'
        )
        + b"123456",
    ),
    "an old checkpoint": _replace(MODEL, b"\x80\x02}q\x00."),
    "a picture of another size": _replace(ATLAS, b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "a network of a billion numbers": _model(code=1_000_000_000),
    "a network with unknown parts": _model(colour=3),
    "a name that leads away": _describe(name="../../escape"),
    "a name that is none": _describe(name=""),
    "a description that is no table": lambda files: files | {DESCRIPTION: b"[]"},
    "a description that nests": lambda files: files | {DESCRIPTION: b"[" * 100_000},
    "digests that do not fit": lambda files: files | {MODEL: files[MODEL] + b"x"},
    "no network": lambda files: {name: content for name, content in files.items() if name != MODEL},
    "a further file": lambda files: files | {"run.py": b"print()"},
    "a path that leads away": lambda files: {f"../{name}": content for name, content in files.items()},
    "an absolute path": lambda files: {f"/{name}": content for name, content in files.items()},
    "two folders": lambda files: {
        f"{'a' if name == MODEL else 'b'}/{name}": content for name, content in files.items()
    },
    "many files": lambda files: {f"{number}/{MODEL}": b"x" for number in range(2000)},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_actors(service, tmp_path, case):
    (tmp_path / "actor.zip").write_bytes(pack(HOSTILE[case](renamed(good_actor(), "hostile"))))
    with pytest.raises(ServiceError) as refused:
        service.client.install_actor(tmp_path / "actor.zip")
    assert refused.value.status == 422, str(refused.value)
    assert "hostile" not in {actor["name"] for actor in service.client.actors()}


def test_a_zip_bomb(service, tmp_path):
    files = good_actor() | {"MODEL_CARD.md": bytes(200_000_000)}
    (tmp_path / "actor.zip").write_bytes(pack(files, zipfile.ZIP_DEFLATED))
    with pytest.raises(ServiceError) as refused:
        service.client.install_actor(tmp_path / "actor.zip")
    assert "unpacks to more" in str(refused.value)


def test_a_link_in_a_zip(service, tmp_path):
    with zipfile.ZipFile(tmp_path / "actor.zip", "w") as archive:
        for name, content in good_actor().items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o120777 << 16 if name == MODEL else 0o644 << 16
            archive.writestr(entry, b"/etc/passwd" if name == MODEL else content)
    with pytest.raises(ServiceError) as refused:
        service.client.install_actor(tmp_path / "actor.zip")
    assert "only" in str(refused.value)


def test_a_recording_that_says_it_lasts_for_ever(service):
    """A flac of 16 kHz whose header states 2^36 - 1 samples, and one that really unpacks to hours of silence."""
    import io

    import numpy as np
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(16_000 * 4000, np.int16), 16_000, format="FLAC")
    with pytest.raises(ServiceError) as refused:
        service.client.upload(buffer.getvalue())
    assert "minutes long" in str(refused.value)
    lying = bytearray(buffer.getvalue()[:100_000])
    lying[21] |= 0x0F
    lying[22:26] = b"\xff" * 4
    with pytest.raises(ServiceError) as refused:
        service.client.upload(bytes(lying))
    assert refused.value.status == 422


def test_the_description_of_the_shipped_actor_passes(service):
    assert json.loads(good_actor()[DESCRIPTION])["name"] == "default"
    assert [actor["error"] for actor in service.client.actors() if actor["name"] == "default"] == [None]
