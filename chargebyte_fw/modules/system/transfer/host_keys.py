"""The keys of SSH servers: those that a person listed, those that were learnt at a first visit (known_hosts format)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chargebyte_fw.kernel.store import write_whole
from chargebyte_fw.kernel.text import read_text_as_is
from chargebyte_fw.modules.system.transfer.known_hosts import (
    AUTHORITY,
    PORT,
    REVOKED,
    Line,
    entry,
    lines_of,
    names_host,
)
from chargebyte_fw.modules.system.transfer.messages import Failure, TransferError

RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
"""The algorithms of a key that is listed as `ssh-rsa`."""


class KnownHosts:
    """`given` is the file that a person keeps, `learnt` the one that we write; what is given counts first.

    A host's first key is learnt, as with OpenSSH's `StrictHostKeyChecking accept-new`, but never that of a host which a
    line of `given` names in a way that cannot be checked here (a certificate authority, a key that is not readable).
    """

    def __init__(self, given: Path, learnt: Path) -> None:
        self.given = given
        self.learnt = learnt

    def algorithms(self, host: str, port: int, offered: Sequence[str]) -> tuple[str, ...]:
        """Return the algorithms to ask the server for: those first whose key is known, as OpenSSH does it.

        A server with several keys otherwise shows one that is not listed, and would be taken for a stranger.
        """
        first: list[str] = []
        for path in (self.given, self.learnt):
            for line in _lines_in(path):
                if not line.marker and names_host(line.names, host, port):
                    first += RSA if line.kind == "ssh-rsa" else (line.kind,)
        return (*(one for one in offered if one in first), *(one for one in offered if one not in first))

    def check(self, host: str, port: int, kind: str, key: bytes) -> None:
        """Compare a server's key (type and wire form) with the known ones; raises TransferError unless it is good."""
        shown = host if port == PORT else f"[{host}]:{port}"
        files = [(path, _lines_in(path)) for path in (self.given, self.learnt)]
        for path, lines in files:
            if any(line.marker == REVOKED and line.key == key for line in _about(lines, host, port)):
                raise TransferError(Failure.DENIED, f"the key of {shown} is revoked in {path}", final=True)
        for path, lines in files:
            named = [line for line in _about(lines, host, port) if line.marker != REVOKED]
            if any(line.key == key and not line.marker for line in named):
                return
            if named:
                raise TransferError(Failure.DENIED, _why_refused(shown, path, named), final=True)
        if port != PORT and any(_lists(lines, host, key) for _, lines in files):
            # As OpenSSH: a key that is listed for the host without a port is good at every port.
            return
        self._learn(entry(host, port, kind, key))

    def _learn(self, line: str) -> None:
        try:
            before = read_text_as_is(self.learnt, "replace") if self.learnt.exists() else ""
            write_whole(self.learnt, (before + ("\n" if before and not before.endswith("\n") else "") + line).encode())
        except OSError as error:
            raise TransferError(
                Failure.BROKEN, f"the server's key cannot be noted in {self.learnt}: {error.strerror or error}"
            ) from error


def _about(lines: Sequence[Line], host: str, port: int) -> list[Line]:
    return [line for line in lines if names_host(line.names, host, port)]


def _lists(lines: Sequence[Line], host: str, key: bytes) -> bool:
    return any(line.key == key and not line.marker for line in _about(lines, host, PORT))


def _why_refused(shown: str, path: Path, named: Sequence[Line]) -> str:
    if any(line.key is not None and not line.marker for line in named):
        return f"{shown} shows another key than the one in {path}"
    if any(line.marker == AUTHORITY for line in named):
        return f"{path} trusts {shown} by certificates only, which are not checked here: list its own key"
    return f"the key of {shown} in {path} is not readable"


def _lines_in(path: Path) -> list[Line]:
    try:
        return list(lines_of(read_text_as_is(path, "replace")))
    except FileNotFoundError:
        return []
    except OSError as error:
        # Without the list no host can be verified.
        raise TransferError(Failure.DENIED, f"{path}: {error.strerror or error}", final=True) from error
