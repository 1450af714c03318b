"""The keys of SSH servers: those that a person listed, those that were learnt at a first visit (known_hosts format)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chargebyte_fw.kernel.store import write_whole
from chargebyte_fw.kernel.text import read_text_as_is, text_lines
from chargebyte_fw.modules.system.transfer.messages import TransferError, Trouble

if TYPE_CHECKING:
    import paramiko

RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
"""The algorithms of a key that is listed as `ssh-rsa`."""


class KnownHosts:
    """`given` is the file that a person keeps, `learnt` the one that we write; what is given counts first."""

    def __init__(self, given: Path, learnt: Path) -> None:
        self.given = given
        self.learnt = learnt

    def algorithms(self, name: str, offered: Sequence[str]) -> tuple[str, ...]:
        """Return the algorithms to ask the server for: those first whose key is known, as OpenSSH does it.

        A server with several keys otherwise shows one that is not listed, and would be taken for a stranger.
        """
        first: list[str] = []
        for path in (self.given, self.learnt):
            keys, _ = _keys_in(path)
            known = keys.lookup(name)
            for kind in () if known is None else tuple(known):
                first += RSA if kind == "ssh-rsa" else (kind,)
        return (*(one for one in offered if one in first), *(one for one in offered if one not in first))

    def check(self, name: str, key: paramiko.PKey) -> None:
        """Compare a server's key with the known one; the first key of a server is learnt. Raises TransferError."""
        for path in (self.given, self.learnt):
            keys, revoked = _keys_in(path)
            barred = revoked.lookup(name)
            if barred is not None and barred.get(key.get_name()) == key:
                raise TransferError(Trouble.DENIED, f"the key of {name} is revoked in {path}", final=True)
            known = keys.lookup(name)
            if known is None:
                continue
            if known.get(key.get_name()) == key:
                return
            raise TransferError(Trouble.DENIED, f"{name} shows another key than the one in {path}", final=True)
        self._learn(f"{name} {key.get_name()} {key.get_base64()}\n")

    def _learn(self, line: str) -> None:
        try:
            before = self.learnt.read_text(errors="replace") if self.learnt.exists() else ""
            write_whole(self.learnt, (before + ("\n" if before and not before.endswith("\n") else "") + line).encode())
        except OSError as error:
            raise TransferError(
                Trouble.BROKEN, f"the server's key cannot be noted in {self.learnt}: {error.strerror or error}"
            ) from error


def _keys_in(path: Path) -> tuple[paramiko.HostKeys, paramiko.HostKeys]:
    """Return a file's keys and its revoked keys; a line that is none is passed over, the others still count."""
    import paramiko
    from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

    keys, revoked = paramiko.HostKeys(), paramiko.HostKeys()
    try:
        lines = text_lines(read_text_as_is(path, "replace"))
    except FileNotFoundError:
        return keys, revoked
    except OSError as error:
        # Without the list nobody can be told from a stranger.
        raise TransferError(Trouble.DENIED, f"{path}: {error.strerror or error}", final=True) from error
    for line in lines:
        line = line.strip()
        if not line or line.startswith(("#", "@cert-authority")):
            continue
        into = revoked if line.startswith("@revoked") else keys
        words = line.removeprefix("@revoked").split()
        try:
            entry = HostKeyEntry.from_line(" ".join(words))
        except (InvalidHostKey, paramiko.SSHException, ValueError):
            continue
        if entry is not None and entry.key is not None:
            for name in entry.hostnames or ():
                into.add(name, entry.key.get_name(), entry.key)
    return keys, revoked
