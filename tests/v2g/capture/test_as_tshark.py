"""A session in every file format that tshark reads: tshark and this product find the same in it."""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.main import main
from chargebyte_fw.modules.v2g.capture.files import Packet, packets
from tests.v2g.capture import wire

SECOND = 1_700_000_000
SLAC = wire.CAPTURES / "slac/slac-everest-pev.pcap"


def session() -> list[bytes]:
    """Return the Ethernet frames of a matching and of a session; of each packet the first copy."""
    mmes = [packet.data for packet in packets(io.BytesIO(SLAC.read_bytes()), "slac")]
    cooked = [packet.data for packet in packets(io.BytesIO(wire.SESSION.read_bytes()), "session")]
    return mmes + [wire.link(packet, wire.ETHERNET) for packet in dict.fromkeys(data[20:] for data in cooked)]


FRAMES = session()
MME = [frame for frame in FRAMES if frame[12:14] == b"\x88\xe1"]
FCS_BITS = 4 << 27 | 1 << 26
"""Two words of 16 bits, and that they are known."""


def with_checksum(frame: bytes) -> bytes:
    frame = frame.ljust(60, b"\0")
    return frame + struct.pack("<I", zlib.crc32(frame))


def pcapng(kind: int, order: str = "<") -> bytes:
    """Return the session in blocks of one type: 2 (obsolete), 3 (simple) or 6 (enhanced)."""
    file = wire.section(order) + wire.interface(wire.ETHERNET, order)
    for number, frame in enumerate(FRAMES):
        high, low = divmod(SECOND * 10**6 + number * 100_000, 1 << 32)
        lengths = (len(frame), len(frame))
        head = {
            2: struct.pack(order + "HHIIII", 0, 0xFFFF, high, low, *lengths),
            3: struct.pack(order + "I", len(frame)),
            6: struct.pack(order + "IIIII", 0, high, low, *lengths),
        }[kind]
        file += wire.block(kind, head + frame, order)
    return file


def two_interfaces() -> bytes:
    """Every other packet is on an interface of its own, without a link layer."""
    file = wire.section() + wire.interface(wire.ETHERNET) + wire.interface(wire.RAW)
    for number, frame in enumerate(FRAMES):
        raw = number % 2 == 1 and frame[12:14] == b"\x86\xdd"
        file += wire.enhanced(frame[14:] if raw else frame, SECOND * 10**6 + number * 100_000, face=int(raw))
    return file


def kuznetsov() -> bytes:
    file = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, wire.ETHERNET)
    for number, frame in enumerate(FRAMES):
        head = struct.pack("<IIIIIHBx", SECOND, number, len(frame), len(frame), 2, 0, 0)
        file += head + frame
    return file


CHECKED = [with_checksum(frame) for frame in FRAMES]
FILES = {
    "pcap, big-endian": wire.pcap(FRAMES, order=">"),
    "pcap, nanoseconds": wire.pcap(FRAMES, nanoseconds=True),
    "pcap, nanoseconds, big-endian": wire.pcap(FRAMES, order=">", nanoseconds=True),
    "pcap with checksums": wire.pcap(CHECKED, wire.ETHERNET | FCS_BITS),
    "pcap with checksums, big-endian": wire.pcap(CHECKED, wire.ETHERNET | FCS_BITS, order=">"),
    "pcap of a patched libpcap": kuznetsov(),
    "pcap, gzip": gzip.compress(wire.pcap(FRAMES)),
    "pcapng, enhanced packets": pcapng(6),
    "pcapng, obsolete packets": pcapng(2),
    "pcapng, obsolete packets, big-endian": pcapng(2, ">"),
    "pcapng, simple packets": pcapng(3),
    "pcapng, two link types": two_interfaces(),
    "pcapng, gzip": gzip.compress(pcapng(6)),
    "gzip in two members": gzip.compress(wire.pcap(FRAMES)[:5000]) + gzip.compress(wire.pcap(FRAMES)[5000:]),
}


def tshark(file: Path, *fields: str) -> tuple[int, list[list[str]]]:
    program = shutil.which("tshark")
    assert program, "tshark is needed: apt-get install tshark"
    wanted = [word for name in fields for word in ("-e", name)]
    done = subprocess.run(
        [program, "-r", str(file), "-T", "fields", *wanted], capture_output=True, text=True, timeout=100, check=False
    )
    return done.returncode, [line.split("\t") for line in done.stdout.splitlines()]


def decoded(capsys: Any, *arguments: str) -> tuple[int, Sequence[str], str]:
    status = main(["decode", *arguments])
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err


def said(lines: Sequence[str]) -> list[str]:
    """Return lines of the table without their times."""
    return [line[10:] for line in lines[1:]]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[str]]]:
    """The session as a little-endian pcap file, and the payloads that tshark finds in it."""
    file = tmp_path_factory.mktemp("usual") / "usual.pcap"
    file.write_bytes(wire.pcap(FRAMES))
    return file, tshark(file, "tcp.payload", "udp.payload")[1]


@pytest.mark.parametrize("name", FILES)
def test_what_tshark_reads_is_read(name: str, usual: tuple[Path, list[list[str]]], tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "session"
    file.write_bytes(FILES[name])
    status, rows = tshark(file, "frame.time_epoch", "tcp.payload", "udp.payload")
    assert status == 0 and len(rows) == len(FRAMES)
    assert [row[1:] for row in rows] == usual[1]
    expected = decoded(capsys, str(usual[0]))
    assert expected[0] == 0 and len(expected[1]) > 110
    status, lines, err = decoded(capsys, str(file))
    assert (status, said(lines), err) == (0, said(expected[1]), "")
    content = gzip.decompress(FILES[name]) if FILES[name][:2] == b"\x1f\x8b" else FILES[name]
    found: list[Packet] = list(packets(io.BytesIO(content), name))
    if "simple" not in name:
        assert [packet.time_s for packet in found] == pytest.approx([float(row[0]) for row in rows], abs=1e-6)
    if "two" not in name:
        assert [p.data for p in found if p.data[12:14] == b"\x88\xe1"] == [
            frame.ljust(60, b"\0") if "checksums" in name else frame for frame in MME
        ]


@pytest.mark.parametrize("name", ["pcap, big-endian", "pcap, gzip", "pcapng, obsolete packets", "pcapng, gzip"])
def test_a_file_that_is_cut_off_is_read_up_to_there(name: str, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "session"
    file.write_bytes(FILES[name][: len(FILES[name]) * 2 // 3])
    cut, rows = tshark(file, "tcp.payload")
    assert cut != 0
    status, lines, err = decoded(capsys, str(file))
    assert status == 1 and err.count("\n") == 1 and str(file) in err
    whole = tmp_path / "whole"
    whole.write_bytes(wire.pcap(FRAMES[: len(rows)]))
    assert said(lines) == said(decoded(capsys, str(whole))[1])


def test_damaged_gzip_is_an_error_in_one_line(tmp_path: Path, capsys: Any) -> None:
    content = bytearray(FILES["pcap, gzip"])
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "file").write_bytes(content)
    status, _, err = decoded(capsys, str(tmp_path / "file"))
    assert status == 1 and "damaged" in err and err.count("\n") == 1


def test_lines_of_json_may_be_compressed(tmp_path: Path, capsys: Any) -> None:
    recorded = (wire.CAPTURES / "v2g/recorded-frames.jsonl").read_bytes()
    (tmp_path / "plain").write_bytes(recorded)
    (tmp_path / "small").write_bytes(gzip.compress(recorded))
    assert decoded(capsys, str(tmp_path / "plain")) == decoded(capsys, str(tmp_path / "small"))
