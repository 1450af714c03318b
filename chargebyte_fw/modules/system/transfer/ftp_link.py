"""FTP and FTPS (explicit TLS, RFC 4217; implicit at port 990) with the standard library, in a thread."""

from __future__ import annotations

import ftplib
import socket
import ssl
from pathlib import Path
from typing import Any

from chargebyte_fw.modules.system.transfer import timing
from chargebyte_fw.modules.system.transfer.messages import Address, Failure, TransferError, one_line
from chargebyte_fw.modules.system.transfer.received_file import ReceivedFile
from chargebyte_fw.modules.system.transfer.threads import Progress, in_thread

IMPLICIT_TLS_PORT = 990
"""Here TLS begins with the first byte (IANA: `ftps`)."""
REFUSED = ("430", "530", "532", "550")
"""Login or file refused. 430 is no reply of RFC 959, and is no busy server although it begins with 4."""
SERVICE_CLOSES = "421"


async def fetch(address: Address, received: ReceivedFile) -> None:
    """Fetch the file into `received`, from where it ended (REST) if size and time of change are the same."""
    talk = SftpConnection(address)
    await in_thread(lambda: talk.fetch(received), talk.abort, "ftp")


async def send(address: Address, file: Path, pulse: Progress, *, resume: bool) -> None:
    """Store the file; with `resume` what the server has of it stays (APPE)."""
    talk = SftpConnection(address)
    await in_thread(lambda: talk.send(file, resume, pulse), talk.abort, "ftp")


class Ftp(ftplib.FTP):
    """Takes the replies of any server: what is not UTF-8 in them is for people, and lines may end with LF."""

    def getline(self) -> str:
        """Return the next line of the control connection; raises EOFError at its end."""
        assert self.file is not None
        line: bytes = self.file.buffer.readline(self.maxline + 1)
        if len(line) > self.maxline:
            raise ftplib.Error(f"a line of more than {self.maxline} bytes")
        if not line:
            raise EOFError
        return line.decode("utf-8", "replace").rstrip("\r\n")


class FtpOverTls(Ftp, ftplib.FTP_TLS):
    """Takes the TLS session of the control connection for the data, which many servers insist on (vsftpd, ProFTPD)."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Begin a transfer; returns the data connection and the size that the server expects."""
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if isinstance(self.sock, ssl.SSLSocket):
            data = self.context.wrap_socket(data, server_hostname=self.host, session=self.sock.session)
        return data, size


class FtpInTls(FtpOverTls):
    """TLS from the first byte."""

    def connect(self, host: str = "", port: int = 0, timeout: float = -999, source_address: Any = None) -> str:
        """Connect, greet in TLS, and return the server's welcome."""
        self.host, self.port, self.timeout = host, port, timeout
        plain = socket.create_connection((host, port), timeout, source_address=source_address)
        self.af = plain.family
        self.sock = self.context.wrap_socket(plain, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome


class SftpConnection:
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

    def fetch(self, received: ReceivedFile) -> None:
        """Retrieve the file."""
        try:
            ftp, path = self._enter()
            size, version = _size(ftp, path), _time(ftp, path)
            same = received.offset > 0 and received.origin.version == version and received.origin.size == size
            offset = received.offset if same and size is not None and received.offset <= size else 0
            if size is None or offset < size:
                try:
                    data = self._open(ftp, f"RETR {path}", rest=offset or None)
                except ftplib.error_perm:
                    if not offset:
                        raise
                    # A server without REST: from the beginning then.
                    offset = 0
                    data = self._open(ftp, f"RETR {path}")
                received.begin(offset, size, version)
                with data:
                    while chunk := data.recv(timing.CHUNK):
                        received.write(chunk)
                ftp.voidresp()
            else:
                received.begin(offset, size, version)
            _leave(ftp)
        except (OSError, EOFError, ftplib.Error, ValueError) as error:
            raise self._explain(error) from error
        finally:
            self._close()

    def send(self, file: Path, resume: bool, pulse: Progress) -> None:
        """Store the file."""
        try:
            ftp, path = self._enter()
            there = (_size(ftp, path) or 0) if resume else 0
            offset = there if there <= file.stat().st_size else 0
            data, offset = self._store(ftp, path, offset)
            with file.open("rb") as body, data:
                body.seek(offset)
                while chunk := body.read(timing.CHUNK):
                    data.sendall(chunk)
                    pulse.beat()
                if isinstance(data, ssl.SSLSocket):
                    _close_tls(data)
            ftp.voidresp()
            _leave(ftp)
        except (OSError, EOFError, ftplib.Error, ValueError) as error:
            raise self._explain(error) from error
        finally:
            self._close()

    def _store(self, ftp: ftplib.FTP, path: str, offset: int) -> tuple[socket.socket, int]:
        if offset:
            try:
                return self._open(ftp, f"APPE {path}"), offset
            except ftplib.error_perm:
                # A server that cannot append takes the whole file.
                pass
        return self._open(ftp, f"STOR {path}"), 0

    def _enter(self) -> tuple[ftplib.FTP, str]:
        address = self.address
        if address.scheme != "ftps":
            ftp = Ftp()
        else:
            kind = FtpInTls if address.port == IMPLICIT_TLS_PORT else FtpOverTls
            ftp = kind(context=ssl.create_default_context())
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
            raise TransferError(Failure.ADDRESS, "the address names no file", final=True)
        return ftp, path

    def _open(self, ftp: ftplib.FTP, command: str, rest: int | None = None) -> socket.socket:
        data, _ = ftp.ntransfercmd(command, rest)
        self._data = data
        data.settimeout(timing.STALL_LIMIT_S)
        if self._aborted:
            _cut(data)
        return data

    def _close(self) -> None:
        ftp, data, self._ftp, self._data = self._ftp, self._data, None, None
        if data is not None:
            data.close()
        if ftp is not None:
            ftp.close()

    def _explain(self, error: Exception) -> TransferError:
        if isinstance(error, ftplib.error_perm | ftplib.error_temp):
            text = one_line(error)
            if text[:3] in REFUSED:
                return TransferError(Failure.DENIED, f"the server says {text}")
            reply = "the server is busy:" if isinstance(error, ftplib.error_temp) else "the server says"
            return TransferError(Failure.BROKEN, f"{reply} {text}")
        if isinstance(error, socket.gaierror):
            return TransferError(Failure.ADDRESS, f"the host has no address: {error.strerror}")
        if isinstance(error, ssl.SSLCertVerificationError):
            return TransferError(Failure.BROKEN, f"the server's certificate: {error.verify_message}")
        if isinstance(error, ssl.SSLError):
            return TransferError(Failure.DENIED, f"no TLS with the server: {error.reason}")
        if isinstance(error, EOFError):
            return TransferError(Failure.BROKEN, "the server hung up")
        if isinstance(error, ftplib.Error | ValueError):
            return TransferError(Failure.BROKEN, f"the server's answer is no FTP: {one_line(error)}")
        return TransferError(Failure.BROKEN, one_line(error))


def _size(ftp: ftplib.FTP, path: str) -> int | None:
    try:
        size = ftp.size(path)
    except (ftplib.error_perm, ValueError):
        # Not there, a server without SIZE, or one that answers nonsense: RETR will show.
        return None
    except ftplib.error_temp as error:
        _require_service(error)
        return None
    return size if size is not None and size >= 0 else None


def _time(ftp: ftplib.FTP, path: str) -> str:
    try:
        return ftp.voidcmd(f"MDTM {path}")
    except ftplib.error_perm:
        return ""
    except ftplib.error_temp as error:
        _require_service(error)
        return ""


def _require_service(error: ftplib.error_temp) -> None:
    """Raise when the server closes the connection; any other answer that it cannot give now is not needed."""
    if str(error).startswith(SERVICE_CLOSES):
        raise error


def _close_tls(data: ssl.SSLSocket) -> None:
    try:
        data.unwrap()
    except (OSError, ValueError):
        # Some servers just close; whether the file is complete is on the control connection.
        return


def _leave(ftp: ftplib.FTP) -> None:
    # The file is complete; how the server takes leave does not matter.
    try:
        ftp.quit()
    except (OSError, EOFError, ftplib.Error, ValueError):
        return


def _cut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
