"""The tree of errors that a person can meet, each with the exit status of the command line."""


class MouthpieceError(Exception):
    """Base of every error this project raises on purpose; its text is a sentence for the user."""

    exit_code = 1


class UsageError(MouthpieceError):
    """The call itself is wrong: a missing file, an unknown option value, an output that exists."""

    exit_code = 2


class InputError(MouthpieceError):
    """A file was found, and its content cannot be used (not audio, empty, too long, no face)."""


class ActorError(MouthpieceError):
    """An actor folder is incomplete, damaged or of an unknown format."""


class ConsentError(MouthpieceError):
    """Training was asked for without a valid record of the speaker's consent."""

    exit_code = 2


class EnvironmentProblem(MouthpieceError):
    """A library or tool is missing; the message holds the command that installs it."""


class StorageProblem(MouthpieceError):
    """The system refuses to read or write a file: a full disk, a name too long, missing rights."""

    def __init__(self, error: OSError) -> None:
        where = f" ({error.filename})" if error.filename else ""
        super().__init__(
            f"A file cannot be read or written: {error.strerror or error}{where}. Check the path, its rights and the "
            "space on the disk."
        )


class Cancelled(MouthpieceError):
    """The user stopped the work; nothing half-written was left behind."""

    exit_code = 130
