"""List the actors, your own and the shipped ones."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--check", action="store_true", help="Load every actor whole; exit code 1 if one is damaged.")


def run(options: argparse.Namespace) -> int:
    """Print one line for each actor; with --check return 1 where one cannot be used."""
    from backend.actor_library import list_actors, user_actors

    rows = [describe_actor(folder, load=options.check) for folder in list_actors()]
    table = [("NAME", "LICENCE", "STATE", "FOLDER"), *rows]
    name, licence, state, _ = (max(map(len, column)) for column in zip(*table, strict=True))
    for row in table:
        print(f"{row[0]:{name}}  {row[1]:{licence}}  {row[2]:{state}}  {row[3]}")
    print(f"Your own actors lie in {user_actors()}.")
    return 1 if options.check and any(row[2] != "good" for row in rows) else 0


def describe_actor(folder: Path, load: bool = False) -> tuple[str, str, str, str]:
    """Return name, licence, state and folder; for a damaged actor the last holds the reason.

    load: also build the network and read its weights, which takes a second.
    """
    from backend.actor_file import load_whole_actor, read_description
    from backend.errors import ActorError

    try:
        description = read_description(folder)
        if load:
            load_whole_actor(folder)
    except ActorError as error:
        return folder.name, "?", "damaged", str(error)
    return folder.name, str(description.get("licence", "none stated")), "good", str(folder)
