"""known_hosts means what OpenSSH makes of it: judged by `ssh` itself, and an impostor never gets a password."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.modules.system.transfer.host_keys import KnownHosts
from chargebyte_fw.modules.system.transfer.messages import Failure, TransferError
from chargebyte_fw.modules.system.transfer.transfer import FileTransfer

RELAY = """
import os, select, socket, sys
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    for ready in select.select([0, line], [], [])[0]:
        data = os.read(0, 65536) if ready == 0 else line.recv(65536)
        if not data:
            sys.exit()
        line.sendall(data) if ready == 0 else os.write(1, data)
"""
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")


class Keys:
    """The server's key, another one of the same type, and one of another type."""

    def __init__(self) -> None:
        self.own, self.other = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        self.ecdsa = asyncssh.generate_private_key("ecdsa-sha2-nistp256")

    def texts(self) -> dict[str, str]:
        return {
            name: " ".join(key.export_public_key().decode().split()[:2])
            for name, key in (("OWN", self.own), ("OTHER", self.other), ("ECDSA", self.ecdsa))
        }


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


def hashed(name: str) -> str:
    salt = b"12345678901234567890"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def written(text: str, keys: Keys) -> str:
    for name, key in keys.texts().items():
        text = text.replace(name, key)
    return text + "\n"


class Login(asyncssh.SSHServer):
    """Takes no password and notes what was sent."""

    passwords: list[str] = []

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self.passwords.append(password)
        return False


@asynccontextmanager
async def server(key: asyncssh.SSHKey, address: str = "127.0.0.1") -> AsyncIterator[int]:
    Login.passwords = []
    listener = await asyncssh.listen(address, 0, server_factory=Login, server_host_keys=[key])
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


async def verdict_of_ssh(given: Path, learnt: Path, host: str, port: int, real_port: int) -> str:
    proxy = shlex.join([sys.executable, "-S", "-E", "-c", RELAY, str(real_port)]).replace("%", "%%")
    options = {
        "BatchMode": "yes", "StrictHostKeyChecking": "accept-new", "GlobalKnownHostsFile": str(given),
        "UserKnownHostsFile": str(learnt), "PreferredAuthentications": "none", "UpdateHostKeys": "no",
        "HashKnownHosts": "no", "ProxyCommand": proxy, "HostKeyAlgorithms": "ssh-ed25519", "CheckHostIP": "no",
    }  # fmt: skip
    command = ["ssh", "-F", "none", "-p", str(port), *(f"-o{key}={value}" for key, value in options.items())]
    process = await asyncio.create_subprocess_exec(
        *command, f"nobody@{host}", "true", stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
    )
    _, told = await process.communicate()
    text = told.decode()
    if "Permission denied" in text:
        return "learnt" if learnt.exists() and learnt.read_text() else "known"
    assert "Host key verification failed" in text or "No ED25519 host key is known" in text, text
    return "refused"


def verdict_of_ours(given: Path, learnt: Path, host: str, port: int, key: asyncssh.SSHKey) -> str:
    try:
        KnownHosts(given, learnt).check(host, port, "ssh-ed25519", key.public_data)
    except TransferError as error:
        assert error.trouble is Failure.DENIED and error.final
        return "refused"
    return "learnt" if learnt.exists() else "known"


SAME = {
    "plain": ("h OWN", "h", 22, "known"),
    "plain, other": ("h OTHER", "h", 22, "refused"),
    "nobody listed": ("g OTHER", "h", 22, "learnt"),
    "blanks and tab": ("  h\t OWN comment # more", "h", 22, "known"),
    "upper case": ("H.Example.COM OTHER", "h.example.com", 22, "refused"),
    "upper case asked": ("h.example.com OTHER", "H.EXAMPLE.com", 22, "refused"),
    "several names": ("g,h,i OTHER", "h", 22, "refused"),
    "star": ("*.example.com OTHER", "a.example.com", 22, "refused"),
    "star, own": ("*.example.com OWN", "a.example.com", 22, "known"),
    "question mark": ("h? OTHER", "h1", 22, "refused"),
    "brackets are no pattern": ("h[1] OTHER", "h1", 22, "learnt"),
    "negated": ("*.example.com,!bad.example.com OTHER", "bad.example.com", 22, "learnt"),
    "negated, but another": ("*.example.com,!bad.example.com OTHER", "good.example.com", 22, "refused"),
    "negated first": ("!bad.example.com,*.example.com OTHER", "bad.example.com", 22, "learnt"),
    "only negated": ("!bad.example.com OTHER", "good.example.com", 22, "learnt"),
    "everybody": ("* OTHER", "h", 22, "refused"),
    "hashed": (f"{hashed('h')} OTHER", "h", 22, "refused"),
    "hashed, own": (f"{hashed('h')} OWN", "h", 22, "known"),
    "hashed with port": (f"{hashed('[h]:2222')} OTHER", "h", 2222, "refused"),
    "with port": ("[h]:2222 OTHER", "h", 2222, "refused"),
    "with port, own": ("[h]:2222 OWN", "h", 2222, "known"),
    "port of another": ("[h]:2222 OTHER", "h", 2223, "learnt"),
    "any port": ("[h]:* OTHER", "h", 2222, "refused"),
    "without port, own": ("h OWN", "h", 2222, "known"),
    "without port, other": ("h OTHER", "h", 2222, "learnt"),
    "two keys of one type": ("h OTHER\nh OWN", "h", 22, "known"),
    "two keys, the other way": ("h OWN\nh OTHER", "h", 22, "known"),
    "two files' worth": ("# x\n\nnot a line\nh OTHER\n\th OWN", "h", 22, "known"),
    "revoked": ("@revoked h OWN", "h", 22, "refused"),
    "revoked and listed": ("h OWN\n@revoked h OWN", "h", 22, "refused"),
    "revoked for everybody": ("@revoked * OWN\nh OWN", "h", 22, "refused"),
    "revoked by hash": (f"@revoked {hashed('h')} OWN", "h", 22, "refused"),
    "revoked with two blanks": ("@revoked  h OWN", "h", 22, "refused"),
    "another one is revoked": ("@revoked h OTHER", "h", 22, "learnt"),
    "an unknown marker": ("@trusted h OTHER", "h", 22, "learnt"),
    "a marker in capitals": ("@REVOKED h OWN", "h", 22, "learnt"),
    "comment": ("#h OTHER", "h", 22, "learnt"),
    "line separator": ("# x\u2028h OTHER", "h", 22, "learnt"),
    "carriage return": ("# x\rh OTHER", "h", 22, "learnt"),
    "IPv6": ("2001:db8::1 OTHER", "2001:db8::1", 22, "refused"),
    "IPv6 with port": ("[2001:db8::1]:2222 OTHER", "2001:db8::1", 2222, "refused"),
}


@pytest.mark.parametrize(("text", "host", "port", "verdict"), SAME.values(), ids=SAME.keys())
def test_a_line_means_what_ssh_makes_of_it(
    keys: Keys, tmp_path: Path, text: str, host: str, port: int, verdict: str
) -> None:
    given, ours, theirs = (tmp_path / name for name in ("given", "ours", "theirs"))
    given.write_bytes(written(text, keys).encode())
    assert verdict_of_ours(given, ours, host.lower(), port, keys.own) == verdict

    async def main() -> None:
        async with server(keys.own) as real_port:
            assert await verdict_of_ssh(given, theirs, host, port, real_port) == verdict

    clock.run(main())
    if verdict == "learnt":
        assert theirs.read_text().split()[:3] == ours.read_text().split()[:3]


STRICTER = {
    "port 22 named": ("[h]:22 OTHER", "h", 22),
    "hashed port 22": (f"{hashed('[h]:22')} OTHER", "h", 22),
    "long IPv6": ("2001:0db8:0:0:0:0:0:1 OTHER", "2001:db8::1", 22),
    "IPv6 in capitals": ("2001:DB8::1 OTHER", "2001:db8::1", 22),
    "long IPv6 with port": ("[2001:0db8:0000::1]:2222 OTHER", "2001:db8::1", 2222),
    "hashed long IPv6": (f"{hashed('2001:0db8:0000:0000:0000:0000:0000:0001')} OTHER", "2001:db8::1", 22),
    "an authority": ("@cert-authority *.example.com OTHER", "h.example.com", 22),
    "a key that is not readable": ("h ssh-ed25519 !!!", "h", 22),
    "a key under another type": ("h ssh-rsa AAAAC3NzaC1lZDI1NTE5", "h", 22),
    "a key of another type": ("h ECDSA", "h", 22),
}


@pytest.mark.parametrize(("text", "host", "port"), STRICTER.values(), ids=STRICTER.keys())
def test_a_host_that_a_line_names_is_never_learnt(keys: Keys, tmp_path: Path, text: str, host: str, port: int) -> None:
    given, learnt = tmp_path / "given", tmp_path / "learnt"
    given.write_text(written(text, keys))
    assert verdict_of_ours(given, learnt, host, port, keys.own) == "refused"
    assert not learnt.exists()
    if "OTHER" in text and not text.startswith("@"):
        given.write_text(written(text.replace("OTHER", "OWN"), keys))
        assert verdict_of_ours(given, learnt, host, port, keys.own) == "known"


@pytest.mark.parametrize(
    "names",
    ["*", "127.*", "127.0.0.?,other", "!x,[127.0.0.1]:*", "hash", "[127.0.0.1]:PORT", "long", "@revoked"],
)
def test_an_impostor_gets_no_password_and_is_not_learnt(keys: Keys, tmp_path: Path, names: str) -> None:
    given, learnt = tmp_path / "given", tmp_path / "learnt"
    address = "::1" if names == "long" else "127.0.0.1"

    async def main() -> None:
        async with server(keys.own, address) as port:
            line = {
                "hash": f"{hashed(f'[127.0.0.1]:{port}')} OTHER",
                "long": f"[0:0:0:0:0:0:0:1]:{port} OTHER",
                "@revoked": "@revoked * OWN",
            }.get(names, f"{names.replace('PORT', str(port))} OTHER")
            given.write_text(written(line, keys))
            host = f"[{address}]" if ":" in address else address
            if names in ("*", "127.*", "127.0.0.?,other"):
                # Without a port in it a pattern covers `[127.0.0.1]:port` only where it says so.
                given.write_text(written(f"[{line.split()[0].split(',')[0]}]:* OTHER", keys))
            with pytest.raises(TransferError) as caught:
                await FileTransfer((given, learnt)).fetch(f"sftp://u:secret@{host}:{port}/file", tmp_path / "file", 100)
            assert caught.value.trouble is Failure.DENIED and caught.value.final
            assert Login.passwords == [] and not learnt.exists()

    clock.run(main())


def test_with_several_keys_of_one_type_the_server_may_show_any(keys: Keys, tmp_path: Path) -> None:
    given, learnt = tmp_path / "given", tmp_path / "learnt"

    async def main() -> None:
        async with server(keys.own) as port:
            given.write_text(written(f"[127.0.0.1]:{port} OTHER\n[127.0.0.1]:{port} OWN", keys))
            with pytest.raises(TransferError, match="says no"):
                await FileTransfer((given, learnt)).fetch(f"sftp://u:secret@127.0.0.1:{port}/f", tmp_path / "file", 100)
            assert Login.passwords == ["secret"] and not learnt.exists()

    clock.run(main())
