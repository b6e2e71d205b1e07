"""What `mouthpiece serve` was asked for, and where everything lies under its data folder."""

from dataclasses import dataclass
from pathlib import Path

from backend.errors import UsageError


@dataclass(frozen=True)
class ServiceSettings:
    """The options of `mouthpiece serve` with their defaults."""

    data: Path
    """Folder for the token, the database, uploads and results."""
    host: str = "127.0.0.1"
    """Address to listen on. Everything but this computer itself travels unencrypted: see docs/guide/service.md."""
    port: int = 8427
    """Port to listen on; 0 takes a free one."""
    allow: tuple[Path, ...] = ()
    """Folders whose files jobs may name by their path instead of uploading them."""
    names: tuple[str, ...] = ()
    """Host names under which browsers and clients may reach the service, besides its address and localhost."""
    workers: int = 1
    """Animations at the same time; training and inspection have one place of their own."""
    max_upload_mb: int = 1024
    """Largest file that is taken, in megabytes."""
    max_minutes: int = 60
    """Longest recording that is taken, in minutes."""
    max_queue: int = 500
    """Most jobs that wait; further ones are asked to come back later."""
    keep_gb: int = 20
    """Uploads and results together may take this many gigabytes; the longest unread go first."""
    keep_days: int = 30
    """Days of the service running after which results nobody read expire."""

    def __post_init__(self) -> None:
        least = {"port": 0, "workers": 1, "max_upload_mb": 1, "max_minutes": 1, "max_queue": 1, "keep_gb": 1}
        for name, low in {**least, "keep_days": 1}.items():
            if getattr(self, name) < low:
                raise UsageError(f"--{name.replace('_', '-')} must be at least {low}, got {getattr(self, name)}.")
        if self.port > 65535:
            raise UsageError(f"--port must be at most 65535, got {self.port}.")
        for folder in self.allow:
            if not folder.is_dir():
                raise UsageError(f"--allow {folder} is no folder; name one that exists.")

    @property
    def layout(self) -> "Layout":
        """Where everything lies."""
        return Layout(self.data)


@dataclass(frozen=True)
class Layout:
    """The data folder, readable by its user alone."""

    root: Path

    @property
    def token(self) -> Path:
        """The bearer token."""
        return self.root / "token"

    @property
    def database(self) -> Path:
        """Jobs, uploads and results, SQLite."""
        return self.root / "jobs.sqlite"

    @property
    def backup(self) -> Path:
        """The last good copy of the database."""
        return self.root / "backup.sqlite"

    @property
    def reserve(self) -> Path:
        """A few megabytes given back when the disk is full, so that the database can still say so."""
        return self.root / "reserve"

    @property
    def log(self) -> Path:
        """Structured log, JSON lines."""
        return self.root / "service.log"

    @property
    def records(self) -> Path:
        """A file for each accepted job: the second copy of what was asked for."""
        return self.root / "records"

    @property
    def incoming(self) -> Path:
        """Uploads that are still arriving."""
        return self.root / "incoming"

    @property
    def uploads(self) -> Path:
        """Whole uploads, named by their SHA-256."""
        return self.root / "uploads"

    @property
    def results(self) -> Path:
        """Whole results, KEY.zip."""
        return self.root / "results"

    def upload(self, digest: str) -> Path:
        """An upload, by its SHA-256."""
        return self.uploads / digest

    def result(self, key: str) -> Path:
        """A result, by the key of its jobs."""
        return self.results / f"{key}.zip"

    @property
    def work(self) -> Path:
        """A folder for each job that is being done."""
        return self.root / "work"

    def make(self) -> None:
        """Make all folders, for this user alone. Raises UsageError where that is not possible."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o700)
            for folder in (self.records, self.incoming, self.uploads, self.results, self.work):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"The data folder {self.root} cannot be used ({error.strerror}); choose another."
            ) from None
