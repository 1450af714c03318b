"""`secc decode --picture`: the messages as arrows, what comes again and again once with a count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from chargebyte_fw.cli import decode_picture
from chargebyte_fw.cli.main import main
from chargebyte_fw.modules.v2g import v2gtp
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso2
from tests.v2g.capture import wire

SVG = "{http://www.w3.org/2000/svg}"


class Drawn:
    """What a picture shows."""

    def __init__(self, path: Path) -> None:
        self.root = ElementTree.parse(path).getroot()
        self.texts = [str(text.text) for text in self.root.iter(f"{SVG}text") if text.text]
        self.names = [str(text.text) for text in self.root.iter(f"{SVG}text") if "name" in text.get("class", "")]
        self.arrows = [path for path in self.root.iter(f"{SVG}path") if path.get("class") != "life"]


@pytest.fixture
def draw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Draw a source; returns status, output and picture."""

    def run(source: object, *arguments: object) -> tuple[int, str, Drawn]:
        out = tmp_path / "out.svg"
        status = main(["decode", str(source), "--picture", str(out), *map(str, arguments)])
        return status, capsys.readouterr().out, Drawn(out)

    return run


def frame(body: iso2.BodyBaseType) -> bytes:
    message = iso2.V2G_Message(Header=iso2.MessageHeaderType(SessionID=bytes(8)), Body=body)
    return v2gtp.Frame(v2gtp.EXI_DIN_ISO2, codec("iso2").encode(message)).to_bytes()


def lines(path: Path, *frames: bytes) -> Path:
    path.write_text("\n".join(json.dumps({"frame": one.hex()}) for one in frames))
    return path


def test_a_recorded_session(draw: Any, tmp_path: Path) -> None:
    status, out, drawn = draw(wire.SESSION)
    assert (status, out) == (0, f"{tmp_path / 'out.svg'}: 98 messages\n")
    assert drawn.names.count("CurrentDemandReq") == 1 and "26 times, until 25.843" in drawn.texts
    assert drawn.names[:4] == [
        "SupportedAppProtocol   [fe80::542f:33ff:fe97:b374]:50734 to [fe80::542f:33ff:fe97:b374]:61341",
        "supportedAppProtocolReq",
        "supportedAppProtocolRes",
        "ISO 15118-2   [fe80::542f:33ff:fe97:b374]:50734 to [fe80::542f:33ff:fe97:b374]:61341",
    ]
    assert drawn.names[-1] == "SessionStopRes" and len(drawn.arrows) == len(drawn.names) - 2
    assert "0.786" in drawn.texts and "EVCCID 562f3397b374" in drawn.texts


def test_requests_go_to_the_charger_and_responses_back(draw: Any, tmp_path: Path) -> None:
    stop = iso2.SessionStopReq(ChargingSession=iso2.chargingSessionType.Terminate)
    done = iso2.SessionStopRes(ResponseCode=iso2.responseCodeType.OK)
    _, _, drawn = draw(lines(tmp_path / "frames", frame(stop), frame(done)))
    there, back = (str(arrow.get("d")) for arrow in drawn.arrows)
    assert there.startswith(f"M{decode_picture.LEFT} ") and f"H{decode_picture.RIGHT}M" in there
    assert back.startswith(f"M{decode_picture.RIGHT} ") and f"H{decode_picture.LEFT}M" in back
    assert "ChargingSession Terminate" in drawn.texts and not any("ResponseCode" in text for text in drawn.texts)


def test_what_failed_is_red_and_no_part_of_a_repetition(draw: Any, tmp_path: Path) -> None:
    ask = frame(iso2.ChargingStatusReq())
    stop = frame(iso2.SessionStopReq(ChargingSession=iso2.chargingSessionType.Pause))
    well = frame(iso2.SessionStopRes(ResponseCode=iso2.responseCodeType.OK))
    failed = frame(iso2.SessionStopRes(ResponseCode=iso2.responseCodeType.FAILED_SequenceError))
    _, _, drawn = draw(lines(tmp_path / "frames", ask, well, ask, well, ask, failed, stop, well))
    assert [arrow.get("class") for arrow in drawn.arrows] == [None, None, None, "bad", None, None]
    assert "2 times, until 3" in drawn.texts and "2 times, until 4" in drawn.texts
    assert "ResponseCode FAILED_SequenceError" in drawn.texts


def test_what_cannot_be_read_is_drawn_with_its_reason(draw: Any) -> None:
    status, _, drawn = draw("01fe80010000000480980200")
    assert status == 1 and any("cannot be read" in text for text in drawn.texts)


def test_slac_has_its_part_and_modems_no_arrow(draw: Any) -> None:
    _, _, drawn = draw(wire.CAPTURES / "slac/slac-everest-pev.pcap")
    assert drawn.names[0].startswith("SLAC") and "CM_SET_KEY.REQ" in drawn.names
    assert "10 times, until 17.526" in drawn.texts
    between = [name for name in drawn.names if name in decode_picture.SLAC]
    assert len(drawn.arrows) == len(between) == 9


def test_iso_15118_20_in_several_connections(draw: Any) -> None:
    _, _, drawn = draw(wire.CAPTURES / "v2g/recorded-frames.jsonl")
    assert "DC_ChargeLoopReq" in drawn.names and "2 times, until 131" in drawn.texts
    assert len([name for name in drawn.names if name.startswith("ISO 15118-20")]) >= 2


def test_strings_of_the_other_side_are_text(draw: Any, tmp_path: Path) -> None:
    setup = iso2.SessionSetupRes(ResponseCode=iso2.responseCodeType.OK, EVSEID="<script>&\x00\x1b]\uffff")
    _, _, drawn = draw(lines(tmp_path / "frames", frame(setup)))
    assert any("<script>&" in text for text in drawn.texts)


def test_a_picture_has_its_bound(draw: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_picture, "MOST_ROWS", 10)
    stop = iso2.SessionStopReq(ChargingSession=iso2.chargingSessionType.Pause)
    asks = [frame(body) for body in (iso2.ChargingStatusReq(), iso2.AuthorizationReq(), stop)]
    _, out, drawn = draw(lines(tmp_path / "frames", *(asks * 10)))
    assert "30 messages" in out and any("messages more: not drawn" in text for text in drawn.texts)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nothing" / "out.svg"
    with pytest.raises(SystemExit) as ended:
        main(["decode", "01fe80010000000e809a02202c9fff3e37b3d3d19400", "--picture", str(path)])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"secc decode: --picture: {path}: there is no folder {path.parent}\n"
