"""A CSMS that talks with a station of smart charging: two EVSEs, a connector each; commands are answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chargebyte_fw.contracts.types.energy import ExternalLimits
from chargebyte_fw.contracts.types.evse_manager import Evse
from chargebyte_fw.contracts.types.ocpp import ChargingSchedules
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.ocpp.smart_charging.block import SmartCharging
from chargebyte_fw.modules.ocpp.station import Block, events
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.transactions.events import (
    RemoteStartAccepted,
    TransactionBegan,
    TransactionEnded,
    TransactionKnown,
)
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.variables.talk import NOON, Talk

SESSION = "4f3c1c1e-6e5b-4a0e-9a3f-2b8d8a6f0d11"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc(after_s: float = 0.0) -> str:
    """The time `after_s` after the start of the talk, as messages have it."""
    return (EPOCH + timedelta(seconds=NOON + after_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


class SmartTalk(Talk):
    """One station and its CSMS."""

    def __init__(
        self,
        *kinds: type[Block],
        version: Version = Version.V21,
        saved: dict[str, dict[str, bytes]] | None = None,
        variables: dict[Any, Any] | None = None,
        answers: dict[str, dict[str, Any]] | None = None,
        connect: bool = True,
        session: str = "",
    ) -> None:
        model = Variables(declared(connectors={1: 1, 2: 1}, legacy_keys=version is Version.V16))
        for variable, value in (variables or {}).items():
            model.set(variable, value)
        self.hold_commands = False
        self.results: dict[str, Any] = {}
        """What commands return, by name; None: nothing."""
        self.commands: list[do.Command] = []
        layout = Layout([Evse(id=1, connectors=[]), Evse(id=2, connectors=[])])
        super().__init__(*kinds, version=version, variables=model, saved=saved, answers=answers, layout=layout)
        if session:
            self.begin(session=session)
        self.feed(events.Started(resumed=frozenset({session} if session else ())))
        if connect:
            self.connect()
        self.pass_s(1.0)

    def connect(self) -> None:
        self.feed(events.Connected(1, "ws://csms", "cp", 0, self.version.value))

    def disconnect(self) -> None:
        self.feed(events.Disconnected("gone"))

    def begin(self, evse_id: int = 1, session: str = SESSION, token: str = "DEADBEEF") -> None:
        self.feed(TransactionBegan(evse_id, 1, evse_id, session, token))

    def known(self, transaction_id: int, connector: int = 1) -> None:
        self.feed(TransactionKnown(connector, SESSION, transaction_id))

    def end(self, evse_id: int = 1, session: str = SESSION) -> None:
        self.feed(TransactionEnded(evse_id, 1, evse_id, session))

    def remote_start(self, profile: Any, evse_id: int = 1, token: str = "DEADBEEF") -> None:
        self.feed(RemoteStartAccepted(evse_id, evse_id, token, profile))

    def fact(self, interface: str, variable: str, value: Any, evse_id: int = 1) -> None:
        self.feed(events.FactReceived(interface, variable, value, evse_id))

    def composite(self, evse_id: int = 1, duration_s: int = 3600, unit: str = "A") -> list[tuple[int, float]]:
        """Start and limit of each period of GetCompositeSchedule."""
        name, key = ("connectorId", "chargingSchedule") if self.version is Version.V16 else ("evseId", "schedule")
        answer = self.ask("GetCompositeSchedule", {name: evse_id, "duration": duration_s, "chargingRateUnit": unit})
        assert answer["status"] == "Accepted", answer
        return [(one["startPeriod"], one.get("limit")) for one in answer[key]["chargingSchedulePeriod"]]

    def limits(self, evse_id: int = 1) -> ExternalLimits:
        """The limits that the energy node of an EVSE was sent last."""
        self.pass_s(0.0)
        found = [one for one in self.commands if one.evse_id == evse_id and one.call.command == "set_external_limits"]
        limits: ExternalLimits = found[-1].call.args[0]
        return limits

    def current_A(self, evse_id: int = 1) -> float | None:
        """The current that the node of an EVSE may pass now."""
        bound = self.limits(evse_id).schedule_import[0].limits_to_root.ac_max_current_A
        return bound.value if bound is not None else None

    def schedules(self) -> ChargingSchedules:
        self.pass_s(0.0)
        found = [one for one in self.other if isinstance(one, Publish) and one.variable == "charging_schedules"]
        value: ChargingSchedules = found[-1].value
        return value

    @property
    def block(self) -> SmartCharging:
        return next(one for one in self.station._blocks.values() if isinstance(one, SmartCharging))

    def done(self, command: do.Command) -> events.CommandDone:
        return events.CommandDone(command.command_id, self.results.get(command.call.command))

    def carried_out(self, command: do.Command) -> list[Any]:
        self.commands.append(command)
        return [] if self.hold_commands else self.station.feed(self.done(command), self.now)
