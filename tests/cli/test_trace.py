"""`secc trace` reads what the black box wrote, also when it was cut off, and tells it to people and programs."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest

from chargebyte_fw.cli.main import main
from chargebyte_fw.cli.trace_pcap import packets
from chargebyte_fw.kernel.trace import Entry
from chargebyte_fw.manager.recording import read
from chargebyte_fw.modules.v2g.capture import sniffed
from chargebyte_fw.modules.v2g.capture.reading import Reader
from chargebyte_fw.modules.v2g.capture.traffic import HomeplugFrame, V2gFrame

ENTRIES = [
    [9.0, "trace", "head", {"format": 1, "wall": "2026-03-01T12:00:09.000Z", "why": "request", "past": 0}],
    [1.0, "uart", "host", bytes.fromhex("a506000000000000000000") + b"\x03"],
    [1.5, "cmd", "slac.main.reset", ["connector", {"enable": False}]],
    [2.0, "var", "slac.main.state", "MATCHING"],
    [2.5, "fault", "bsp.main", {"type": "a/B", "message": "m", "state": "Active", "severity": "High", "sub_type": ""}],
]
SESSION = Path(__file__).parents[1] / "captures/traces/iso2-dc-session.cbor"
HEAD_LINE = 1


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "t.cbor"
    path.write_bytes(b"".join(cbor2.dumps(entry) for entry in ENTRIES))
    return path


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["trace", "show", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_one_line_an_entry(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, str(trace))[HEAD_LINE:]
    assert [line.split()[:3] for line in lines] == [
        ["1.000", "uart", "host"],
        ["1.500", "cmd", "slac.main.reset"],
        ["2.000", "var", "slac.main.state"],
        ["2.500", "fault", "bsp.main"],
    ]
    assert "ChargeControl pwm_active=False duty_percent=0.0" in lines[0]
    assert lines[1].endswith("(enable=false) from connector") and lines[2].endswith("MATCHING")
    assert lines[3].endswith("Active High a/B: m")


@pytest.mark.parametrize(
    ("filters", "seconds"),
    [
        (["--kind", "uart", "--kind", "var"], [1.0, 2.0]),
        (["--source", "slac"], [1.5, 2.0]),
        (["--source", "slac", "--last", "1"], [2.0]),
        (["--text", "matching"], [2.0]),
        (["--from", "1.5", "--to", "2.0"], [1.5, 2.0]),
        (["--kind", "cmd", "--from", "2"], []),
    ],
)
def test_filters(trace: Path, capsys: pytest.CaptureFixture[str], filters: list[str], seconds: list[float]) -> None:
    told = [json.loads(line) for line in shown(capsys, str(trace), "--json", *filters)]
    assert [one["t_s"] for one in told] == seconds


def test_wall_time_is_counted_from_the_head(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = shown(capsys, str(trace), "--wall", "--kind", "var")
    assert line.startswith("12:00:02.000 ")


def test_frames_are_told_in_hex_and_in_words_to_programs(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = shown(capsys, str(trace), "--json", "--kind", "uart")
    told = json.loads(line)
    assert told["data"] == "a50600000000000000000003" and told["text"].startswith("ChargeControl ")


def test_a_file_cut_anywhere_gives_what_is_before_the_cut_and_one_line(
    tmp_path: Path, trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = trace.read_bytes()
    ends = [0]
    for entry in ENTRIES:
        ends.append(ends[-1] + len(cbor2.dumps(entry)))
    cut = tmp_path / "cut.cbor"
    for length in range(1, len(whole)):
        cut.write_bytes(whole[:length])
        complete = sum(1 for end in ends[1:] if end <= length)
        status = main(["trace", "show", str(cut)])
        out, err = capsys.readouterr()
        assert status == (0 if complete else 1)
        assert len(out.splitlines()) == complete
        assert len(err.splitlines()) == (length not in ends)


def test_a_damaged_file_gives_what_is_before_the_damage(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = trace.read_bytes()
    chance = random.Random(4)
    for _ in range(300):
        octets = bytearray(whole)
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
        trace.write_bytes(octets)
        for what in (["show"], ["replay"], ["export", "--json", str(trace.with_suffix(".json"))]):
            assert main(["trace", what[0], str(trace), *what[1:]]) in (0, 1)
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"hello world", b"\x01\x02", b"\xff\xff", b"\x82\x01\x02", b"\x9f" * 3000])
def test_what_is_no_trace_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    assert main(["trace", "show", str(path)]) == 1
    assert "is no trace" in capsys.readouterr().err


def test_no_trace_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "show", "--root", str(tmp_path)]) == 1
    assert "no trace is saved" in capsys.readouterr().err
    assert main(["trace", "show", str(tmp_path / "nowhere")]) == 1


def test_nobody_to_ask_for_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "save", "--root", str(tmp_path)]) == 1
    assert "no charger runs here" in capsys.readouterr().err


def test_a_session_is_told_by_the_names_of_its_messages(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, str(SESSION))
    words = " ".join(lines)
    for name in ("CM_SLAC_PARM.REQ", "CM_SET_KEY.REQ", "SDP request", "supportedAppProtocolReq", "SessionSetupRes"):
        assert name in words
    assert "ChargeState pwm_active=True" in words and "FirmwareVersion " in words
    assert any("CurrentDemandReq" in line and "EVTargetCurrent" in line for line in lines)
    assert not any("cannot be read" in line for line in lines)


# -- pcap


def exported(path: Path, out: Path) -> Path:
    assert main(["trace", "export", str(path), "--pcap", str(out)]) == 0
    return out


def test_our_own_reader_finds_in_the_pcap_what_was_recorded(tmp_path: Path) -> None:
    pcap = exported(SESSION, tmp_path / "o.pcap")
    reader, mmes, names = Reader(), 0, []
    with pcap.open("rb") as file:
        for item in sniffed.of_capture(file, "o.pcap"):
            if isinstance(item, HomeplugFrame):
                mmes += 1
            elif isinstance(item, V2gFrame):
                names.append(reader.read(item).message)
            else:
                raise AssertionError(item)
    entries = read(SESSION).entries
    assert mmes == sum(kind == "slac" for _, kind, _, _ in entries)
    assert len(names) == sum(kind in ("sdp", "v2g") for _, kind, _, _ in entries)
    assert names[:3] == ["SDP request", "SDP response", "supportedAppProtocolReq"]
    assert names[-1] == "SessionStopRes"


def tshark(pcap: Path, *arguments: str) -> Iterator[list[str]]:
    program = shutil.which("tshark")
    assert program, "tshark is needed: apt-get install tshark"
    options = ("-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")
    done = subprocess.run(
        [program, "-r", str(pcap), *options, *arguments], capture_output=True, text=True, timeout=100, check=True
    )
    for line in done.stdout.splitlines():
        yield line.split("\t")


def test_tshark_shows_the_mmes_and_the_v2gtp_packets(tmp_path: Path) -> None:
    pcap = exported(SESSION, tmp_path / "o.pcap")
    fields = ["udp.payload", "tcp.payload", "tcp.flags.str"]
    fields += ("tcp.checksum.status", "udp.checksum.status", "tcp.analysis.flags", "_ws.malformed", "_ws.col.Info")
    rows = list(tshark(pcap, "-T", "fields", *(word for name in fields for word in ("-e", name))))
    column: dict[str, list[str]] = {name: [row[place] for row in rows] for place, name in enumerate(fields)}
    entries = read(SESSION).entries
    assert len(rows) == len(list(packets(entries)))
    info = " ".join(column["_ws.col.Info"])
    for mme in ("CM_SLAC_PARM.REQ", "CM_START_ATTEN_CHAR.IND", "CM_MNBC_SOUND.IND", "CM_ATTEN_CHAR.IND"):
        assert mme in info
    assert "CM_SLAC_MATCH.CNF" in info and "CM_SET_KEY.REQ" in info
    sent = [bytes.fromhex(payload) for payload in column["tcp.payload"] if payload]
    assert sent == [data for _, kind, _, data in entries if kind == "v2g"]
    assert all(payload.startswith(b"\x01\xfe\x80\x01") for payload in sent)
    sdp = [bytes.fromhex(payload) for payload in column["udp.payload"] if payload]
    assert [payload[:4].hex() for payload in sdp] == ["01fe9000", "01fe9001"]
    assert {status for status in column["tcp.checksum.status"] if status} == {"1"}
    assert {status for status in column["udp.checksum.status"] if status} == {"1"}
    assert not any(column["tcp.analysis.flags"]) and not any(column["_ws.malformed"])
    assert sum("S" in flags for flags in column["tcp.flags.str"]) == 2
    assert sum("F" in flags for flags in column["tcp.flags.str"]) == 2


def test_a_ring_that_begins_in_the_middle_of_a_connection_still_makes_packets() -> None:
    entries: list[Entry] = [(1.0, "v2g", "charger.car", b"\x01\xfe"), (2.0, "conn", "charger", {"lost": "cable"})]
    assert len(list(packets(entries))) == 2


def test_a_long_message_is_cut_into_segments() -> None:
    opened: dict[str, Any] = {"opened": "fe80::1234:56ff:fe78:9abc port 50000", "at": "fe80::1%eth1 port 61341 on eth1"}
    entries: list[Entry] = [(1.0, "conn", "c", opened), (1.0, "v2g", "c.car", bytes(4000))]
    frames = [frame for _, frame in packets(entries)]
    assert [len(frame) - 74 for frame in frames[3:]] == [1440, 1440, 1120]
    assert frames[0][6:12] == bytes.fromhex("103456789abc"), "the car's own address, as its link-local one tells"


def test_a_disk_that_cannot_be_written_is_told(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["trace", "export", str(trace), "--pcap", "/nowhere/o.pcap"])
    assert ended.value.code == 2 and "/nowhere/o.pcap: there is no folder /nowhere" in capsys.readouterr().err
    for option in ("--pcap", "--json"):
        assert main(["trace", "export", str(trace), option, "/dev/full"]) == 1
        assert capsys.readouterr().err.endswith("secc trace: /dev/full: No space left on device\n")
    assert main(["trace", "export", str(trace)]) == 2


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--kind", "uatr"), "no entry is of kind uatr (did you mean uart?)"),
        (("--source", "conector"), "no source holds conector"),
    ],
)
def test_a_filter_that_matches_nothing_names_what_is_nearest(
    trace: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], text: str
) -> None:
    assert main(["trace", "show", str(trace), *words]) == 2
    assert text in capsys.readouterr().err


def test_lists_and_verdicts_as_json(trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "list", "--root", str(tmp_path), "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), list)
    assert main(["trace", "replay", str(trace), "--json"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and "nothing in this trace can be played" in printed.err
