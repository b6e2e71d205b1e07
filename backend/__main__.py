"""The `mouthpiece` command: finds the verb, runs it, and turns errors into one sentence and an exit code."""

import argparse
import inspect
import os
import re
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from backend import __version__
from backend.errors import Cancelled, MouthpieceError, StorageProblem
from backend.stopping import stopped_once

VERBS = ("animate", "live", "train", "inspect", "evaluate", "serve", "actors", "doctor")
DEBUG_VARIABLE = "MOUTHPIECE_DEBUG"
"""Environment variable; where it is 1, unexpected errors show their traceback."""

SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")
"""All that NumPy says of an array that did not fit on the disk."""
NOBODY_READS = 141
"""Exit code where whoever read the output has gone: what shells show for SIGPIPE."""


class Parser(argparse.ArgumentParser):
    """argparse with errors of one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        if message.endswith("expected one argument"):
            message += f"; one that begins with '-' is written {message.split()[1].rstrip(':')}=-VALUE"
        self.exit(2, f"mouthpiece: error: {message}. See '{self.prog} --help'.\n")


def build_parser() -> Parser:
    """Return the parser with all verbs; loads no heavy library."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = Parser("mouthpiece", description="Speech audio to an animated 3D talking face in Blender.")
    parser.add_argument("--version", action="version", version=f"mouthpiece {__version__}")
    verbs = parser.add_subparsers(title="verbs", dest="verb", metavar="VERB", required=True)
    for name in VERBS:
        module = import_module(f"backend.cli.{name}")
        text = inspect.getdoc(module)
        verb = verbs.add_parser(name, help=text, description=text, formatter_class=formatter, allow_abbrev=False)
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns 0, 1 for an error, 2 for wrong usage, 130 when interrupted, 141 when unread."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, or started without a console
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        getattr(sys, name).reconfigure(errors="replace")  # a Windows console may not know a letter
    # NumPy's own threads wait for each other by spinning, on cores that others need; read when NumPy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        with stopped_once(ends=argv is None):
            options = build_parser().parse_args(argv)
            return options.run(options) or 0
    except KeyboardInterrupt:
        return _fail("stopped; nothing half-written was left behind.", Cancelled.exit_code)
    except MouthpieceError as error:
        return _fail(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python's last flush would fail again
        return NOBODY_READS
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            raise
        if isinstance(error, OSError) and (error.errno is not None or SHORT_WRITE.fullmatch(str(error))):
            return _fail(str(StorageProblem(error)), StorageProblem.exit_code)
        what = " ".join(str(error).split()) or "no message"
        return _fail(f"unexpected {type(error).__name__}: {what[:300]} (the details are in {_save_traceback()})", 1)


def _fail(sentence: str, code: int) -> int:
    print(f"mouthpiece: error: {' '.join(sentence.split())}", file=sys.stderr)
    return code


def _save_traceback() -> Path:
    """Write the current traceback to a file for a bug report."""
    handle, name = tempfile.mkstemp(prefix="mouthpiece-error-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(f"mouthpiece {__version__}, Python {sys.version}, {sys.platform}\n{sys.argv}\n\n")
        file.write(traceback.format_exc())
    return Path(name)


if __name__ == "__main__":
    sys.exit(main())
