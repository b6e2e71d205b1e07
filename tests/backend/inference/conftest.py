"""A small geometry network with random weights, in PyTorch and in NumPy."""

from dataclasses import replace

import pytest
import torch

from models.motion_network import MotionNetwork
from models.presets import DEFAULT, build_model


@pytest.fixture(scope="package")
def model():
    torch.manual_seed(0)
    return build_model(replace(DEFAULT, voice_width=16, texture_widths=())).eval()


@pytest.fixture(scope="package")
def network(model):
    return MotionNetwork({name: value.numpy() for name, value in model.state_dict().items()})


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """Sums in the same order on every machine: with more threads the plain path itself rounds otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
