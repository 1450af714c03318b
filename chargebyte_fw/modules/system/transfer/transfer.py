"""Fetch and send: the one door to the three protocols; each is loaded when it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chargebyte_fw.modules.system.transfer import timing
from chargebyte_fw.modules.system.transfer.messages import Address, Failure, TransferError, address_of
from chargebyte_fw.modules.system.transfer.received_file import ReceivedFile
from chargebyte_fw.modules.system.transfer.threads import Progress, alive, in_thread


@dataclass(frozen=True, slots=True)
class FileTransfer:
    """Moves files. `known_hosts`: the keys of SSH servers that a person keeps, and the file for those we learnt."""

    known_hosts: tuple[Path, Path]
    total_limit_s: float = timing.TOTAL_LIMIT_S

    async def fetch(
        self, location: str, target: Path, limit: int, on_begin: Callable[[ReceivedFile], None] = lambda _: None
    ) -> None:
        """Fetch `location` into `target`, at most `limit` bytes; what an earlier try left is used.

        Raises TransferError; `on_begin` gets the file first, whose `received` counts what this try brought.
        """
        address = address_of(location)
        received = ReceivedFile(target, location, limit)
        on_begin(received)
        if received.complete:
            return
        try:
            async with self._bounded(received.pulse, address):
                if address.scheme in ("http", "https"):
                    from chargebyte_fw.modules.system.transfer import http_link

                    await http_link.fetch(address, received)
                elif address.scheme in ("ftp", "ftps"):
                    from chargebyte_fw.modules.system.transfer import ftp_link

                    await ftp_link.fetch(address, received)
                else:
                    from chargebyte_fw.modules.system.transfer import sftp_link

                    await sftp_link.fetch(address, received, self.known_hosts)
            await in_thread(received.finish, lambda: None, "finish")
        finally:
            received.close()

    async def send(self, location: str, file: Path, *, resume: bool = False, as_written: bool = False) -> str:
        """Send `file` into the folder `location`; returns the full address without password. Raises TransferError.

        With `as_written` an address of HTTP(S) without a slash at the end is that of the file itself, and may be signed
        (OCPP 2.1 N01.FR.29). With `resume` FTP and SFTP go on after what the server has of the file.
        """
        address = address_of(location)
        if not (as_written and address.scheme in ("http", "https") and not address.raw_path.endswith("/")):
            address = address.child(file.name)
        pulse = Progress()
        async with self._bounded(pulse, address):
            if address.scheme in ("http", "https"):
                from chargebyte_fw.modules.system.transfer import http_link

                await http_link.send(address, file, pulse)
            elif address.scheme in ("ftp", "ftps"):
                from chargebyte_fw.modules.system.transfer import ftp_link

                await ftp_link.send(address, file, pulse, resume=resume)
            else:
                from chargebyte_fw.modules.system.transfer import sftp_link

                await sftp_link.send(address, file, self.known_hosts, pulse, resume=resume)
        return str(address)

    @asynccontextmanager
    async def _bounded(self, pulse: Progress, address: Address) -> AsyncIterator[None]:
        """Bound what is done inside, as a whole and in silence; raises TransferError, which shows no password."""
        whole: asyncio.Timeout | None = None
        try:
            async with asyncio.timeout(self.total_limit_s) as whole, alive(pulse, timing.SILENCE_LIMIT_S):
                yield
        except TransferError as error:
            raise error.without(address.password) from error.__cause__
        except TimeoutError as error:
            if whole is not None and whole.expired():
                what = f"not complete after {self.total_limit_s:g} s"
                raise TransferError(Failure.BROKEN, what, final=True) from error
            raise TransferError(Failure.BROKEN, f"nothing moved for {timing.SILENCE_LIMIT_S:g} s") from error
