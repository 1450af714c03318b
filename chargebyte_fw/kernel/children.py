"""Processes that end with ours, however ours ends: the kernel sends them a signal (prctl(2), PR_SET_PDEATHSIG)."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def ends_with_us(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Return what a child runs before its program begins (`preexec_fn`), so that it gets `number` when we are gone.

    The kernel watches the thread that starts the child: it has to be one that lasts as long as the process.
    """
    # Loaded here and not in the child, where another thread may hold the loader's lock.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def in_the_child() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            # It ended in between, and the signal was for nobody.
            os.kill(os.getpid(), number)

    return in_the_child
