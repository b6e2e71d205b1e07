"""How long work tells its caller how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); may raise `backend.errors.Cancelled` to stop the work."""


def no_progress(stage: str, done: int, total: int) -> None:
    """Ignore progress; the default of every function that reports it."""
