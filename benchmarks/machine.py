"""What every table says first: the machine and the date."""

import datetime
import os
import platform
from pathlib import Path


def describe_machine() -> str:
    """One line: processor, cores, system, Python, date."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return (
        f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"{datetime.date.today().isoformat()}"
    )
