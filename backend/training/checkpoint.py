"""The state of an unfinished training run on disk, so that it can go on after it was cut off."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from backend.errors import InputError, StorageProblem
from backend.renaming import move


@dataclass(frozen=True)
class RunState:
    """What a run needs to go on: the epochs done, a row of figures for each, and the tensors."""

    epoch: int
    history: list[dict[str, float]]
    model: dict[str, Tensor]
    average: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    best: dict[str, Tensor]
    """Averaged weights at the best look at the held-out part; empty before the first."""


def save_checkpoint(path: Path, state: RunState) -> None:
    """Write one safetensors file, to a temporary name first: a run that is killed leaves the previous one whole.

    Raises StorageProblem where it cannot be written.
    """
    parts = {"model": state.model, "average": state.average, "optimiser": state.optimiser}
    parts["best"] = state.best
    tensors = {f"{part}/{name}": value.contiguous() for part, values in parts.items() for name, value in values.items()}
    temporary = path.with_suffix(".partial")
    try:
        save_file(tensors, temporary, {"epoch": str(state.epoch), "history": json.dumps(state.history)})
    except SafetensorError as error:
        temporary.unlink(missing_ok=True)
        raise StorageProblem(OSError(str(error))) from None
    move(temporary, path)


def load_checkpoint(path: Path) -> RunState:
    """Read what `save_checkpoint` wrote. Raises InputError where the file is damaged."""
    from safetensors import safe_open

    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"The checkpoint {path} cannot be read ({error}); delete it to start again.") from None
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "optimiser": {}, "best": {}}
    for key, value in tensors.items():
        part, name = key.split("/", 1)
        parts[part][name] = value
    return RunState(int(metadata["epoch"]), json.loads(metadata["history"]), **parts)


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's running moments as one flat mapping `parameter number/name`."""
    state = optimiser.state_dict()["state"]
    return {f"{number}/{name}": torch.as_tensor(value) for number, row in state.items() for name, value in row.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what `optimiser_tensors` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split("/")
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
