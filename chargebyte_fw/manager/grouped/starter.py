"""Starts the groups: a process that has loaded the configuration, and makes a copy of itself for each of them.

A copy shares the memory of everything that is loaded, and is there in milliseconds: a group that is started again while
a car charges takes no processor time from the others. The starter has one thread, no event loop and no open connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import traceback
from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.manager import gc_tuning
from chargebyte_fw.manager.grouped import channel

REQUEST_LIMIT_BYTES = 4096
PR_SET_NAME = 15
STATUS_OF_A_DEFECT = 70
"""Exit status of a copy that has ended by an exception."""


class Request(msgspec.Struct, frozen=True):
    """Which group to start, and since when its modules have missed what others published (monotonic, s)."""

    group: str
    since_s: float | None = None


Run = Callable[[Request, socket.socket], int]
"""Runs a group in its process until it ends; the socket is its end of the channel. Returns the exit status."""


class Starter:
    """The manager's side."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[int]] = set()

    async def start(self, request: Request, end: socket.socket) -> int:
        """Start a group; returns the id of its process. Raises OSError when the starter has ended.

        `end` is the group's end of the channel, and closed here. A start that is cancelled is carried out all the same,
        and the group ends when the other end is closed.
        """
        task = asyncio.get_running_loop().create_task(self._start(request, end), name=f"start {request.group}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[int]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Whoever has waited has the error; one who was cancelled does not need it.
            task.exception()

    async def _start(self, request: Request, end: socket.socket) -> int:
        async with self._turn:
            with end:
                socket.send_fds(self._socket, [msgspec.json.encode(request)], [end.fileno()])
            answer = await asyncio.get_running_loop().sock_recv(self._socket, REQUEST_LIMIT_BYTES)
        if not answer:
            raise ConnectionResetError("the process that starts groups has ended")
        return int(answer)

    def close(self) -> None:
        """End the starter."""
        self._socket.close()


def fork_starter(run: Run) -> Starter:
    """Fork the starter: before any event loop or thread of this process begins."""
    ours, theirs = channel.pair()
    gc_tuning.share()
    if os.fork() == 0:
        ours.close()
        _in_a_child("starter", serve, theirs, run)
    theirs.close()
    return Starter(ours)


def serve(requests: socket.socket, run: Run) -> int:
    """Start groups until the manager has ended."""
    _name("starter")
    # Copies that end are not waited for: the manager watches them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            octets, descriptors, _, _ = socket.recv_fds(requests, REQUEST_LIMIT_BYTES, 1)
        except ConnectionError:
            return 0
        if not octets or not descriptors:
            return 0
        request = msgspec.json.decode(octets, type=Request)
        end = socket.socket(fileno=descriptors[0])
        pid = os.fork()
        if pid == 0:
            requests.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _in_a_child(request.group, run, request, end)
        end.close()
        with contextlib.suppress(ConnectionError):
            # A manager that has gone is seen at the next request.
            requests.send(str(pid).encode())


def _name(name: str) -> None:
    """Give this process the name by which tools show it (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, f"secc:{name}".encode()[:15], 0, 0, 0)


def _in_a_child(name: str, work: Callable[..., int], *about: Any) -> None:
    """Do the work in this copy and end it; never returns into what the copy was made from."""
    status = STATUS_OF_A_DEFECT
    try:
        _name(name)
        status = work(*about)
    except BaseException:
        # Whatever it is, this copy has nothing to return to.
        traceback.print_exc()
    finally:
        os._exit(status)
