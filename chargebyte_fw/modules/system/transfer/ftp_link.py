"""FTP and FTPS (explicit TLS, RFC 4217) with the standard library, in a thread."""

from __future__ import annotations

import ftplib
import socket
import ssl
from pathlib import Path

from chargebyte_fw.modules.system.transfer import timing
from chargebyte_fw.modules.system.transfer.landing import Landing
from chargebyte_fw.modules.system.transfer.messages import Address, TransferError, Trouble
from chargebyte_fw.modules.system.transfer.threads import in_thread

LOGIN_REFUSED = ("430", "530", "532")
FILE_REFUSED = "550"


async def fetch(address: Address, landing: Landing) -> None:
    """Fetch the file into `landing`, from where it ended (REST) if size and time of change are the same."""
    talk = Talk(address)
    await in_thread(lambda: talk.fetch(landing), talk.abort, "ftp")


async def send(address: Address, file: Path, *, resume: bool) -> None:
    """Store the file; with `resume` what the server has of it stays (APPE)."""
    talk = Talk(address)
    await in_thread(lambda: talk.send(file, resume), talk.abort, "ftp")


class Talk:
    """One connection; blocking, except `abort`, which is called from another thread."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._ftp: ftplib.FTP | None = None
        self._data: socket.socket | None = None
        self._aborted = False

    def abort(self) -> None:
        """Break the connections, so that whoever waits for them wakes up."""
        self._aborted = True
        for end in (self._data, self._ftp.sock if self._ftp is not None else None):
            if end is not None:
                _cut(end)

    def fetch(self, landing: Landing) -> None:
        """Retrieve the file."""
        try:
            ftp, path = self._enter()
            size, version = _size(ftp, path), _time(ftp, path)
            same = landing.offset > 0 and landing.origin.version == version and landing.origin.size == size
            offset = landing.offset if same and size is not None and landing.offset <= size else 0
            landing.begin(offset, size, version)
            if size is None or offset < size:
                with self._open(ftp, f"RETR {path}", rest=offset or None) as data:
                    while chunk := data.recv(timing.CHUNK):
                        landing.write(chunk)
                ftp.voidresp()
            _leave(ftp)
        except (OSError, EOFError, ftplib.Error) as error:
            raise self._explain(error) from error
        finally:
            self._close()

    def send(self, file: Path, resume: bool) -> None:
        """Store the file."""
        try:
            ftp, path = self._enter()
            there = (_size(ftp, path) or 0) if resume else 0
            offset = there if there <= file.stat().st_size else 0
            verb = "APPE" if offset else "STOR"
            with file.open("rb") as body, self._open(ftp, f"{verb} {path}") as data:
                body.seek(offset)
                while chunk := body.read(timing.CHUNK):
                    data.sendall(chunk)
                if isinstance(data, ssl.SSLSocket):
                    data.unwrap()
            ftp.voidresp()
            _leave(ftp)
        except (OSError, EOFError, ftplib.Error) as error:
            raise self._explain(error) from error
        finally:
            self._close()

    def _enter(self) -> tuple[ftplib.FTP, str]:
        address = self.address
        secure = address.scheme == "ftps"
        ftp = ftplib.FTP_TLS(context=ssl.create_default_context()) if secure else ftplib.FTP()
        self._ftp = ftp
        ftp.connect(address.host, address.port, timeout=timing.CONNECT_LIMIT_S)
        ftp.login(address.user or "anonymous", address.password or "anonymous@")
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        if ftp.sock is not None:
            ftp.sock.settimeout(timing.STALL_LIMIT_S)
        ftp.timeout = timing.STALL_LIMIT_S
        ftp.voidcmd("TYPE I")
        # RFC 1738 §3.2.2: the path is relative to where the login leads, `/%2F` begins at the root.
        path = address.path[1:]
        if not path:
            raise TransferError(Trouble.ADDRESS, "the address names no file", final=True)
        return ftp, path

    def _open(self, ftp: ftplib.FTP, command: str, rest: int | None = None) -> socket.socket:
        data, _ = ftp.ntransfercmd(command, rest)
        self._data = data
        data.settimeout(timing.STALL_LIMIT_S)
        if self._aborted:
            _cut(data)
        return data

    def _close(self) -> None:
        ftp, self._ftp, self._data = self._ftp, None, None
        if ftp is not None:
            ftp.close()

    def _explain(self, error: Exception) -> TransferError:
        if isinstance(error, ftplib.error_perm):
            code = str(error)[:3]
            denied = code in LOGIN_REFUSED or code == FILE_REFUSED
            return TransferError(Trouble.DENIED if denied else Trouble.BROKEN, f"the server says {error}")
        if isinstance(error, socket.gaierror):
            return TransferError(Trouble.ADDRESS, f"the host has no address: {error.strerror}")
        if isinstance(error, ssl.SSLCertVerificationError):
            return TransferError(Trouble.BROKEN, f"the server's certificate: {error.verify_message}")
        if isinstance(error, ssl.SSLError):
            return TransferError(Trouble.DENIED, f"no TLS with the server: {error.reason}")
        return TransferError(Trouble.BROKEN, str(error) or "the server hung up")


def _size(ftp: ftplib.FTP, path: str) -> int | None:
    try:
        return ftp.size(path)
    except ftplib.error_perm:
        # Not there, or a server without SIZE: RETR will tell.
        return None


def _time(ftp: ftplib.FTP, path: str) -> str:
    try:
        return ftp.voidcmd(f"MDTM {path}")
    except ftplib.error_perm:
        return ""


def _leave(ftp: ftplib.FTP) -> None:
    # The file is complete; how the server takes leave does not matter.
    try:
        ftp.quit()
    except (OSError, EOFError, ftplib.Error):
        return


def _cut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
