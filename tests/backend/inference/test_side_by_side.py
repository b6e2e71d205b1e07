"""Generators in threads: nothing is lost, errors arrive, and nobody keeps running."""

import threading
import time

import pytest

from backend.inference.side_by_side import run_side_by_side


def nothing() -> None:
    pass


def test_everything_comes_in_each_generators_order():
    found = list(run_side_by_side([iter(range(100)), iter(range(100, 300))], nothing))
    assert sorted(found) == list(range(300))
    assert [item for item in found if item < 100] == list(range(100))


def test_they_run_at_the_same_time():
    meeting = threading.Barrier(3, timeout=10)

    def wait():
        meeting.wait()
        yield threading.get_ident()

    assert len(set(run_side_by_side([wait(), wait(), wait()], nothing))) == 3


def test_an_error_is_raised_where_they_are_used():
    def fail():
        yield 1
        raise ZeroDivisionError("in a thread")

    with pytest.raises(ZeroDivisionError, match="in a thread"):
        list(run_side_by_side([fail(), iter(range(10**9))], nothing))


def test_stopping_early_ends_the_threads():
    before = threading.active_count()
    items = run_side_by_side([iter(range(10**9)), iter(range(10**9))], nothing)
    next(items)
    items.close()
    time.sleep(0.05)
    assert threading.active_count() == before


def test_each_thread_is_prepared():
    seen = []
    list(run_side_by_side([iter([1]), iter([2])], lambda: seen.append(threading.get_ident())))
    assert len(seen) == 2
    assert threading.get_ident() not in seen
