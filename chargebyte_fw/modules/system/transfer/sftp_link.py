"""SFTP with paramiko, in a thread. A server's key is learnt at the first visit and must be the same ever after."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from chargebyte_fw.modules.system.transfer import timing
from chargebyte_fw.modules.system.transfer.host_keys import KnownHosts
from chargebyte_fw.modules.system.transfer.messages import Address, Failure, TransferError, one_line
from chargebyte_fw.modules.system.transfer.received_file import ReceivedFile
from chargebyte_fw.modules.system.transfer.threads import Progress, in_thread

if TYPE_CHECKING:
    import paramiko

WINDOW = 64
"""Requests under way: without them each 32 KiB would wait for the line's delay."""


async def fetch(address: Address, received: ReceivedFile, known_hosts: tuple[Path, Path]) -> None:
    """Fetch the file into `received`, from where it ended if size and time of change are the same."""
    talk = SftpConnection(address, *known_hosts)
    await in_thread(lambda: talk.fetch(received), talk.abort, "sftp")


async def send(address: Address, file: Path, known_hosts: tuple[Path, Path], pulse: Progress, *, resume: bool) -> None:
    """Store the file; with `resume` what the server has of it stays."""
    talk = SftpConnection(address, *known_hosts)
    await in_thread(lambda: talk.send(file, resume, pulse), talk.abort, "sftp")


class SftpConnection:
    """One connection; blocking, except `abort`, which is called from another thread."""

    def __init__(self, address: Address, given: Path, learnt: Path) -> None:
        self.address = address
        self._known = KnownHosts(given, learnt)
        self._socket: socket.socket | None = None
        self._transport: paramiko.Transport | None = None
        self._aborted = False

    def abort(self) -> None:
        """Break the connection, so that whoever waits for it wakes up."""
        self._aborted = True
        if self._transport is not None:
            self._transport.close()
        if self._socket is not None:
            self._socket.close()

    def fetch(self, received: ReceivedFile) -> None:
        """Read the file."""
        with self._guarded() as sftp:
            path = self._path()
            found = sftp.stat(path)
            size, version = found.st_size, f"{found.st_mtime}"
            same = received.offset > 0 and received.origin.version == version and received.origin.size == size
            offset = received.offset if same and size is not None and received.offset <= size else 0
            received.begin(offset, size, version)
            if size is None or offset < size:
                with sftp.open(path, "rb") as file:
                    file.seek(offset)
                    if size is not None:
                        file.prefetch(size, WINDOW)
                    while chunk := file.read(timing.CHUNK):
                        received.write(chunk)

    def send(self, file: Path, resume: bool, pulse: Progress) -> None:
        """Write the file."""
        with self._guarded() as sftp:
            path = self._path()
            offset = self._there(sftp, path, file.stat().st_size) if resume else 0
            with file.open("rb") as body, sftp.open(path, "r+b" if offset else "wb") as target:
                target.set_pipelined(True)
                body.seek(offset)
                target.seek(offset)
                while chunk := body.read(timing.CHUNK):
                    target.write(chunk)
                    pulse.beat()
                target.flush()
                # The library drops the answers to writes; while the file is open its size shows how they went.
                _require_size(target.stat, file.stat().st_size)
            # A server that takes the file away when it is closed, or lets no client look, has it all the same.
            _require_size(lambda: sftp.stat(path), file.stat().st_size)

    def _there(self, sftp: paramiko.SFTPClient, path: str, most: int) -> int:
        try:
            there = sftp.stat(path).st_size or 0
        except OSError:
            # Not there, or not to be looked at: begin anew.
            return 0
        return there if there <= most else 0

    def _path(self) -> str:
        # `/~/` stands for the folder of the login, as in curl.
        path = self.address.path
        path = path.removeprefix("/~/")
        if not PurePosixPath(path).name:
            raise TransferError(Failure.ADDRESS, "the address names no file", final=True)
        return path

    def _guarded(self) -> Session:
        return Session(self)

    def enter(self) -> paramiko.SFTPClient:
        """Connect, check the server's key, log in."""
        import paramiko

        address = self.address
        self._socket = socket.create_connection((address.host, address.port), timeout=timing.CONNECT_LIMIT_S)
        if self._aborted:
            self._socket.close()
        # Its own log has a stack trace for each break; ours has one line.
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)
        self._transport = transport = paramiko.Transport(self._socket)
        transport.banner_timeout = transport.auth_timeout = transport.channel_timeout = timing.CONNECT_LIMIT_S
        options = transport.get_security_options()
        options.key_types = self._known.algorithms(address.host, address.port, options.key_types)
        transport.start_client(timeout=timing.CONNECT_LIMIT_S)
        key = transport.get_remote_server_key()
        self._known.check(address.host, address.port, key.get_name(), key.asbytes())
        if not address.user:
            raise TransferError(Failure.DENIED, "the address names no user", final=True)
        transport.auth_password(address.user, address.password)
        sftp = paramiko.SFTPClient.from_transport(transport)
        if sftp is None:
            raise TransferError(Failure.BROKEN, "the server opens no channel")
        channel = sftp.get_channel()
        if channel is not None:
            channel.settimeout(timing.STALL_LIMIT_S)
        return sftp

    def leave(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()
        if self._socket is not None:
            self._socket.close()


def _require_size(look: Callable[[], paramiko.SFTPAttributes], size: int) -> None:
    """Raise TransferError when the server reports another size; one that reports none is trusted."""
    try:
        written = look().st_size
    except OSError:
        return
    if written is not None and written != size:
        raise TransferError(Failure.BROKEN, f"the server has {written} of {size} bytes")


class Session:
    """The time between `enter` and `leave`; every failure of the library becomes a TransferError."""

    def __init__(self, talk: SftpConnection) -> None:
        self.talk = talk

    def __enter__(self) -> paramiko.SFTPClient:
        try:
            return self.talk.enter()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import paramiko

        self.talk.leave()
        if isinstance(error, TransferError) or error is None:
            return
        if isinstance(error, paramiko.AuthenticationException | PermissionError):
            raise TransferError(Failure.DENIED, f"the server says no: {one_line(error)}") from error
        if isinstance(error, FileNotFoundError):
            raise TransferError(Failure.DENIED, "the server has no such file or folder") from error
        if isinstance(error, socket.gaierror):
            raise TransferError(Failure.ADDRESS, f"the host has no address: {error.strerror}") from error
        if isinstance(error, EOFError):
            raise TransferError(Failure.BROKEN, "the server hung up") from error
        if isinstance(error, paramiko.SSHException | paramiko.SFTPError | OSError | ValueError):
            raise TransferError(Failure.BROKEN, one_line(error)) from error
