"""The picture of a charger, from whatever it is that one gets to see of it: pure, with time as an argument.

`take_answer` is for the control socket, `take_topic` for a broker. Nothing from a wire ends it: what is not as EVerest
declares it is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from chargebyte_fw.contracts.evse_status import EvseStatus
from chargebyte_fw.contracts.types import slac
from chargebyte_fw.contracts.types.board_support_common import BspEvent, BspEventEvent
from chargebyte_fw.contracts.types.energy import EnergyFlowRequest, EnforcedLimits
from chargebyte_fw.contracts.types.evse_manager import CarManufacturer, EVInfo, Limits, SessionEvent
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.uk_random_delay import CountDown
from chargebyte_fw.kernel.clock import read_at, rfc3339
from chargebyte_fw.kernel.decoding import convert, decode_json
from chargebyte_fw.manager.status.answer import PILOT_COMMANDS, Answer, topic_of
from chargebyte_fw.manager.status.api import API, ApiView
from chargebyte_fw.manager.status.evse import EvseFacts
from chargebyte_fw.manager.status.model import Status
from chargebyte_fw.manager.status.picture import picture
from chargebyte_fw.manager.wire import observing

T = TypeVar("T")

CP_STATES = frozenset(
    (BspEventEvent.A, BspEventEvent.B, BspEventEvent.C, BspEventEvent.D, BspEventEvent.E, BspEventEvent.F)
)
SILENT_S = 5.0
"""After which a charger that publishes nothing is not there any more."""
LIMIT = 1000
"""Modules, EVSEs and faults that are kept at most: a broker may carry anything."""


class SlacFacts(msgspec.Struct):
    """The powerline link of one module."""

    state: slac.State | None = None
    ready: bool = False
    mac: str = ""


class BoardFacts(msgspec.Struct):
    """The control pilot of one board."""

    letter: str = ""
    """State of IEC 61851-1 that it has reported last."""
    pwm_percent: float | None = None
    """What was ordered last: 100 without PWM; None: not known, or state E or F."""
    user: str = ""
    """Module that orders it."""


class ModuleOnWire(msgspec.Struct):
    """What a broker shows of a module."""

    name: str = ""
    interfaces: dict[str, str] = {}


class Collector:
    """Takes traffic and answers; `status` returns the picture. `source` is where it is from, for the reader."""

    def __init__(self, source: str, prefix: str = "everest/") -> None:
        self.source = source
        self.prefix = prefix
        self.answer: Answer | None = None
        self.api = ApiView()
        self.evses: dict[str, EvseFacts] = {}
        self.requests: dict[str, EnergyFlowRequest] = {}
        self.slacs: dict[str, SlacFacts] = {}
        self.boards: dict[str, BoardFacts] = {}
        self.modules: dict[str, ModuleOnWire] = {}
        self._faults: dict[tuple[str, ...], tuple[Any, int]] = {}
        """Error objects, and how many lists of the API had come before."""
        self._answered_s: float | None = None
        """When the charger's own answer came over the broker."""
        self._variables: dict[str, Callable[[str, str, Any], None]] = {
            "session_event": self._session_event,
            "limits": self._evse("limits", Limits),
            "enforced_limits": self._evse("enforced", EnforcedLimits),
            "powermeter": self._evse("meter", Powermeter, makes=False),
            "ev_info": self._evse("ev", EVInfo, makes=False),
            "car_manufacturer": self._evse("manufacturer", CarManufacturer, makes=False),
            "evse_id": self._evse("evse_id", str),
            "selected_protocol": self._evse("protocol", str, makes=False),
            "waiting_for_external_ready": self._evse("gated", bool),
            "energy_flow_request": self._request,
            "state": self._slac("state", slac.State),
            "dlink_ready": self._slac("ready", bool),
            "ev_mac_address": self._slac("mac", str),
            "countdown": self._evse("delay", CountDown, makes=False),
            "event": self._board_event,
        }

    @property
    def knows_a_charger(self) -> bool:
        """Whether it answers, or any EVSE is known: what one waits for on a broker."""
        return bool(self.answer is not None or self.evses or self.api.evses)

    def take_answer(self, answer: Any) -> None:
        """Take the answer of a control socket; raises ValueError for what is none."""
        try:
            self.answer = given = msgspec.convert(answer, Answer)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error
        self._forget()
        for module in given.modules:
            if "evse_manager" in module.interfaces.values():
                facts = self._facts(module.id)
                facts.number = module.evse
                facts.own = _read(module.own, EvseStatus)
        for value in given.values:
            self._variable(value.module, value.implementation, value.name, value.value)
        self._faults = {(str(at),): (fault, 0) for at, fault in enumerate(given.faults)}

    def _forget(self) -> None:
        for known in (self.evses, self.requests, self.slacs, self.boards, self.modules, self._faults):
            known.clear()
        self.api = ApiView()

    def _take_published(self, payload: bytes, now_s: float) -> None:
        try:
            self.take_answer(decode_json(payload))
        except (ValueError, msgspec.MsgspecError):
            # The charger looks whether someone is there; or it is of another version, and its modules' topics remain.
            return
        self._answered_s = now_s

    def take_topic(self, topic: str, payload: bytes, now_s: float = 0.0) -> None:
        """Take one message of a broker: this product's own answer, else EVerest's modules and the API for integrators.

        `now_s` is monotonic. While the charger answers for itself, the topics have nothing to add.
        """
        if topic == topic_of(self.prefix):
            self._take_published(payload, now_s)
            return
        if self._answered_s is not None:
            if now_s - self._answered_s <= SILENT_S:
                return
            self.answer = self._answered_s = None
            self._forget()
        if topic.startswith(f"{API}/"):
            self.api.take(topic.removeprefix(f"{API}/"), payload)
            return
        if (seen := observing.read(topic, payload, self.prefix)) is not None:
            self._seen(seen)
            return
        if topic == f"{self.prefix}module_names":
            names = _read(_data(payload), dict[str, str]) or {}
            for module_id, name in list(names.items())[:LIMIT]:
                self._module(module_id).name = name
            return
        parts = topic.removeprefix(self.prefix).split("/")
        if parts[0] == "modules" and parts[2:] == ["metadata"]:
            self._metadata(parts[1], _data(payload))

    def _seen(self, seen: observing.Seen) -> None:
        self._module(seen.module)
        if seen.kind == "variable":
            self._variable(seen.module, seen.implementation, seen.name, seen.content)
        elif seen.kind == "command" and seen.name in PILOT_COMMANDS:
            self._order(seen)
        elif seen.kind in ("error", "cleared") and isinstance(seen.content, dict):
            key = (seen.module, seen.implementation, seen.name, str(seen.content.get("sub_type", "")))
            if seen.kind == "error" and len(self._faults) < LIMIT:
                self._faults[key] = seen.content, self.api.error_lists
            else:
                self._faults.pop(key, None)

    def _module(self, module_id: str) -> ModuleOnWire:
        if module_id not in self.modules and len(self.modules) >= LIMIT:
            return ModuleOnWire()
        return self.modules.setdefault(module_id, ModuleOnWire())

    def _metadata(self, module_id: str, data: Any) -> None:
        module = self._module(module_id)
        if isinstance(data, dict):
            module.name = str(data.get("module", module.name))
            provides = data.get("provides")
            if isinstance(provides, dict):
                module.interfaces = {
                    str(name): str(one.get("interface", "")) for name, one in provides.items() if isinstance(one, dict)
                }

    def _variable(self, module_id: str, implementation: str, name: str, value: Any) -> None:
        if (take := self._variables.get(name)) is not None:
            take(module_id, implementation, value)

    def _facts(self, module_id: str) -> EvseFacts:
        if module_id not in self.evses and len(self.evses) >= LIMIT:
            return EvseFacts()
        return self.evses.setdefault(module_id, EvseFacts())

    def _evse(self, attribute: str, kind: Any, *, makes: bool = True) -> Callable[[str, str, Any], None]:
        """Keep a variable of EvseManager; one that others publish under the same name is for known EVSEs alone."""

        def take(module_id: str, _: str, value: Any) -> None:
            if (makes or module_id in self.evses) and (read := _read(value, kind)) is not None:
                setattr(self._facts(module_id), attribute, read)

        return take

    def _slac(self, attribute: str, kind: Any) -> Callable[[str, str, Any], None]:
        def take(module_id: str, implementation: str, value: Any) -> None:
            # A simulator of both sides publishes the car's link under the same names.
            if implementation != "ev" and (read := _read(value, kind)) is not None and len(self.slacs) < LIMIT:
                setattr(self.slacs.setdefault(module_id, SlacFacts()), attribute, read)

        return take

    def _board(self, module_id: str) -> BoardFacts:
        if module_id not in self.boards and len(self.boards) >= LIMIT:
            return BoardFacts()
        return self.boards.setdefault(module_id, BoardFacts())

    def _board_event(self, module_id: str, _: str, value: Any) -> None:
        event = _read(value, BspEvent)
        if event is not None and event.event in CP_STATES:
            self._board(module_id).letter = event.event.value

    def _order(self, seen: observing.Seen) -> None:
        board = self._board(seen.module)
        board.user = seen.peer
        given = seen.content.get("value") if isinstance(seen.content, dict) else None
        if seen.name == "pwm_on":
            board.pwm_percent = float(given) if isinstance(given, (int, float)) and 0 <= given <= 100 else None
        else:
            board.pwm_percent = 100.0 if seen.name == "cp_state_X1" else None

    def _session_event(self, module_id: str, _: str, value: Any) -> None:
        if (event := _read(value, SessionEvent)) is not None:
            self._facts(module_id).take_event(event)

    def _request(self, module_id: str, _: str, value: Any) -> None:
        request = _read(value, EnergyFlowRequest)
        if request is None or len(self.requests) >= LIMIT:
            return
        self.requests[request.uuid] = request
        if request.evse_state is not None:
            self._facts(module_id).flow_state = request.evse_state

    @property
    def faults(self) -> list[Any]:
        """Error objects of what is active. An error that two lists of the API lack is over: its end was missed."""
        lists = self.api.error_lists
        return [fault for fault, before in self._faults.values() if lists - before < 2] + (self.api.errors or [])

    def status(self, now: datetime) -> Status:
        """Return the picture; `now` is this machine's time, which counts where the charger's is not known."""
        if self.answer is not None:
            now = read_at(self.answer.time) or now
        return picture(self, now, rfc3339(now))


def _data(payload: bytes) -> Any:
    try:
        message = decode_json(payload)
    except msgspec.MsgspecError:
        return None
    return message.get("data") if isinstance(message, dict) else None


def _read(value: Any, kind: Any) -> Any:
    try:
        return convert(value, kind)
    except (msgspec.ValidationError, ValueError):
        return None
