"""A trained network from its .safetensors file, without a copy of its weights."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from models.presets import ModelConfig, build_model
from models.talking_face import TalkingFace


def load_model(path: Path, sizes: dict[str, Any]) -> TalkingFace:
    """Build the network of a config, given as JSON holds it, around memory-mapped weights; in evaluation mode.

    Raises: safetensors.SafetensorError, RuntimeError, TypeError, ValueError where the two do not fit together.
    """
    values: dict[str, Any] = {key: tuple(size) if isinstance(size, list) else size for key, size in sizes.items()}
    # On the meta device no random number would be drawn, but drawing none there loads PyTorch's compiler: 2 s.
    with torch.random.fork_rng(devices=[]):
        model = build_model(ModelConfig(**values))
    model.load_state_dict(load_file(path), assign=True)
    return model.eval().requires_grad_(False)
