"""The garbage collector of a process that has to answer in time: off during the start, without what stays for good."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[None]:
    """Collect nothing until `settle`: what the start allocates stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


def share() -> None:
    """Collect once, and have no later collection write to what is there: before copies of this process are made."""
    gc.collect()
    gc.freeze()


def settle_copy() -> None:
    """As `settle` for a copy: what was there before the copy stays in shared memory."""
    gc.collect()
    gc.freeze()
    gc.enable()


def settle() -> None:
    """Collect once, and exclude everything that is left from later collections (`gc.freeze`).

    A complete collection afterwards looks at a session's objects only; with all modules in it, it takes 20 ms and more.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.enable()
