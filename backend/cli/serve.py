"""Run the local service that the Blender add-on and the page in the browser talk to."""

import argparse
import sys
from pathlib import Path

from backend.cli.options import add_options, field_docs
from backend.service.settings import ServiceSettings

EPILOG = """examples:
  mouthpiece serve                          (then open the address that it prints)
  mouthpiece serve --allow ~/film --port 0

Ctrl-C stops it; jobs that are under way go on at the next start.
"""
OPTIONS = ("host", "port", "workers", "max_upload_mb", "max_minutes", "max_queue", "keep_gb", "keep_days")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    docs = field_docs(ServiceSettings)
    parser.epilog = EPILOG
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"{docs['data']} (among your data)")
    parser.add_argument("--allow", type=Path, action="append", default=[], metavar="DIR", help=docs["allow"])
    parser.add_argument("--name", action="append", default=[], metavar="HOST", help=docs["names"])
    parser.add_argument(
        "--new-token", action="store_true", help="Make a new token, which ends the old one's use, and stop."
    )
    parser.add_argument("--verbose", action="store_true", help="Also write the log to standard error.")
    add_options(parser, ServiceSettings, OPTIONS)


def run(options: argparse.Namespace) -> None:
    """Serve until interrupted."""
    from backend.actor_library import user_home
    from backend.errors import EnvironmentProblem

    home = user_home()
    settings = ServiceSettings(
        data=(options.data or home / "service").absolute(),
        allow=tuple(folder.absolute() for folder in options.allow),
        names=tuple(options.name),
        **{name: getattr(options, name) for name in OPTIONS},
    )
    if options.new_token:
        _replace_token(settings)
        return
    try:
        from backend.service.server import serve
    except ModuleNotFoundError as error:
        raise EnvironmentProblem(
            f"The service needs {error.name}, which is not installed; run: python3 build.py setup --only service"
        ) from None
    serve(settings, home, options.verbose, lambda url, token: _tell(url, token, settings.layout.token))


def _tell(url: str, token: str, file: Path) -> None:
    """Say where the service is; the token is shown to a person, and not written into what may be a log."""
    print(f"Mouthpiece serves at {url}")
    if sys.stdout.isatty():
        print(f"In a browser: {url}/#token={token}", flush=True)
    else:
        print(f"In a browser: {url} (the token stands in {file})", flush=True)


def _replace_token(settings: ServiceSettings) -> None:
    from backend.service.token import load_token

    settings.layout.make()
    settings.layout.token.unlink(missing_ok=True)
    load_token(settings.layout.token)
    print(f"wrote {settings.layout.token}; restart the service and its clients.")
