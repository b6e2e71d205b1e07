"""Live sound over a WebSocket: samples in, blendshape weights out, as they fall due.

After connecting, the server sends {"type": "ready", ...}. Each binary message to it is float32 little-endian mono at
16 kHz; each binary message from it is a frame as `live_task.pack_frame` writes it. {"type": "end"} ends the sound: the
last frames follow, then {"type": "end", "frames": N}. What goes wrong is {"type": "error", "error": sentence}.
"""

import asyncio
import base64
import contextlib
import json
import secrets
import shutil
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from backend.audio.decode import SAMPLE_RATE
from backend.service.core import Core
from backend.service.gate import PROTOCOL
from backend.service.problems import Busy, Problem, Unprocessable
from backend.service.process import WorkerDied, WorkerProcess
from backend.service.schema import NAME
from shape_keys.arkit import NAMES

IDLE_SECONDS = 60.0
"""Without sound, after which a session ends."""
MOST_SAMPLES = 4 * SAMPLE_RATE
"""In one message."""
GOING_AWAY, WRONG_DATA, INTERNAL, TRY_AGAIN = 1001, 1008, 1011, 1013


class LiveSession:
    """One open WebSocket and its worker."""

    def __init__(self, socket: WebSocket, worker: WorkerProcess) -> None:
        self._socket, self._worker = socket, worker
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def run(self, task: dict[str, Any], about: dict[str, Any]) -> None:
        """Pass sound and frames until one side ends it. Raises Unprocessable, WorkerDied, WebSocketDisconnect."""
        working = asyncio.create_task(self._worker.run(task, self._answers.put_nowait, IDLE_SECONDS * 2))
        try:
            await self._answer(working)
            await self._socket.send_text(json.dumps({"type": "ready", **about}))
            while await self._pass_piece(working):
                pass
            outcome = await working
            if "finished" not in outcome:
                raise Unprocessable(outcome.get("failed", "The stream was ended."))
            await self._socket.send_text(json.dumps({"type": "end", "frames": outcome["finished"]["frames"]}))
        finally:
            await self._let_go(working)

    async def _pass_piece(self, working: asyncio.Task) -> bool:
        """Hand on one message and the frames that answer it; False after the last."""
        message = await asyncio.wait_for(self._socket.receive(), IDLE_SECONDS)
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", GOING_AWAY))
        sound = message.get("bytes")
        if sound is None:
            _check_end(message.get("text"))
            self._worker.feed({"end": True})
        else:
            _check_sound(sound)
            self._worker.feed({"sound": base64.b64encode(sound).decode()})
        while "frames" in (answer := await self._answer(working)):
            for frame in answer["frames"]:
                await self._socket.send_bytes(base64.b64decode(frame))
        return sound is not None

    async def _answer(self, working: asyncio.Task) -> dict[str, Any]:
        """What the worker says next; its end is an error here."""
        waiting = asyncio.create_task(self._answers.get())
        await asyncio.wait({waiting, working}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        outcome = working.result()
        raise Unprocessable(outcome.get("failed", "The stream was ended."))

    async def _let_go(self, working: asyncio.Task) -> None:
        """Make the worker ready for the next session."""
        try:
            if not working.done():
                self._worker.cancel()
                await asyncio.wait({working}, timeout=2)
        finally:
            working.cancel()  # where it has not ended by now its process is ended
        with contextlib.suppress(WorkerDied, asyncio.CancelledError):
            await working


def live_route(core: Core) -> APIRouter:
    """The WebSocket /v1/live."""
    router = APIRouter()
    workers = core.live_workers

    @router.websocket("/live")
    async def live(
        socket: WebSocket,
        actor: Annotated[str, Query(pattern=NAME)] = "default",
        fps: float = 25.0,
        look_ahead: float = 0.04,
        offsets: bool = False,
    ) -> None:
        """Live sound to frames; `StreamingSession` says how many a second and how far ahead an actor can hear."""
        await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
        folder = core.settings.layout.work / f".live-{secrets.token_hex(8)}"
        about = {"fps": fps, "look_ahead": look_ahead, "sample_rate": SAMPLE_RATE, "names": list(NAMES)}
        code, sentence = 1000, ""
        try:
            core.actors.get(actor)
            task = {"task": "live", "folder": str(folder), "actor_folder": str(core.actors.folder(actor))}
            task |= {"fps": fps, "look_ahead": look_ahead, "offsets": offsets}
            async with workers.one() as worker:
                await LiveSession(socket, worker).run(task, {"actor": actor, "offsets": offsets, **about})
        except WebSocketDisconnect:
            return
        except (Problem, WorkerDied, TimeoutError) as error:
            code, sentence = _end_of(error)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            if sentence:
                await socket.send_text(json.dumps({"type": "error", "error": sentence}))
            await socket.close(code)

    return router


def _end_of(error: Exception) -> tuple[int, str]:
    """Close code and sentence."""
    if isinstance(error, TimeoutError):
        return GOING_AWAY, f"No sound came for {IDLE_SECONDS:.0f} s."
    if isinstance(error, WorkerDied):
        return INTERNAL, f"The worker ended: {error}. Connect again."
    return (TRY_AGAIN if isinstance(error, Busy) else WRONG_DATA), str(error)


def _check_end(text: str | None) -> None:
    try:
        message = json.loads(text or "")
    except ValueError:
        message = None
    if not isinstance(message, dict) or message.get("type") != "end":
        raise Unprocessable('Send sound as binary messages, and {"type": "end"} when it ends.')


def _check_sound(sound: bytes) -> None:
    if len(sound) % 4 or len(sound) > 4 * MOST_SAMPLES:
        raise Unprocessable(f"A message holds up to {MOST_SAMPLES} float32 samples; this one has {len(sound)} bytes.")
