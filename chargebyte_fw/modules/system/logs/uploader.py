"""One upload of logs at a time: gather, send, try again, publish how it went."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chargebyte_fw.contracts.types.system import LogStatus, LogStatusEnum
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.modules.system.logs.archive import Span, gather
from chargebyte_fw.modules.system.transfer.messages import Failure, TransferError
from chargebyte_fw.modules.system.transfer.transfer import FileTransfer

REPLY_FIRST_S = 0.1
"""The work begins this long after the answer, so that no status overtakes it."""
RETRY_PAUSE_S = 1.0
"""The least pause between two tries."""
NO_REQUEST = -1
FOLDER = "secc-logs-"

VERDICTS = {
    Failure.ADDRESS: LogStatusEnum.BadMessage,
    Failure.SCHEME: LogStatusEnum.NotSupportedOperation,
    Failure.DENIED: LogStatusEnum.PermissionDenied,
}


@dataclass(frozen=True, slots=True)
class Order:
    """One request, with the defaults filled in."""

    location: str
    name: str
    request_id: int
    tries: int
    interval_s: float
    span: Span
    as_written: bool = False
    """An address of HTTP(S) without a slash at the end is that of the file, not of a folder."""


class Uploader:
    """Runs the latest order; an order that is under way gives way (`AcceptedCanceled`)."""

    def __init__(
        self,
        root: Root,
        transfer: FileTransfer,
        publish: Callable[[LogStatus], None],
        spawn: Callable[[Any, str], asyncio.Task[Any]],
        log: ModuleLog,
    ) -> None:
        self._root = root
        self._transfer = transfer
        self._publish = publish
        self._spawn = spawn
        self._log = log
        self._running: tuple[asyncio.Task[Any], Order] | None = None

    @property
    def busy(self) -> bool:
        """Whether an upload is under way."""
        return self._running is not None

    def begin(self, order: Order) -> None:
        """Start `order` in place of the one that runs."""
        before, self._running = self._running, None
        if before is not None:
            before[0].cancel()
        task = self._spawn(self._work(order, before), "upload logs")
        self._running = (task, order)

    async def _work(self, order: Order, before: tuple[asyncio.Task[Any], Order] | None) -> None:
        if before is not None:
            await asyncio.wait([before[0]])
        await asyncio.sleep(REPLY_FIRST_S)
        if before is not None:
            self._publish_status(LogStatusEnum.AcceptedCanceled, before[1])
        verdict = await self._carry_out(order)
        self._running = None
        self._publish_status(verdict, order)

    async def _carry_out(self, order: Order) -> LogStatusEnum:
        self._publish_status(LogStatusEnum.Uploading, order)
        try:
            temporary = self._root.write("/tmp/logs").parent
            for stale in temporary.glob(f"{FOLDER}*"):
                # A process that was killed leaves its archive; the place may be the machine's memory.
                shutil.rmtree(stale, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=FOLDER, dir=temporary))
        except OSError as error:
            self._log.error("logs cannot be gathered: %s", error.strerror or error)
            return LogStatusEnum.UploadFailure
        try:
            file = folder / order.name
            left_out = await gather(self._root, file, order.span)
            if left_out:
                self._log.debug("not in the archive: %s", "; ".join(left_out))
            return await self._send(order, file)
        except Unavailable as error:
            self._log.error("logs cannot be gathered: %s", error)
            return LogStatusEnum.UploadFailure
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _send(self, order: Order, file: Path) -> LogStatusEnum:
        left = order.tries
        while True:
            try:
                there = await self._transfer.send(
                    order.location, file, resume=left < order.tries, as_written=order.as_written
                )
            except TransferError as error:
                left -= 1
                verdict = VERDICTS.get(error.trouble, LogStatusEnum.UploadFailure)
                if error.final or left <= 0:
                    self._log.warning("the logs cannot be uploaded: %s", error)
                    return verdict
                self._log.warning("the upload of the logs broke: %s; again in %g s", error, order.interval_s)
            else:
                self._log.info("logs are at %s", there)
                return LogStatusEnum.Uploaded
            # Each failed try has its own pair of statuses, as EVerest's system modules publish it.
            self._publish_status(verdict, order)
            await asyncio.sleep(max(order.interval_s, RETRY_PAUSE_S))
            self._publish_status(LogStatusEnum.Uploading, order)

    def _publish_status(self, status: LogStatusEnum, order: Order) -> None:
        self._publish(LogStatus(log_status=status, request_id=order.request_id))
