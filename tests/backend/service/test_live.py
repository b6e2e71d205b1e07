"""Live sound through a WebSocket: the same frames as the streaming engine's own, as they fall due."""

import contextlib
import json
import struct
import time

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from backend.actor_file import Actor, load_actor
from backend.actor_library import SHIPPED
from backend.inference.stream import StreamingSession, full_look_ahead
from shape_keys.arkit import NAMES

CHUNK = 320


@pytest.fixture
def open_live(service):
    host, port = service.address

    def open_socket(query: str = "", **options):
        headers = {"Authorization": f"Bearer {service.token}"}
        return connect(
            f"ws://{host}:{port}/v1/live?{query}", **{"additional_headers": headers, "proxy": None, **options}
        )

    return open_socket


def speech(seconds: float = 1.0) -> np.ndarray:
    times = np.arange(int(16_000 * seconds)) / 16_000
    return (0.3 * np.sin(2 * np.pi * 140 * times) * np.sin(2 * np.pi * 3 * times) ** 2).astype(np.float32)


@pytest.fixture(scope="module")
def actor() -> Actor:
    return load_actor(SHIPPED / "default")


def test_frames_equal_those_of_the_engine(open_live, actor):
    samples = speech()
    session = StreamingSession(actor.motion, actor.reference.vertices, 25.0, 0.04)
    expected = [*session.feed(samples), *session.flush()]
    with open_live("offsets=true") as socket:
        ready = json.loads(socket.recv(30))
        assert ready["type"] == "ready"
        assert ready["names"] == list(NAMES)
        frames = []
        for start in range(0, len(samples), CHUNK):
            socket.send(samples[start : start + CHUNK].tobytes())
        socket.send(json.dumps({"type": "end"}))
        while isinstance(message := socket.recv(30), bytes):
            frames.append(message)
        assert json.loads(message) == {"type": "end", "frames": len(expected)}
    assert len(frames) == len(expected) == 25
    for frame, wanted in zip(frames, expected, strict=True):
        index, time = struct.unpack_from("<If", frame)
        values = np.frombuffer(frame, "<f4", offset=8)
        assert (index, time) == (wanted.index, pytest.approx(wanted.time))
        np.testing.assert_allclose(values[:52], wanted.weights, atol=1e-5)
        np.testing.assert_allclose(values[52:].reshape(468, 3), wanted.offsets, atol=1e-5)


def test_the_most_that_may_be_asked_for(open_live, actor):
    samples = speech(4.0)
    session = StreamingSession(actor.motion, actor.reference.vertices, 240.0, 0.04)
    expected = [*session.feed(samples), *session.flush()]
    frames = []
    with open_live("offsets=true&fps=240") as socket:
        socket.recv(30)
        socket.send(samples.tobytes())
        socket.send(json.dumps({"type": "end"}))
        while isinstance(message := socket.recv(30), bytes):
            frames.append(message)
    assert json.loads(message) == {"type": "end", "frames": 960}
    assert [struct.unpack_from("<I", frame)[0] for frame in frames] == list(range(960))
    values = np.array([np.frombuffer(frame, "<f4", offset=8) for frame in frames])
    wanted = [np.concatenate([frame.weights, frame.offsets.ravel()]) for frame in expected]
    np.testing.assert_allclose(values, wanted, atol=1e-5)


def test_all_that_an_actor_hears_ahead_may_be_waited_for(open_live, actor):
    samples, most = speech(), full_look_ahead(actor.motion)
    session = StreamingSession(actor.motion, actor.reference.vertices, 25.0, most)
    with open_live(f"look_ahead={most}") as socket:
        assert json.loads(socket.recv(30))["look_ahead"] == most
        socket.send(samples.tobytes())
        frames = [socket.recv(30) for _ in session.feed(samples)]
    assert len(frames) == 8


def test_a_frame_comes_as_soon_as_its_sound_was_heard(open_live):
    samples = speech()
    with open_live("look_ahead=0.04&fps=25") as socket:
        socket.recv(30)
        socket.send(samples[: int(16_000 * 0.05)].tobytes())  # enough for frame 0 and its look-ahead, not for frame 1
        assert struct.unpack_from("<If", socket.recv(10)) == (0, 0.0)  # type: ignore[arg-type]
        with pytest.raises(TimeoutError):
            socket.recv(0.3)


@pytest.mark.parametrize(
    ("query", "send", "words"),
    [
        ("actor=nobody", None, "no actor"),
        ("look_ahead=5", None, "look-ahead must be between 0 and 0.685 seconds"),
        ("look_ahead=nan", None, "look-ahead must be between 0 and 0.685 seconds"),
        ("fps=241", None, "fps must be between 1 and 240"),
        ("", b"abc", "float32"),
        ("", np.full(320, np.nan, np.float32).tobytes(), "finite"),
        ("", "hello", "binary"),
        ("", bytes(4 * 16_000 * 5), "float32"),
    ],
)
def test_what_is_wrong_is_said(open_live, query, send, words):
    with open_live(query) as socket:
        message = json.loads(socket.recv(30))
        if send is not None:
            socket.send(send)
            message = json.loads(socket.recv(30))
        assert message["type"] == "error"
        assert words in message["error"]
        with pytest.raises(ConnectionClosed):
            socket.recv(10)


@pytest.mark.parametrize(
    "options",
    [
        {"additional_headers": {}},
        {"additional_headers": {"Authorization": "Bearer wrong"}},
        {"additional_headers": {}, "subprotocols": ["mouthpiece.v1", "bearer.wrong"]},
        {"origin": "http://evil.example"},
    ],
    ids=["no token", "wrong token", "wrong protocol token", "foreign page"],
)
def test_strangers_are_not_connected(open_live, options):
    with pytest.raises(InvalidStatus) as refused:
        open_live(**options)
    assert refused.value.response.status_code == 403


def test_a_page_sends_its_token_as_a_protocol(open_live, service):
    options = {"additional_headers": {}, "subprotocols": ["mouthpiece.v1", f"bearer.{service.token}"]}
    with open_live(**options, origin=service.client.url) as socket:
        assert socket.subprotocol == "mouthpiece.v1"
        assert json.loads(socket.recv(30))["type"] == "ready"


@contextlib.contextmanager
def open_when_there_is_room(open_live):
    """Connect; a session that was dropped a moment ago may still hold its place."""
    end = time.monotonic() + 30
    while True:
        with open_live() as socket:
            if json.loads(socket.recv(30))["type"] == "ready":
                yield socket
                return
        assert time.monotonic() < end
        time.sleep(0.1)


def test_there_is_room_again_after_sessions_were_dropped(open_live):
    for _ in range(3):
        with open_when_there_is_room(open_live) as one, open_when_there_is_room(open_live):
            one.send(speech(0.2).tobytes())
            with open_live() as third:
                assert "room" in json.loads(third.recv(30))["error"]
