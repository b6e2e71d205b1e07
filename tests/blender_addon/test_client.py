"""The add-on's client is the backend's own, copied."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_two_clients_are_one():
    assert (ROOT / "blender_addon/client.py").read_bytes() == (ROOT / "backend/service/client.py").read_bytes()
