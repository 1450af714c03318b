"""`secc decode --keys`: what is in the TLS records of a capture, with the key log of one end."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chargebyte_fw.cli import decode_tls
from chargebyte_fw.cli.main import main
from chargebyte_fw.modules.v2g.capture.files import CaptureError
from tests.v2g.capture import wire

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
FRAMES = wire.frames()[:12]
CAR, CHARGER = (wire.CAR, 50000), (wire.CHARGER, 64109)

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="install tshark (Debian package tshark)")


@cache
def identity() -> bytes:
    """Return key and certificate of a charger, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "SECC")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def flights(folder: Path, version: ssl.TLSVersion, exchanged: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Return what car (0) and charger (1) send in turn over TLS; the key log is `keys` in the folder."""
    (folder / "identity.pem").write_bytes(identity())
    charger, car = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    charger.load_cert_chain(folder / "identity.pem")
    car.check_hostname, car.verify_mode = False, ssl.CERT_NONE
    car.keylog_filename = str(folder / "keys")
    for context in (car, charger):
        context.minimum_version = context.maximum_version = version
        if version is ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    wires = [(ssl.MemoryBIO(), ssl.MemoryBIO()) for _ in range(2)]
    ends = [car.wrap_bio(*wires[0]), charger.wrap_bio(*wires[1], server_side=True)]
    found: list[tuple[int, bytes]] = []

    def carry(side: int) -> None:
        if octets := wires[side][1].read():
            found.append((side, octets))
            wires[1 - side][0].write(octets)

    waiting = {0, 1}
    while waiting:
        for side in (0, 1):
            try:
                ends[side].do_handshake()
                waiting.discard(side)
            except ssl.SSLWantReadError:
                pass
            carry(side)
    for number, frame in enumerate(exchanged):
        ends[number % 2].write(frame)
        carry(number % 2)
    return found


def capture(folder: Path, version: ssl.TLSVersion, exchanged: Sequence[bytes] = FRAMES, size: int = 700) -> Path:
    """Write a capture of a session over TLS."""
    at = {0: 1001, 1: 7001}
    packets = [
        wire.tcp(CAR, CHARGER, 1000, flags=wire.SYN),
        wire.tcp(CHARGER, CAR, 7000, flags=wire.SYN | wire.ACK, acknowledged=1001),
    ]
    for side, octets in flights(folder, version, exchanged):
        way = (CAR, CHARGER) if side == 0 else (CHARGER, CAR)
        for start in range(0, len(octets), size):
            part = octets[start : start + size]
            packets.append(wire.tcp(*way, at[side], part, acknowledged=at[1 - side]))
            at[side] += len(part)
    path = folder / "session.pcap"
    path.write_bytes(wire.pcap([wire.link(packet, wire.ETHERNET) for packet in packets]))
    return path


def decode(*arguments: object) -> int:
    return main(["decode", *map(str, arguments)])


def names(text: str) -> list[str]:
    return [line.split()[3] for line in text.splitlines()[1:]]


@needs_tshark
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("size", [700, 50])
def test_messages_in_tls_records(tmp_path: Path, version: ssl.TLSVersion, size: int, capsys: Any) -> None:
    session = capture(tmp_path, version, size=size)
    assert decode(session, "--keys", tmp_path / "keys") == 0
    out, err = capsys.readouterr()
    (tmp_path / "plain").write_text("\n".join(frame.hex() for frame in FRAMES))
    decode(tmp_path / "plain")
    assert names(out) == names(capsys.readouterr().out) and len(names(out)) == len(FRAMES)
    assert err == ""
    assert decode("--check", session, "--keys", tmp_path / "keys") == 0
    assert capsys.readouterr().out == f"{len(FRAMES)} frames, 0 mismatches\n"


@needs_tshark
def test_frames_that_share_a_record_or_are_cut_by_two(tmp_path: Path, capsys: Any) -> None:
    one, two = FRAMES[0], FRAMES[1]
    session = capture(tmp_path, ssl.TLSVersion.TLSv1_3, [one + two[:5], one, two[5:]])
    assert decode(session, "--keys", tmp_path / "keys") == 0
    assert len(names(capsys.readouterr().out)) == 3


@needs_tshark
def test_a_key_log_of_another_session_decrypts_nothing(tmp_path: Path, capsys: Any) -> None:
    other = tmp_path / "other"
    other.mkdir()
    session = capture(tmp_path, ssl.TLSVersion.TLSv1_3)
    capture(other, ssl.TLSVersion.TLSv1_3)
    for keys in (other / "keys", other / "session.pcap"):
        decode(session, "--keys", keys)
        out, err = capsys.readouterr()
        assert out == "" and err.count("encrypted (TLS)") == 2


@needs_tshark
def test_what_is_no_capture_cannot_be_decrypted(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "hex").write_text(FRAMES[0].hex())
    (tmp_path / "keys").write_text("")
    assert decode(tmp_path / "hex", "--keys", tmp_path / "keys") == 1
    assert "tshark cannot read it" in capsys.readouterr().err
    assert decode(tmp_path / "hex", "--keys", tmp_path / "nothing") == 1
    assert capsys.readouterr().err == f"secc decode: {tmp_path / 'nothing'}: No such file or directory\n"
    assert decode("-", "--keys", tmp_path / "keys") == 1
    assert "No such file" in capsys.readouterr().err


def test_without_tshark_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CaptureError, match="tshark is needed to decrypt TLS, and is not installed"):
        decode_tls.decrypt("session.pcap", "keys")
