"""Child processes that end with this one: the Linux kernel sends them a signal (prctl(2), PR_SET_PDEATHSIG)."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def ends_with_us(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Return a `preexec_fn` for a child that is to get signal `number` when this process has ended.

    The kernel watches the thread that starts the child: it has to be one that lasts as long as the process.
    """
    # Import before the fork: in the child another thread may hold the import lock.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def in_the_child() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            # The parent has ended in between: the signal was not sent.
            os.kill(os.getpid(), number)

    return in_the_child
