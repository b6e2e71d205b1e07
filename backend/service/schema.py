"""What is sent and what is answered, as the OpenAPI document shows it."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag, model_validator

from backend import actor_file
from backend.errors import ConsentError, UsageError
from backend.inference.style import MOST_SEED
from backend.service.animate_options import VOICE, WHOLE, AnimateOptions, Sent
from backend.training.config import TrainConfig
from backend.trust.consent import check_consent

DIGEST = r"^[0-9a-f]{64}$"
NAME = f"^{actor_file.NAME.pattern}$"
TITLE = r"^[A-Za-z0-9(\[][A-Za-z0-9 ._()\[\]-]{0,79}$"
"""Of recordings and lines: becomes a file's name, so no separators and no leading dot."""
LONGEST_TEXT = 5000
"""Letters that are spoken in one go: six minutes."""


def _check_actor_name(name: str) -> str:
    try:
        return actor_file.check_name(name)
    except UsageError as error:
        raise ValueError(str(error)) from None


Digest = Annotated[
    str, Field(pattern=DIGEST, examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
]
ActorName = Annotated[str, Field(pattern=NAME, examples=["default"]), AfterValidator(_check_actor_name)]
Title = Annotated[str, Field(pattern=TITLE, examples=["line 12"])]
Words = Annotated[str, Field(json_schema_extra={"pattern": r"\S"})]
"""Not blank; what it is a part of checks that, in a sentence."""
State = Literal["queued", "running", "cancelling", "done", "failed", "cancelled"]
Kind = Literal["animate", "batch", "inspect", "train"]


class UploadSource(Sent):
    """A recording or video that was uploaded."""

    upload: Digest


class PathSource(Sent):
    """A recording or video in a folder of this computer that the service was started with (--allow)."""

    path: Annotated[str, Field(min_length=1, max_length=4096)]


class TextSource(Sent):
    """Words that espeak-ng speaks; their times are then known exactly."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, examples=["Nice to meet you."])]
    voice: Annotated[str, Field(pattern=VOICE, examples=["en-us"])] = "en-us"


SOURCES = {"upload": "UploadSource", "path": "PathSource", "text": "TextSource"}
"""Each source by the field that only it has."""
ALTERNATIVES = {*get_args(Kind), *SOURCES.values()}
"""Names that pydantic puts into the place of an error though nobody sent them."""


def _sent_source(value: Any) -> str | None:
    """Which source was meant: what is wrong with it is said of that one alone."""
    if isinstance(value, Sent):
        return type(value).__name__
    return next((source for name, source in SOURCES.items() if isinstance(value, dict) and name in value), None)


def _by_field(names: str) -> Discriminator:
    return Discriminator(_sent_source, custom_error_type="source", custom_error_message=f"Should have {names}")


UploadOrPath = Annotated[UploadSource, Tag("UploadSource")] | Annotated[PathSource, Tag("PathSource")]
Source = Annotated[UploadOrPath, _by_field("'upload' or 'path'")]
SpeechSource = Annotated[
    UploadOrPath | Annotated[TextSource, Tag("TextSource")], _by_field("'upload', 'path' or 'text'")
]


class Asked(Sent):
    """Base of all jobs that are asked for."""

    name: Title = "untitled"
    priority: Annotated[int, Field(ge=0, le=9), WHOLE] = 5


class AnimateJob(Asked):
    """One recording to an animation."""

    kind: Literal["animate"]
    audio: SpeechSource
    actor: ActorName = "default"
    options: AnimateOptions = AnimateOptions()


class Line(Sent):
    """One recording of a batch."""

    name: Title
    audio: SpeechSource
    actor: ActorName = "default"
    options: AnimateOptions = AnimateOptions()


class BatchJob(Asked):
    """Many recordings, each to an animation in a folder of its own."""

    kind: Literal["batch"]
    lines: Annotated[list[Line], Field(min_length=1, max_length=500)]
    """Lines of the same name get a number."""


class InspectJob(Asked):
    """What training would see in some videos."""

    kind: Literal["inspect"]
    videos: Annotated[list[Source], Field(min_length=1, max_length=100)]


class Consent(Sent):
    """The speaker's consent, without which nobody's likeness is trained (docs/guide/consent.md)."""

    speaker: Annotated[Words, Field(max_length=200)]
    statement: Annotated[Words, Field(max_length=2000)]
    given_by: Annotated[Words, Field(max_length=200)]
    date: Annotated[str, Field(json_schema_extra={"format": "date"})]
    licence: Annotated[Words, Field(max_length=200)]

    @model_validator(mode="after")
    def check(self) -> Self:
        """As the training does it later."""
        try:
            check_consent(self.model_dump())
        except ConsentError as error:
            raise ValueError(str(error)) from None
        return self


class TrainOptions(Sent):
    """How to train; as the options of `mouthpiece train`."""

    preset: Literal["instant", "fast", "default", "paper"] = "default"
    epochs: Annotated[int, Field(ge=1, le=10_000), WHOLE] = TrainConfig.epochs
    seed: Annotated[int, Field(ge=0, le=MOST_SEED), WHOLE] = TrainConfig.seed
    held_out: Annotated[float, Field(ge=0.05, le=0.5)] = TrainConfig.held_out
    accept_quality: bool = False
    overwrite: bool = False

    @model_validator(mode="after")
    def check(self) -> Self:
        """As the training does it later."""
        try:
            TrainConfig(preset=self.preset, epochs=self.epochs)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return self


class TrainJob(Asked):
    """Videos of one speaker to an actor among your own."""

    kind: Literal["train"]
    videos: Annotated[list[Source], Field(min_length=1, max_length=100)]
    actor: ActorName
    consent: Consent
    options: TrainOptions = TrainOptions()


AnyJob = Annotated[AnimateJob | BatchJob | InspectJob | TrainJob, Field(discriminator="kind")]


class LocalFile(Sent):
    """A file in a folder that the service was started with (--allow)."""

    path: Annotated[str, Field(min_length=1, max_length=4096)]
    kind: Literal["sound", "video"] = "sound"


# ---------------------------------------------------------------- answers


class ProblemBody(BaseModel):
    """Every refusal: a sentence, and the status once more."""

    error: str = Field(examples=["There is no job 00112233445566778899aabbccddeeff."])
    status: int = Field(examples=[404])


class UploadView(BaseModel):
    """A file that was taken; the id is its SHA-256."""

    id: Digest
    kind: Literal["sound", "video"]
    size: int
    seconds: float


class ProgressView(BaseModel):
    """How far a running job is."""

    stage: str
    done: int
    total: int
    seconds_left: float | None


class ResultView(BaseModel):
    """What can be fetched."""

    size: int
    sha256: Digest


class JobView(BaseModel):
    """A job: what it is, how far it is, how it ended."""

    id: str = Field(examples=["00112233445566778899aabbccddeeff"])
    kind: Kind
    state: State
    name: str
    actor: str | None
    priority: int
    seconds: float = Field(description="Seconds of sound or video.")
    created: str
    started: str | None
    finished: str | None
    ahead: int | None = Field(description="Jobs that are done before this one, while it waits.")
    progress: ProgressView | None
    error: str | None
    warnings: list[str]
    cached: bool = Field(description="The result was there already from an identical job.")
    tries: int
    result: ResultView | None
    expired: bool = Field(description="It was done, and its result has expired.")


class JobList(BaseModel):
    """The newest jobs first."""

    jobs: list[JobView]


class MemberView(BaseModel):
    """A file in a result."""

    name: str
    size: int


class FileList(BaseModel):
    """The files in a result."""

    files: list[MemberView]


class ActorView(BaseModel):
    """An actor; error says why it cannot be used."""

    name: str
    digest: str
    licence: str
    speaker: str
    shipped: bool
    metrics: dict[str, float]
    error: str | None


class ActorList(BaseModel):
    """All actors, your own before the shipped ones."""

    actors: list[ActorView]


class Health(BaseModel):
    """That the service is there; open to everybody, so it says no more."""

    service: Literal["mouthpiece"]
    status: Literal["ok", "degraded"]
    version: str


class Status(BaseModel):
    """How the service is, for those who may know."""

    version: str
    uptime: float
    jobs: dict[str, int]
    workers: list[dict[str, Any]]
    disk_free: int
    kept: int = Field(description="Bytes of uploads and results.")
    problems: list[str]
    limits: dict[str, int]
