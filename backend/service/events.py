"""Who wants to hear of which job, and what they hear: the newest state of each job, never a growing backlog."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from backend.service.job import ENDED
from backend.service.problems import Busy

MOST_LISTENERS = 200
HEARTBEAT_SECONDS = 15.0
"""A comment is sent this often, so that both ends notice when the other is gone."""


class Listener:
    """One open event stream; keeps the newest view of each job that it has not yet sent."""

    def __init__(self, job_id: str | None) -> None:
        self.job_id = job_id
        self._waiting: dict[str, dict[str, Any]] = {}
        self._news = asyncio.Event()
        self.closed = False

    def hear(self, view: dict[str, Any]) -> None:
        """Take the newest view of a job."""
        self._waiting[view["id"]] = view
        self._news.set()

    def close(self) -> None:
        """Nothing more will be heard."""
        self.closed = True
        self._news.set()

    async def listen(self) -> dict[str, Any] | None:
        """The next view, or None where nothing happened for a while."""
        if not self._waiting:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                return None
        return self._waiting.pop(next(iter(self._waiting))) if self._waiting else None


class Events:
    """All open event streams."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def publish(self, view: dict[str, Any]) -> None:
        """Tell everybody who listens to this job, or to all."""
        for listener in self._listeners:
            if listener.job_id in (None, view["id"]):
                listener.hear(view)

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def close(self) -> None:
        """End all streams: the service stops, and clients connect again when it is back."""
        for listener in self._listeners:
            listener.close()

    def check_room(self) -> None:
        """Raises Busy where no further stream can be opened."""
        if len(self._listeners) >= MOST_LISTENERS:
            raise Busy(f"{MOST_LISTENERS} event streams are open already; close one.", 5)

    async def stream(
        self, job_id: str | None, first: dict[str, Any] | None = None
    ) -> AsyncIterator[dict[str, Any] | None]:
        """The views of one job until it has ended, or of all jobs; None is a heartbeat.

        first: what is told before anything happens.
        """
        # Added here and not before: a client that is gone already never gets this far, and leaves nothing behind.
        listener = Listener(job_id)
        self._listeners.add(listener)
        try:
            if first is not None:
                listener.hear(first)
            while not listener.closed:
                view = await listener.listen()
                yield view
                if view is not None and listener.job_id and view["state"] in ENDED:
                    return
        finally:
            self._listeners.discard(listener)
