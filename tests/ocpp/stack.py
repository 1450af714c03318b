"""The stack around a station, played by the test: plug in, charge, unplug, present a token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationType,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
    ValidationResult,
)
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.kernel.faults import Fault, FaultState, Mapping, Origin, Severity
from chargebyte_fw.modules.ocpp.smart_charging.block import SmartCharging
from chargebyte_fw.modules.ocpp.smart_charging.publication import Settings
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.smart_charging.v16 import SmartCharging16
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables.registry import declared
from tests.ocpp.variables.talk import Talk

E = evse.SessionEventEnum
START = datetime(2023, 11, 15, tzinfo=UTC)


def token(value: str = "DEADBEEF", **more: Any) -> ProvidedIdToken:
    return ProvidedIdToken(
        id_token=IdToken(value=value, type=IdTokenType.ISO14443), authorization_type=AuthorizationType.RFID, **more
    )


def meter(energy_Wh: float) -> Powermeter:
    return Powermeter(
        timestamp="2023-11-15T00:00:00.000Z",
        energy_Wh_import=units.Energy(total=energy_Wh),
        voltage_V=units.Voltage(L1=230.0, L2=231.0, L3=229.0),
        current_A=units.Current(L1=16.0, L2=16.0, L3=16.0),
        power_W=units.Power(total=11040.0),
    )


def fault(evse_id: int | None = 1, kind: str = "evse_manager/Inoperative") -> Fault:
    origin = Origin("evse", "evse", None if evse_id is None else Mapping(evse_id))
    return Fault(kind, "", "broken", "", Severity.High, origin, FaultState.Active, "2023-11-15T00:00:00Z", "u1")


SIGNED = SignedMeterValue(signed_meter_data='OCMF|{"A":1}|{"SD":"00"}', signing_method="", encoding_method="OCMF")


class Stack(Talk):
    """Two EVSEs of one connector each."""

    commands: list[do.Command]
    results: dict[str, Any]

    def set(self, name: str, value: Any) -> None:
        """Set every variable of a name."""
        found = [one for one in declared(connectors={1: 1, 2: 1}, legacy_keys=True) if one.id.name == name]
        assert found, name
        for variable in found:
            self.variables.set(variable, value)

    def _csms(self, message: do.Enqueue) -> list[Any]:
        if message.request.action_name == "Heartbeat":
            self.answers["Heartbeat"] = {"currentTime": rfc3339(self.station.utc)}
        return super()._csms(message)

    def pass_days(self, days: float) -> None:
        """Let days pass without the composite schedules of every 30 s, which would take seconds."""
        smart_charging: type[SmartCharging] = SmartCharging2 if self.version.is_2 else SmartCharging16
        self.station.block(smart_charging).settings = Settings(interval_s=0.0)
        self.pass_s(days * 86_400)

    # The network.

    def connect(self, security_profile: int = 1) -> None:
        self.online = True
        self.feed(events.Connected(1, "ws://csms", "cp001", security_profile, self.version.value))

    def disconnect(self) -> None:
        self.online = False
        self.feed(events.Disconnected("gone"))

    def requests(self, *actions: str) -> list[Any]:
        """Return what was sent since the last call (of these actions)."""
        found = [one for one in self.sent if not actions or one.action_name in actions]
        self.sent.clear()
        self.payloads.clear()
        return found

    def statuses(self) -> list[tuple[int, str]]:
        return [(one.connector_id, one.status.value) for one in self.requests("StatusNotification")]

    # The stack.

    def event(self, kind: E, session: str = "s1", evse_id: int = 1, **more: Any) -> None:
        happened = evse.SessionEvent(uuid=session, timestamp=rfc3339(self.utc), event=kind, connector_id=1, **more)
        self.feed(events.SessionEventReceived(evse_id, happened))

    @property
    def utc(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def plug_in(self, evse_id: int = 1, session: str = "s1") -> None:
        started = evse.SessionStarted(reason=evse.StartSessionReason.EVConnected, meter_value=meter(1000))
        self.event(E.SessionStarted, session, evse_id, session_started=started)

    def start(self, energy_Wh: float = 1000.4, evse_id: int = 1, session: str = "s1", **more: Any) -> None:
        started = evse.TransactionStarted(id_tag=token(), meter_value=meter(energy_Wh), **more)
        self.event(E.TransactionStarted, session, evse_id, transaction_started=started)

    def charge(self, evse_id: int = 1, session: str = "s1") -> None:
        self.plug_in(evse_id, session)
        self.start(evse_id=evse_id, session=session)
        self.event(E.ChargingStarted, session, evse_id)

    def finish(
        self,
        reason: evse.StopTransactionReason | None = evse.StopTransactionReason.EVDisconnected,
        energy_Wh: float = 2500.0,
        evse_id: int = 1,
        session: str = "s1",
        **more: Any,
    ) -> None:
        finished = evse.TransactionFinished(meter_value=meter(energy_Wh), reason=reason, **more)
        self.event(E.TransactionFinished, session, evse_id, transaction_finished=finished)

    def unplug(self, evse_id: int = 1, session: str = "s1") -> None:
        finished = evse.SessionFinished(meter_value=meter(2500))
        self.event(E.SessionFinished, session, evse_id, session_finished=finished)

    def measure(self, energy_Wh: float, evse_id: int = 1) -> None:
        self.feed(events.PowermeterReceived(evse_id, meter(energy_Wh)))

    def present(self, value: str) -> ValidationResult:
        """Let Auth validate a token."""
        self.other.clear()
        self.feed(events.Served("auth", "auth_token_validator", "validate_token", (token(value),)))
        [reply] = [one for one in self.other if isinstance(one, do.Reply)]
        result: ValidationResult = reply.result
        return result

    def commanded(self, *names: str) -> list[tuple[str, int | None, tuple[Any, ...]]]:
        """Return the commands since the last call: name, EVSE and arguments."""
        found = [(one.call.command, one.evse_id, one.call.args) for one in self.commands]
        self.commands.clear()
        return [one for one in found if not names or one[0] in names]

    def published(self, variable: str) -> list[Any]:
        found = [one.value for one in self.other if isinstance(one, Publish) and one.variable == variable]
        self.other.clear()
        return found

    def carried_out(self, command: do.Command) -> list[Any]:
        """Carry out a command as the stack does: `results` has what is returned, an exception is a failure."""
        self.commands.append(command)
        result = self.results.get(command.call.command)
        if isinstance(result, Exception):
            return self.station.feed(events.CommandFailed(command.command_id, str(result)), self.now)
        return self.station.feed(events.CommandDone(command.command_id, result), self.now)


LAYOUT = Layout([evse.Evse(id=n, connectors=[evse.Connector(id=1)]) for n in (1, 2)])
