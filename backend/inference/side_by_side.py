"""Several generators at once, each in a thread of its own."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
WAITING = 4
"""Items of each generator that may wait to be taken: bounds memory."""
PATIENCE_SECONDS = 0.1
"""After which a thread with a full queue looks whether it is still needed."""


def run_side_by_side(generators: Sequence[Iterator[Item]], prepare: Callable[[], None]) -> Generator[Item, None, None]:
    """Yield what the generators yield, in the order in which it comes; an error in one ends all and is raised.

    prepare: called first in each thread. Threads end when the caller stops iterating.
    """
    finished, stop = object(), threading.Event()
    results: queue.Queue[object] = queue.Queue(WAITING * len(generators))

    def put(item: object) -> None:
        while not stop.is_set():
            try:
                results.put(item, timeout=PATIENCE_SECONDS)
                return
            except queue.Full:
                continue

    def run(generator: Iterator[Item]) -> None:
        try:
            prepare()
            for item in generator:
                put(item)
                if stop.is_set():
                    return
            put(finished)
        except BaseException as error:  # whatever it is, the caller's thread is where it belongs
            put(error)

    threads = [threading.Thread(target=run, args=(generator,), daemon=True) for generator in generators]
    for thread in threads:
        thread.start()
    try:
        left = len(threads)
        while left:
            item = results.get()
            if item is finished:
                left -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item  # type: ignore[misc]  # only the generators' items are left
    finally:
        stop.set()
        for thread in threads:
            thread.join()
