"""Where training runs: processor or GPU, one process or several under torchrun, and in which precision."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import nn

from backend.errors import EnvironmentProblem, UsageError


def choose_device(name: str) -> torch.device:
    """`auto` takes a GPU where there is one; under torchrun each process takes its own. Raises UsageError."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return torch.device(name)
    if name != "cuda":
        raise UsageError(f"--device must be auto, cpu or cuda, got {name!r}.")
    if not torch.cuda.is_available():
        raise EnvironmentProblem(
            "--device cuda needs an NVIDIA GPU and a PyTorch built for it; use --device cpu, or install one."
        )
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def mixed_precision(device: torch.device) -> contextlib.AbstractContextManager:
    """Autocast to bfloat16 where the device multiplies it natively; nothing elsewhere, where it would be slower."""
    if device.type == "cuda":
        return torch.autocast("cuda", torch.bfloat16)
    if device.type == "cpu" and processor_has_bfloat16():
        return torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext()


def processor_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself (AVX512-BF16 or AMX)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def join_processes(device: torch.device) -> tuple[int, int]:
    """This process's number and how many there are; joins them where torchrun started several."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return (torch.distributed.get_rank(), count) if count > 1 else (0, 1)


def average_gradients(parameters: Iterable[nn.Parameter], count: int) -> None:
    """Replace each gradient by its mean over all processes, so that they stay one network."""
    for parameter in parameters:
        if count > 1:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            torch.distributed.all_reduce(parameter.grad)
            parameter.grad /= count


@contextlib.contextmanager
def first_process_first(process: int, count: int) -> Iterator[None]:
    """Let process 0 do something, then the others: they find it done."""
    if count > 1 and process:
        torch.distributed.barrier()
    yield
    if count > 1 and not process:
        torch.distributed.barrier()
