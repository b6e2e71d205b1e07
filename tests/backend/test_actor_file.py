"""Actors are written and read back whole; a damaged one says what is wrong with it."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from backend.actor_file import ACTOR_FILES, ReferenceFace, check_name, load_actor, load_whole_actor, save_actor
from backend.animation_file import check_output
from backend.errors import ActorError, UsageError
from backend.trust.provenance import file_sha256
from models.presets import ModelConfig, build_model
from shape_keys.topology import CANONICAL_FACE

SMALL = ModelConfig(
    frequency_widths=(4,) * 6,
    time_widths=(4,) * 6,
    texture_widths=(8, 4, 4, 4, 4),
    previous_widths=(4, 4, 4),
    previous_kernel=3,
    previous_side=32,
)


@pytest.fixture
def actor_folder(tmp_path):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    box = {"x": 64, "y": 100, "width": 128, "height": 128, "atlas_size": 256}
    reference = ReferenceFace(
        CANONICAL_FACE.astype(np.float32), rng.random((468, 2), np.float32), box, np.ones((128, 128), np.float32)
    )
    atlas = rng.integers(0, 256, (256, 256, 3), np.uint8)
    folder = tmp_path / "anna"
    folder.mkdir()
    save_actor(folder, "anna", build_model(SMALL), SMALL, reference, atlas, {"licence": "CC0-1.0"}, "# card\n")
    return folder


def test_round_trip(actor_folder):
    actor = load_actor(actor_folder)
    assert actor.name == "anna"
    assert actor.reference_crop.shape == (128, 128, 3)
    assert np.array_equal(actor.reference_crop, actor.atlas[100:228, 64:192])
    torch.manual_seed(0)
    assert torch.equal(actor.model.encoder.code.weight, build_model(SMALL).encoder.code.weight)
    assert not any(path.suffix in (".pt", ".pkl", ".pickle") for path in actor_folder.iterdir())
    check_output(actor_folder, True, ACTOR_FILES)  # may be replaced


def test_whoever_may_read_one_file_of_an_actor_may_read_all(actor_folder):
    assert len({path.stat().st_mode for path in actor_folder.iterdir()}) == 1


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("model.safetensors", lambda data: data[: len(data) // 2], "damaged"),
        ("atlas.png", lambda data: data[:-1], "damaged"),
        ("reference.npz", lambda _data: b"", "damaged"),
        ("actor.json", lambda data: data[:20], "cannot be read"),
        ("actor.json", lambda _data: b"[]", "not of format"),
        ("actor.json", lambda _data: b'{"format": 99}', "not of format"),
        ("actor.json", lambda _data: b'{"format": 1}', "digests"),
    ],
)
def test_damage_is_named(actor_folder, file, damage, message):
    path = actor_folder / file
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ActorError, match=message):
        load_actor(actor_folder)


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(40), b"", b"text"])
def test_a_reference_that_is_no_archive_is_named_though_its_digest_fits(actor_folder, content):
    (actor_folder / "reference.npz").write_bytes(content)
    describe_again(actor_folder)
    with pytest.raises(ActorError, match="not a reference face"):
        load_actor(actor_folder)


def test_textures_of_an_actor_trained_again_are_not_mixed_with_its_old_motion(actor_folder):
    actor = load_actor(actor_folder)
    tensors = load_file(actor_folder / "model.safetensors")
    save_file({name: value + 1 for name, value in tensors.items()}, actor_folder / "model.safetensors")
    describe_again(actor_folder)
    with pytest.raises(ActorError, match="has changed"):
        _ = actor.model
    assert load_whole_actor(actor_folder).digest != actor.digest


def describe_again(folder):
    description = json.loads((folder / "actor.json").read_text())
    description["digests"] = {file: file_sha256(folder / file) for file in description["digests"]}
    (folder / "actor.json").write_text(json.dumps(description))


def test_missing_files_are_named(actor_folder):
    (actor_folder / "model.safetensors").unlink()
    with pytest.raises(ActorError, match=r"lacks model\.safetensors"):
        load_actor(actor_folder)
    with pytest.raises(ActorError, match=r"no actor\.json"):
        load_actor(actor_folder / "elsewhere")


def test_a_pickle_with_a_fitting_digest_is_refused_and_not_run(actor_folder, tmp_path):
    import hashlib
    import pickle

    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "boom"), "w"))

    path = actor_folder / "reference.npz"
    np.savez(path, vertices=np.array([Bomb()], dtype=object), uv=0, rectangle=0, mask=0)
    assert pickle  # the attack needs it, the reader must not
    description = json.loads((actor_folder / "actor.json").read_text())
    description["digests"]["reference.npz"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (actor_folder / "actor.json").write_text(json.dumps(description))
    with pytest.raises(ActorError, match="not a reference face"):
        load_actor(actor_folder)
    assert not (tmp_path / "boom").exists()


def test_weights_of_another_network_are_refused(actor_folder):
    description = json.loads((actor_folder / "actor.json").read_text())
    description["model"]["code_length"] = 16
    (actor_folder / "actor.json").write_text(json.dumps(description))
    with pytest.raises(ActorError, match="does not fit"):
        load_actor(actor_folder)


def test_texture_weights_of_another_network_are_refused_when_they_are_read(actor_folder):
    description = json.loads((actor_folder / "actor.json").read_text())
    description["model"]["texture_widths"] = [8, 8, 8, 8, 8]
    (actor_folder / "actor.json").write_text(json.dumps(description))
    assert load_actor(actor_folder).has_texture
    with pytest.raises(ActorError, match="does not fit"):
        load_whole_actor(actor_folder)


@pytest.mark.parametrize("name", ["../etc", "", "a/b", "-x", "a" * 65, ".hidden"])
def test_names_that_lead_elsewhere(name):
    with pytest.raises(UsageError, match="not a name"):
        check_name(name)


@pytest.mark.parametrize("name", ["con", "AUX", "Com1", "lpt9"])
def test_names_of_windows_devices_are_no_actors(name):
    with pytest.raises(UsageError, match="device on Windows"):
        check_name(name)
