"""From a real video file to an actor that animates, through the real command."""

import json
from pathlib import Path

import av
import pytest

from backend.actor_file import load_actor
from tests.end_to_end.conftest import SAMPLE, run_command

SECONDS = 30


@pytest.fixture(scope="module")
def short_video(shared, tmp_path_factory) -> Path:
    """The first 30 s of the synthetic speaker, packets copied as they are."""
    path = tmp_path_factory.mktemp("video") / "speaker.mp4"
    with av.open(str(shared / "actor" / "actor.mp4")) as source, av.open(str(path), "w") as target:
        streams = {stream: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None and packet.pts * packet.time_base < SECONDS:
                packet.stream = streams[packet.stream]
                target.mux(packet)
    return path


@pytest.fixture(scope="module")
def consent(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("consent") / "consent.json"
    record = {"speaker": "nobody", "statement": "synthetic", "given_by": "test", "date": "2026-01-01", "licence": "CC0"}
    path.write_text(json.dumps(record))
    return path


@pytest.mark.slow
def test_video_to_actor_to_animation(short_video, consent, tmp_path):
    arguments = ["train", short_video, "--actor", "anna", "--consent", consent, "--out", tmp_path / "anna"]
    done = run_command(*arguments, "--work", tmp_path / "work", "--epochs", 1, timeout=600)
    assert done.returncode == 0, done.stderr
    actor = load_actor(tmp_path / "anna")
    assert actor.description["consent"]["speaker"] == "nobody"
    assert actor.description["metrics"]["frames"] == round(0.15 * SECONDS * 25)
    assert 0 < actor.description["metrics"]["vertex_error_mm"] < 4
    assert "--epochs 1 --seed 0" in (tmp_path / "anna" / "MODEL_CARD.md").read_text()
    assert (tmp_path / "work" / "contact_sheet.png").stat().st_size > 10_000

    assert not list((tmp_path / "work").glob("checkpoint*"))  # it is finished

    out = tmp_path / "animation"
    done = run_command("animate", SAMPLE, "--actor", tmp_path / "anna", "--out", out)
    assert done.returncode == 0, done.stderr
    assert len(list((out / "atlas").iterdir())) > 100
