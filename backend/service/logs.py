"""The structured log: a JSON object a line, no secret in any of them."""

import json
import logging
import logging.handlers
import sys
from datetime import UTC, datetime
from pathlib import Path

PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
"""Attributes that every record has; the others were given by the caller."""


class JsonFormatter(logging.Formatter):
    """Writes a record as JSON; the token, should it ever get into one, is blotted out."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "what": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in PLAIN},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str).replace(self._secret, "[token]")


def start_logging(path: Path, secret: str, verbose: bool) -> None:
    """Log to a file of at most 5 MB, with two older ones; with `verbose` also to standard error."""
    logging.raiseExceptions = False  # a full disk must not fill standard error with tracebacks
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(path, maxBytes=5_000_000, backupCount=2, encoding="utf-8", delay=True)
    ]
    if verbose:
        handlers.append(logging.StreamHandler(sys.stderr))
    logger = logging.getLogger("mouthpiece")
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    logger.propagate = False
    logger.handlers.clear()
    for handler in handlers:
        handler.setFormatter(JsonFormatter(secret))
        logger.addHandler(handler)
