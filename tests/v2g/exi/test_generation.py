"""Codecs are compiled before a car comes: reading and writing recorded sessions compiles nothing more."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from chargebyte_fw.modules.v2g import engine, handshake, signatures
from chargebyte_fw.modules.v2g.exi import ExiError, codec, fused_reading, fused_writing, reading, source, writing
from chargebyte_fw.modules.v2g.messages import iso2, iso20_contracts, xmldsig
from tests.v2g.exi.samples import sample
from tests.v2g.test_evse_v2g import World

FRAMES = Path(__file__).parents[2] / "captures/v2g/recorded-frames.jsonl"
SETS = ("sap", "din", "iso2", "iso20_common", "iso20_dc", "iso20_ac", "iso20_ac_der_iec")
OF_PROTOCOL = {"din-70121": ("din",), "iso15118-2": ("iso2",), "iso15118-20": SETS[3:]}


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is compiled yet, as in a new process; the list has what is compiled from now on."""
    for module in (fused_reading, reading):
        monkeypatch.setattr(module, "_readers", {})
    for module in (fused_writing, writing):
        monkeypatch.setattr(module, "_writers", {})
    monkeypatch.setattr(reading, "_simple_readers", {})
    monkeypatch.setattr(writing, "_simple_writers", {})
    for name in (*SETS, "xmldsig"):
        monkeypatch.setattr(codec(name), "generated", set())
    titles: list[str] = []
    plain = source.Source.compile

    def counted(self: source.Source) -> Any:
        titles.append(self.title)
        return plain(self)

    monkeypatch.setattr(source.Source, "compile", counted)
    return titles


def messages() -> list[tuple[str, Any, bytes]]:
    """Set, message and payload of each recorded frame of the sets that a charger speaks."""
    found = []
    for line in FRAMES.read_text().splitlines():
        entry = json.loads(line)
        payload = bytes.fromhex(entry["frame"])[8:]
        for name in ("sap", *OF_PROTOCOL[entry["protocol"]]):
            with contextlib.suppress(ExiError):
                found.append((name, codec(name).decode(payload), payload))
                break
    return found


def test_recorded_sessions_compile_nothing_more(request: pytest.FixtureRequest) -> None:
    known = messages()
    assert {name for name, *_ in known} >= {"din", "iso2", "iso20_common", "iso20_dc", "iso20_ac"}
    known += [("sap", message, b"") for message in (handshake.refuse().response,)]
    offer = handshake.offer([handshake.ISO15118D2])
    known.append(("sap", offer, codec("sap").encode(offer)))
    random = Random(1)
    signed: list[tuple[str, str, Any]] = [
        ("iso2", "AuthorizationReq", sample(iso2.AuthorizationReq, random)),
        ("iso20_common", "PnC_AReqAuthorizationMode", sample(iso20_contracts.PnC_AReqAuthorizationModeType, random)),
        ("xmldsig", "SignedInfo", sample(xmldsig.SignedInfoType, random)),
    ]
    compiled: list[str] = request.getfixturevalue("compiled")
    for name in SETS:
        for _ in codec(name).generate():
            pass
        for _ in signatures.generate(name):
            pass
    before = len(compiled)
    assert before > 100
    for name, message, payload in known:
        title = type(getattr(message, "Body", message)).__name__
        if title.endswith("Req"):
            codec(name).decode(payload)
        else:
            codec(name).encode(message)
        assert compiled[before:] == [], f"{title} of {name}"
    for name, element, content in signed:
        codec(name).encode_fragment(content, element)
        assert compiled[before:] == [], f"{element} of {name}"


def test_a_charger_compiles_in_steps_while_no_car_is_there(
    run: Any, assemble: Any, runtime: Any, compiled: list[str]
) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            assert len(compiled) < 10, "the modules are ready before"
            await asyncio.sleep(len(SETS) * 200 * engine.COMPILATION_PAUSE_S)
            assert "CurrentDemandReq" in compiled and "CurrentDemandRes" in compiled
            assert not any("ChargeLoop" in title for title in compiled), "a protocol that is not spoken costs nothing"
            before = len(compiled)
            for message in ("CurrentDemandReq", "PaymentDetailsReq", "CertificateInstallationReq"):
                assert message in compiled
            await world.manager.hlc.dlink_ready(True)
            await asyncio.sleep(10)
            assert len(compiled) == before

    run(main())
