"""`secc decode`: what a person gets from frames and captures."""

from __future__ import annotations

import gzip
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.main import main
from tests.v2g.capture import wire

VECTORS = wire.CAPTURES / "v2g/recorded-frames.jsonl"
REQUEST = "01fe80010000000e809a02202c9fff3e37b3d3d19400"


@pytest.fixture
def secc(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `secc decode` and return status, output and errors."""

    def run(*arguments: object) -> tuple[int, list[str], str]:
        status = main(["decode", *map(str, arguments)])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err

    return run


def test_a_frame_in_hex(secc: Any) -> None:
    status, (title, line), err = secc(REQUEST)
    assert status == 0 and err == ""
    assert title.split() == ["line", "from", "protocol", "message", "content"]
    assert line.split()[1:] == ["car", "din", "ServiceDiscoveryReq", "ServiceCategory", "EVCharging"]


def test_a_frame_as_json(secc: Any) -> None:
    _, (line,), _ = secc(REQUEST, "--json")
    found = json.loads(line)
    assert found["protocol"] == "din" and found["message"] == "ServiceDiscoveryReq"
    assert found["frame"] == REQUEST and found["payload_type"] == "0x8001"
    assert found["session_id"] == "80b27ffcf8decf4f"


def test_frames_from_stdin(secc: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{REQUEST}\n\n{REQUEST[16:]}\n".encode())))
    status, lines, _ = secc("--json")
    assert status == 0 and [json.loads(line)["message"] for line in lines] == ["ServiceDiscoveryReq"] * 2


def test_a_capture_of_a_session(secc: Any) -> None:
    status, lines, err = secc("--json", wire.SESSION)
    assert (status, len(lines), err) == (0, 98, "")
    messages = [json.loads(line) for line in lines]
    assert [m["message"] for m in messages[:4]] == [
        "supportedAppProtocolReq",
        "supportedAppProtocolRes",
        "SessionSetupReq",
        "SessionSetupRes",
    ]
    assert [m["message"] for m in messages[-2:]] == ["SessionStopReq", "SessionStopRes"]
    assert {m["protocol"] for m in messages[2:]} == {"iso2"} and len({m["session_id"] for m in messages[3:]}) <= 2
    demand = next(m for m in messages if m["message"] == "CurrentDemandReq")
    assert demand["content"]["EVTargetCurrent"] == {"value": 20, "unit": "A"}
    assert all(a["time_s"] <= b["time_s"] for a, b in pairwise(messages))


def test_what_json_printed_can_be_read_again(secc: Any, tmp_path: Path) -> None:
    _, lines, _ = secc("--json", wire.SESSION)
    again = tmp_path / "frames.jsonl"
    again.write_text("\n".join(lines))
    _, twice, _ = secc("--json", again)
    drop = ("place",)
    assert [{k: v for k, v in json.loads(line).items() if k not in drop} for line in twice] == [
        {k: v for k, v in json.loads(line).items() if k not in drop} for line in lines
    ]


def test_a_table_and_every_field(secc: Any) -> None:
    _, lines, _ = secc(wire.SESSION)
    assert len(lines) == 99
    assert "EVTargetCurrent 20 A" in next(line for line in lines if "CurrentDemandReq" in line)
    _, lines, _ = secc(wire.SESSION, "--full")
    start = next(n for n, line in enumerate(lines) if "CurrentDemandReq" in line)
    assert lines[start + 1].strip() == "DC_EVStatus" and "EVReady yes" in lines[start + 2]


def test_a_slac_match_is_one_line_an_mme(secc: Any, tmp_path: Path) -> None:
    request = bytes.fromhex("01646000000000") + b"\x0a\x0b\x0c\x0d\x0e\x0f\x01\x02"
    unknown = bytes.fromhex("0100b00000") + bytes(41)
    capture = tmp_path / "slac.pcap"
    capture.write_bytes(wire.pcap([wire.link(mme, wire.ETHERNET) for mme in (request, unknown, b"\x07" * 46)]))
    status, lines, _ = secc("--json", capture)
    found = [json.loads(line) for line in lines]
    assert [entry["message"] for entry in found] == ["CM_SLAC_PARM.REQ", "MME B000", "MME"]
    assert found[0]["content"]["run_id"] == "0a0b0c0d0e0f0102"
    assert found[0]["source"] == "02:00:00:00:00:01" and found[0]["protocol"] == "slac"
    # The third claims a version of the format that does not exist.
    assert status == 1 and "version 7" in found[2]["error"]


def test_a_recorded_slac_match(secc: Any) -> None:
    status, lines, err = secc("--json", wire.CAPTURES / "slac/slac-everest-pev.pcap")
    assert (status, len(lines), err) == (0, 37, "")
    names = [json.loads(line)["message"] for line in lines]
    assert names.count("CM_MNBC_SOUND.IND") == names.count("CM_ATTEN_PROFILE.IND") == 10
    assert names.count("CM_SLAC_MATCH.CNF") == 1 and not any("MME" in name for name in names)
    _, table, _ = secc(wire.CAPTURES / "slac/slac-everest-pev.pcap")
    assert "attenuation_dB 11.0 on average of 58 groups" in next(line for line in table if "ATTEN_PROFILE" in line)


def test_every_recorded_frame_is_the_same_again(secc: Any) -> None:
    status, lines, _ = secc("--check", VECTORS)
    assert status == 0 and lines == ["138 frames, 0 mismatches"]


def test_a_mismatch_is_told_and_counted(secc: Any, tmp_path: Path) -> None:
    file = tmp_path / "frames.jsonl"
    iso20 = "01fe80020000001c808004075ac159839b4b5d8bed5cad30620000010000400010001405"
    lines = [{"frame": REQUEST}, {"frame": REQUEST[:15] + "f" + REQUEST[16:] + "00"}, {"frame": iso20}]
    file.write_text("\n".join(map(json.dumps, lines)))
    status, out, _ = secc("--check", file)
    assert status == 1
    assert out == [
        "line 2: din ServiceDiscoveryReq: bit 112 differs: recorded 0, written nothing, behind the end of the message",
        "3 frames, 1 mismatch",
    ]


@pytest.mark.parametrize("cut", [1, 17, 60, 700])
def test_a_broken_capture_is_told_in_one_line_and_everything_before_is_printed(
    secc: Any, tmp_path: Path, cut: int
) -> None:
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(wire.SESSION.read_bytes()[:-cut])
    _, whole, _ = secc("--json", wire.SESSION)
    status, lines, err = secc("--json", broken)
    assert status == 1
    assert 90 < len(lines) <= 98 and lines == whole[: len(lines)]
    assert err.count("\n") == 1 and err.startswith(f"secc decode: {broken}: octet ") and "ends in" in err


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'{"frame": "8098"}\n{nonsense\n', ":2: no JSON"),
        (b"809a02\n80xyz\n", ":2: 'y' is no hex digit"),
        (b"\x7fELF\x02\x01\x01\x00", "is no hex digit"),
        (b"\xff\xfe\x00\x01", "this is no capture, no JSON and no hex"),
    ],
)
def test_a_file_that_is_nothing_of_ours(secc: Any, tmp_path: Path, content: bytes, what: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    status, _, err = secc(file)
    assert status == 1 and what in err and err.startswith("secc decode: ")


@pytest.mark.parametrize("argument", ["nowhere.pcap", "/"])
def test_what_cannot_be_opened(secc: Any, argument: str) -> None:
    status, lines, err = secc(argument)
    assert status == 1 and lines == [] and err.count("\n") == 1 and argument in err


@pytest.mark.parametrize("check", [[], ["--check"], ["--json"]], ids=" ".join)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        wire.pcap([]),
        wire.pcap([wire.link(wire.udp(("10.0.0.1", 53), ("10.0.0.2", 53), b"no V2G"), wire.ETHERNET)]),
        wire.section() + wire.interface(),
        gzip.compress(wire.pcap([])),
    ],
    ids=["empty", "empty lines", "no packet", "other packets", "pcapng without a packet", "gzip"],
)
def test_a_file_without_a_message_is_said_to_have_none(
    secc: Any, tmp_path: Path, content: bytes, check: list[str]
) -> None:
    (tmp_path / "file").write_bytes(content)
    status, _, err = secc(tmp_path / "file", *check)
    assert status == 1
    assert err == f"secc decode: {tmp_path / 'file'}: there is no V2G and no SLAC message in it\n"


def test_a_frame_that_cannot_be_read_is_shown_with_its_reason_and_status_1(secc: Any) -> None:
    status, lines, _ = secc("01fe80010000000480980200")
    assert status == 1 and "cannot be read: " in lines[1] and "the stream ends too early" in lines[1]


def test_a_protocol_may_be_asked_for(secc: Any) -> None:
    status, lines, _ = secc(REQUEST, "--protocol", "iso2")
    assert status == 1 and "global element 77 opens no message of iso2" in lines[1]


def test_encrypted_connections_are_remarked(secc: Any, tmp_path: Path) -> None:
    file = tmp_path / "tls.pcap"
    packets = wire.conversation([b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x03\x00\x05world"])
    file.write_bytes(wire.pcap([wire.link(p, wire.ETHERNET) for p in packets]))
    status, lines, err = secc(file)
    assert status == 0 and lines == [] and err.count("encrypted (TLS)") == 2
