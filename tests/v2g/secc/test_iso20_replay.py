"""Sessions of ISO 15118-20 that were recorded at C++ EVerest: the same requests, against our charger."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118, units
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso20_dc
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from chargebyte_fw.modules.v2g.v2gtp import Receiver
from tests.v2g.talk20 import SETS, Talk20, ac20_facts, dc20_facts, of

FRAMES = Path(__file__).parents[2] / "captures" / "v2g" / "recorded-frames.jsonl"


def recorded(kind: str) -> list[tuple[str, Any]]:
    """Name and message of each frame of a session, in order."""
    messages = []
    for line in FRAMES.read_text().splitlines():
        entry = json.loads(line)
        if entry.get("session") == f"everest-iso15118-20-{kind}-forward" and entry["message"] != (
            "SupportedAppProtocolReq"
        ):
            (frame,) = Receiver().feed(bytes.fromhex(entry["frame"]))
            messages.append((entry["message"], codec(SETS[frame.payload_type]).decode(frame.payload)))
    return messages


@pytest.mark.parametrize("kind", ["ac", "dc"])
def test_the_recorded_car_gets_what_it_got_before(kind: str) -> None:
    most = iso15118.AcEvseMaximumPower(charge_power=units.Power(total=22_080.0, L1=22_080.0))
    ac = ac20_facts(connectors=("SinglePhase", "ThreePhase"), ac_maximum=most)
    facts = ac if kind == "ac" else dc20_facts("DC", "DC_BPT")
    app = handshake.ISO15118D20_AC if kind == "ac" else handshake.ISO15118D20_DC
    it = Talk20(facts, app=app)
    messages = recorded(kind)
    assert len(messages) > 15
    exchanges = 0
    for (name, request), (answer_name, theirs) in itertools.pairwise(messages):
        if not (name.endswith("Req") and answer_name == f"{name[:-3]}Res"):
            continue
        exchanges += 1
        if name == "DC_PreChargeReq" and it.session.state is S.CABLE_CHECK:  # the request before it was not recorded
            it.change(cable_check=True)
            it.ask(of(iso20_dc.DC_CableCheckReq))
        if getattr(theirs, "EVSEProcessing", "") == "Finished":
            it.change(authorized=True)
        ours = it.ask(request)
        if ours is None:  # the contactor did not close in the recording either
            ours = it.answer_in(it.wait(1.5))
        assert type(ours).__name__ == answer_name
        assert ours.ResponseCode == theirs.ResponseCode, name
        processing = str(getattr(theirs, "EVSEProcessing", ""))
        assert str(getattr(ours, "EVSEProcessing", "")).startswith(processing), name
    assert exchanges > 7
    assert not it.charger.broken()
    assert ("ac_open_contactor" if kind == "ac" else "dc_open_contactor") in it.charger.names()
