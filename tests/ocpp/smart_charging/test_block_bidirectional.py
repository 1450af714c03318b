"""NotifyAllowedEnergyTransfer and AFRRSignal of OCPP 2.1 (Q02, Q07)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import UpdateAllowedEnergyTransferModesResult as Result
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode
from chargebyte_fw.modules.ocpp.messages.v2.bidirectional import NotifyAllowedEnergyTransferRequest
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import EnergyTransferModeEnumType
from chargebyte_fw.modules.ocpp.smart_charging.bidirectional_v2 import Bidirectional
from chargebyte_fw.modules.ocpp.smart_charging.energy_transfer_v2 import MODES
from chargebyte_fw.modules.ocpp.smart_charging.profile import RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.publication import Settings, power_of
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard import iso15118
from tests.ocpp.smart_charging.profiles_v2 import profile, put
from tests.ocpp.smart_charging.talk import SESSION, SmartTalk, rfc

DC = (EnergyTransferMode.DC, EnergyTransferMode.DC_extended, EnergyTransferMode.MCS)
DC_BPT = (EnergyTransferMode.DC_BPT, EnergyTransferMode.MCS_BPT)
"""What EVerest's modes of the two of OCPP are; OCPP has no megawatt charging."""
READY: dict[Any, Any] = {
    iso15118.V2X_AVAILABLE.at(1): True,
    iso15118.V2X_ENABLED.at(1): True,
    iso15118.SUPPORTED_OPERATION_MODES.at(1): ("CentralFrequency",),
    iso15118.PROTOCOL_AGREED.at(1): "urn:iso:std:iso:15118:-20:DC,1,0",
    iso15118.SERVICE_RENEGOTIATION_SUPPORT.at(1): True,
}


def talk(**changed: Any) -> SmartTalk:
    names = {key.id.name: key for key in READY}
    it = SmartTalk(SmartCharging2, Bidirectional, variables=READY | {names[k]: v for k, v in changed.items()})
    it.begin()
    return it


def allow(it: SmartTalk, result: Any, session: str = SESSION) -> Any:
    """Send the request; EvseManager answers with `result`."""
    it.hold_commands = True
    request = NotifyAllowedEnergyTransferRequest(
        transaction_id=session,
        allowed_energy_transfer=[EnergyTransferModeEnumType.DC_BPT, EnergyTransferModeEnumType.DC],
    )
    effects = it.station.feed(events.CallReceived("c", "NotifyAllowedEnergyTransfer", request), it.now)
    orders = [one for one in effects if isinstance(one, do.Command)]
    for order in orders:
        assert order.evse_id == 1 and order.call.args == ([*DC_BPT, *DC],)
        effects += it.station.feed(
            events.CommandFailed(order.command_id, "no")
            if result is None
            else events.CommandDone(order.command_id, result),
            it.now,
        )
    (answer,) = [one for one in effects if isinstance(one, do.Answer)]
    return answer.response.status.value


@pytest.mark.ocpp("Q02.FR.06")
def test_other_services_are_allowed() -> None:
    assert allow(talk(), Result.Accepted) == "Accepted"
    assert allow(talk(ProtocolAgreed=""), Result.Accepted) == "Rejected"
    by_fact = talk(ProtocolAgreed="")
    by_fact.fact("evse_manager", "selected_protocol", "ISO15118-20")
    assert allow(by_fact, Result.Accepted, SESSION.upper()) == "Accepted"


@pytest.mark.parametrize(
    "result", [Result.IncompatibleEnergyTransfer, Result.ServiceRenegotiationFailed, Result.NoHlc, None]
)
def test_other_services_that_the_stack_refuses(result: Any) -> None:
    assert allow(talk(), result) == "Rejected"


@pytest.mark.parametrize(
    "changed",
    [{"Enabled": False}, {"ServiceRenegotiationSupport": False}, {"ProtocolAgreed": "urn:iso:15118:2:2013:MsgDef,2,0"}],
)
def test_other_services_where_they_cannot_be_negotiated(changed: dict[str, Any]) -> None:
    it = talk(**changed)
    assert allow(it, Result.Accepted) == "Rejected"
    assert allow(talk(), Result.Accepted, "another") == "Rejected"


def test_every_mode_of_ocpp_is_one_of_everest() -> None:
    assert set(MODES) == set(EnergyTransferModeEnumType)


CURVE = [{"signal": -10, "power": -5000}, {"signal": 0, "power": 0}, {"signal": 10, "power": 4000}]


def power_W(it: SmartTalk) -> float | None:
    (entry,) = it.limits(1).schedule_setpoints
    assert entry.setpoint is not None
    return entry.setpoint.total_power_W


def signal(it: SmartTalk, value: int, after_s: float) -> str:
    status: str = it.ask("AFRRSignal", {"timestamp": rfc(after_s), "signal": value})["status"]
    return status


@pytest.mark.ocpp("Q07")
def test_signal_of_reserve_power() -> None:
    """Q07: from its time on, by the curve of the profile on top of the baseline."""
    it = talk()
    assert signal(it, 5, 0) == "Rejected"
    period = {"operationMode": "CentralFrequency", "setpoint": 1000, "v2xBaseline": 500, "v2xSignalWattCurve": CURVE}
    it.block.settings = Settings(unit=RateUnit.W)
    assert put(it, 1, profile("TxProfile", period, unit="W")) == "Accepted"
    assert power_W(it) == 1000.0
    assert signal(it, 5, 0) == "Accepted"
    assert power_W(it) == 2500.0
    assert signal(it, -10, 11) == "Accepted"
    it.pass_s(5)
    assert power_W(it) == 2500.0
    it.pass_s(5)
    assert power_W(it) == -4500.0


@pytest.mark.parametrize(
    ("value", "power"), [(-99, -5000.0), (-10, -5000.0), (-5, -2500.0), (0, 0.0), (10, 4000.0), (99, 4000.0)]
)
def test_power_of_a_signal(value: int, power: float) -> None:
    curve = [(point["signal"], float(point["power"])) for point in reversed(CURVE)]
    assert power_of(curve, value) == power
