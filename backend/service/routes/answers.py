"""The refusals that routes may give, for the OpenAPI document."""

from typing import Any

from backend.service.schema import ProblemBody

SENTENCES = {
    400: "The request could not be read.",
    401: "The token is missing or wrong.",
    403: "A foreign Host or Origin, or a path outside the allowed folders.",
    404: "There is no such thing.",
    409: "The thing is in another state than this needs, or the name is taken.",
    410: "It has expired.",
    413: "Too many bytes or minutes.",
    416: "The range begins behind the end.",
    422: "The request or the file cannot be used; the sentence says why.",
    503: "Too much at once; Retry-After says when to try again.",
    507: "The disk is full.",
}
ALWAYS = (400, 401, 403, 413, 422, 503)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may refuse with, besides what every route may."""
    chosen = sorted({*ALWAYS, *statuses})
    return {status: {"model": ProblemBody, "description": SENTENCES[status]} for status in chosen}
