"""Runs a script that sets something up on the machine, within a time limit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable

LIMIT_S = 20.0
"""Setting up addresses, filters and daemons takes seconds on the board."""
_MOST_OUTPUT = 300


async def run_script(path: Path, arguments: Sequence[str], limit_s: float = LIMIT_S) -> None:
    """Run a script; raises Unavailable when it is missing, fails or takes too long. It dies with all it started."""
    name = path.name
    try:
        process = await asyncio.create_subprocess_exec(
            str(path),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"{name}: {error.strerror or error}") from error
    try:
        async with asyncio.timeout(limit_s):
            await process.wait()
    except TimeoutError:
        raise Unavailable(f"{name}: not done within {limit_s:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        # A daemon that the script has started may keep the pipe: what is there is enough.
        output = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                output = await process.stderr.read(_MOST_OUTPUT) if process.stderr is not None else b""
        reason = output.decode(errors="replace").strip() or "no message"
        raise Unavailable(f"{name} {' '.join(arguments)}: exit status {process.returncode}: {reason}")
