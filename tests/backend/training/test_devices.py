"""Several processes stay one network; a device that is not there is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from backend.errors import EnvironmentProblem, UsageError
from backend.training.devices import choose_device, mixed_precision, processor_has_bfloat16

ROOT = Path(__file__).resolve().parents[3]
TWO = """
from pathlib import Path
import torch
from backend.training.devices import average_gradients, first_process_first, join_processes
process, count = join_processes(torch.device("cpu"))
order = []
with first_process_first(process, count):
    pass
layer = torch.nn.Linear(2, 1, bias=False)
layer.weight.data.fill_(1.0)
layer(torch.full((1, 2), float(process + 1))).sum().backward()
average_gradients(layer.parameters(), count)
Path(f"{process}.txt").write_text(f"{count} {layer.weight.grad.tolist()}")
"""


def test_gradients_are_averaged_over_two_processes(tmp_path):
    (tmp_path / "two.py").write_text(TWO)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "two.py"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [(tmp_path / f"{process}.txt").read_text() for process in (0, 1)] == ["2 [[1.5, 1.5]]"] * 2


def test_devices():
    assert choose_device("cpu") == torch.device("cpu")
    for name in ("toaster", "mps", "cuda:1"):
        with pytest.raises(UsageError, match="auto, cpu or cuda"):
            choose_device(name)
    if not torch.cuda.is_available():
        assert choose_device("auto") == torch.device("cpu")
        with pytest.raises(EnvironmentProblem, match="--device cpu"):
            choose_device("cuda")


def test_half_precision_only_where_the_processor_has_it():
    with mixed_precision(torch.device("cpu")):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if processor_has_bfloat16() else torch.float32)
