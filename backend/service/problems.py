"""What the service refuses, with the HTTP status of each refusal: the one place that maps errors to statuses."""

from backend.errors import (
    ActorError,
    Cancelled,
    ConsentError,
    EnvironmentProblem,
    InputError,
    MouthpieceError,
    StorageProblem,
    UsageError,
)

DISK_FULL = "The disk with the service's data is full; free some space and try again."


class Problem(MouthpieceError):
    """A request that is not fulfilled; `status` goes to the client with the sentence."""

    status = 400

    def __init__(self, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Unauthorised(Problem):
    """No token, or a wrong one."""

    status = 401


class Forbidden(Problem):
    """A foreign Host or Origin, or a path outside the allowed folders."""

    status = 403


class NotFound(Problem):
    """There is no such job, upload, actor or file."""

    status = 404


class Conflict(Problem):
    """The job is in another state than the request needs, or the name is taken."""

    status = 409


class Gone(Problem):
    """There was one, and it has expired."""

    status = 410


class TooLarge(Problem):
    """More bytes or minutes than the limits allow."""

    status = 413


class RangeNotSatisfiable(Problem):
    """A range request beyond the end of the file."""

    status = 416


class Unprocessable(Problem):
    """A file that cannot be used, or options that do not fit together."""

    status = 422


class Busy(Problem):
    """Too much at once; `retry_after` seconds later there may be room."""

    status = 503


class StorageFull(Problem):
    """The disk is full."""

    status = 507


STATUS: tuple[tuple[type[MouthpieceError], int], ...] = (
    (UsageError, 422),
    (InputError, 422),
    (ActorError, 422),
    (ConsentError, 422),
    (EnvironmentProblem, 503),
    (Cancelled, 503),
    (StorageProblem, 507),
)
"""Of all that is derived from these; an error of the tree that is not, has no status by mistake, and is 500."""


def http_status(error: MouthpieceError) -> int:
    """Status of any error of the tree."""
    if isinstance(error, Problem):
        return error.status
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def problem_body(sentence: str, status: int) -> dict[str, object]:
    """What a refused client reads: {"error": sentence, "status": number}."""
    return {"error": " ".join(sentence.split()), "status": status}
