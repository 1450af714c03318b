"""What DIN 70121 and ISO 15118-2 have in common: the checks before every answer, publishing, authorization, the end.

A dialogue answers one request at a time; `Later` means: a fact is missing, ask again when it may be there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.iso15118 import DcEvErrorCode, DcEvStatus, EvseError, PaymentOption
from chargebyte_fw.modules.v2g.physical import physical
from chargebyte_fw.modules.v2g.secc.common.identity import mac_of_evcc_id
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.effects import Note, Publish
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings

CHARGE_SERVICE_ID = 1
SCHEDULE_ID = 1
SCHEDULE_S = 86_400
SCHEDULE_IN_PAUSE_S = 1_800
WINDING_DOWN = ("PowerDeliveryReq", "WeldingDetectionReq", "SessionStopReq")
"""Requests by which a car ends its session: answered also when everything else is refused."""
STOP_ALLOWED = (State.CABLE_CHECK, State.PRECHARGE_FIRST)
"""Where PowerDelivery may come early, to stop."""


class Answer(msgspec.Struct):
    """A response body, and how the session ends with it: `terminate`, `pause`, `error`, or not at all."""

    body: Any
    end: str = ""
    log: str = ""

    @property
    def code(self) -> str:
        """The response code."""
        return str(self.body.ResponseCode)


class Later(msgspec.Struct):
    """A fact is missing: ask again when one changed, at the latest at second `until`."""

    until: float


class Outside(msgspec.Struct):
    """What a dialogue needs from outside: chance and wall time."""

    random_bytes: Callable[[int], bytes]
    utc_now: Callable[[], datetime]
    told: dict[str, Any] = msgspec.field(default_factory=dict)
    """What was published last, by variable; empty at the start of a session."""


class Dialogue:
    """One session of one protocol. Subclasses set `m` (the message module) and the handlers `on_<Request>`."""

    m: Any

    def __init__(self, facts: ChargerFacts, settings: Settings, outside: Outside) -> None:
        self.facts = facts
        self.settings = settings
        self.outside = outside
        self.state = State.SESSION_SETUP
        self.session_id = bytes(8)
        self.evcc_id = ""
        self.refuse_all = False
        """The car had its time to stop and did not use it."""
        self.energised = False
        """There may be voltage at the car (from the cable check, or the AC contactor, to the contactor's opening)."""
        self.charging = False
        """Between current_demand_started and current_demand_finished."""
        self.stopping = False
        """The car has sent PowerDelivery stop."""
        self.out: list[Any] = []
        self.wait_since: float | None = None
        """Since when an answer, or a run of Ongoing answers, waits for a fact."""
        self.auth_since: float | None = None

    # -- what subclasses say

    @property
    def allowed(self) -> dict[State, tuple[str, ...]]:
        """The table of requests by state."""
        raise NotImplementedError

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by request name."""
        return {}

    def is_stop(self, name: str, request: Any) -> bool:
        """Tell whether the request takes the power off."""
        raise NotImplementedError

    # -- publishing

    def publish(self, name: str, value: Any = None) -> None:
        """Publish a variable always."""
        self.outside.told[name] = value
        self.out.append(Publish(name, value))

    def publish_change(self, name: str, value: Any) -> None:
        """Publish a variable that comes with every request: on change only, unless configured otherwise."""
        told = self.outside.told
        if self.settings.publish_telemetry_only_on_change and name in told and told[name] == value:
            return
        self.publish(name, value)

    def extension(self, name: str, value: Any) -> None:
        """Publish a variable of the extensions."""
        self.out.append(Publish(name, value, extension=True))

    def note(self, text: str) -> None:
        """Say one line of the session's story."""
        self.out.append(Note(text))

    # -- checks and dispatch

    def answer(self, request: Any, session_id: bytes, now: float) -> Answer | Later:
        """Answer one request that came with `session_id` in its header."""
        name = type(request).__name__
        refusal = self.refusal(name, request, session_id)
        if refusal:
            over = refusal == "FAILED_SequenceError" or self.settings.terminate_connection_on_failed_response
            where = f" in state {self.state.name}" if refusal == "FAILED_SequenceError" else ""
            return Answer(self.refuse(name, refusal), end="error" if over else "", log=f"{name}{where}: {refusal}")
        result: Answer | Later = getattr(self, f"on_{name}")(request, now)
        if isinstance(result, Answer) and result.code.startswith("FAILED") and not result.end:
            result.log = result.log or f"{name}: {result.code}"
            if self.settings.terminate_connection_on_failed_response:
                result.end = "error"
        return result

    def refusal(self, name: str, request: Any, session_id: bytes) -> str:
        """Return the FAILED code of the checks that come before every handler, or nothing."""
        wrong_place = self._out_of_sequence(name, request)
        if code := self.order_of_refusals(self._stranger(name, session_id), wrong_place):
            return code
        hindered = self.refuse_all or self.facts.error == EvseError.Error_EmergencyShutdown
        if hindered and not (name in WINDING_DOWN and (name != "PowerDeliveryReq" or self.is_stop(name, request))):
            return "FAILED"
        return ""

    def refuse_unread(self, name: str, session_id: bytes) -> Answer:
        """Refuse a request of which only the kind could be read: a value in it is beyond the schema's limit.

        What the car wants now is not known, so that the energy transfer ends; a request of another session, or out of
        turn, is refused as such.
        """
        code = self.order_of_refusals(self._stranger(name, session_id), self._out_of_sequence(name, None))
        if not code:
            self.stopping = self.stopping or self.energised
            self.connection_ends()
        over = code == "FAILED_SequenceError" or self.settings.terminate_connection_on_failed_response
        return Answer(self.refuse(name, code or "FAILED"), end="error" if over else "")

    def _stranger(self, name: str, session_id: bytes) -> bool:
        # Zero, or no id at all, opens a session with SessionSetupReq and nothing else ([V2G2-460], [V2G-DC-391]).
        # EVerest takes zero for any id in ISO 15118-2; no car is known that needs it, and testers ask for the refusal.
        return name != "SessionSetupReq" and session_id.rjust(8, b"\0") != self.session_id

    def _out_of_sequence(self, name: str, request: Any) -> bool:
        if not hasattr(self, f"on_{name}"):
            return True
        if name in self.allowed[self.state]:
            return False
        if self.state not in STOP_ALLOWED or name != "PowerDeliveryReq":
            return True
        return request is not None and not self.is_stop(name, request)

    def order_of_refusals(self, stranger: bool, wrong_place: bool) -> str:
        """Return the code that wins: the sequence before the session (ISO 15118-2)."""
        if wrong_place:
            return "FAILED_SequenceError"
        return "FAILED_UnknownSession" if stranger else ""

    def refuse(self, name: str, code: str) -> Any:
        """Return the response to `name` with a FAILED code and the least content that the schema allows."""
        response = getattr(self.m, name[:-3] + "Res")
        return response(ResponseCode=self.m.responseCodeType(code), **self.least_content(name))

    def failed(self, name: str, code: str, why: str) -> Answer:
        """Refuse `name` for a reason of its handler."""
        return Answer(self.refuse(name, code), log=f"{name}: {code} ({why})")

    # -- small pieces of messages

    def ok(self) -> Any:
        """Return the response code OK."""
        return self.m.responseCodeType.OK

    def volts(self, value: float) -> Any:
        """Return a voltage with one decimal."""
        return physical(self.m.PhysicalValueType, round(value, 1), self.m.unitSymbolType.V)

    def amperes(self, value: float) -> Any:
        """Return a current with one decimal."""
        return physical(self.m.PhysicalValueType, round(value, 1), self.m.unitSymbolType.A)

    def watts(self, value: float) -> Any:
        """Return a power."""
        return physical(self.m.PhysicalValueType, round(value), self.m.unitSymbolType.W)

    @property
    def notification(self) -> tuple[Any, int]:
        """EVSENotification and NotificationMaxDelay (s) of every EVSE status."""
        raise NotImplementedError

    def take_ev_status(self, status: Any) -> None:
        """Publish what the car says of itself (DC_EVStatus)."""
        told = DcEvStatus(
            dc_ev_ready=status.EVReady,
            dc_ev_error_code=DcEvErrorCode(str(status.EVErrorCode)),
            dc_ev_ress_soc=float(status.EVRESSSOC),
        )
        told.dc_ev_cabin_conditioning = getattr(status, "EVCabinConditioning", None)
        told.dc_ev_ress_conditioning = getattr(status, "EVRESSConditioning", None)
        self.publish_change("dc_ev_status", told)

    # -- what both protocols do alike

    def take_evcc_id(self, evcc_id: bytes) -> None:
        """Publish the car's address as text; an EVCCID that is no address names no car and is only logged."""
        mac = mac_of_evcc_id(evcc_id)
        if mac is None:
            self.note(f"car without an address: its EVCCID is {evcc_id.hex().upper() or 'empty'}")
            return
        self.evcc_id = mac.hex(":").upper()
        self.publish("evcc_id", self.evcc_id)
        self.note(f"car {self.evcc_id}")

    def offered_options(self) -> list[str]:
        """Return the payment options of a connection without TLS: no contract."""
        return [option for option in self.facts.payment_options if option == PaymentOption.ExternalPayment] or [
            PaymentOption.ExternalPayment
        ]

    def external_authorization(self, name: str, now: float, waiting: Any) -> Answer:
        """Answer an authorization request by external means: ask once, say Ongoing until it is decided."""
        facts = self.facts
        if self.auth_since is None:
            self.auth_since = now
            self.publish("require_auth_eim")
            if facts.authorized is None:
                self.note("waiting for authorization")
        if facts.authorized is None:
            limit_s = self.settings.auth_timeout_eim_s
            if limit_s and now - self.auth_since >= limit_s:
                self.auth_since = None
                return self.failed(name, "FAILED", f"nobody authorized within {limit_s:g} s")
            processing = waiting
        elif not facts.authorized:
            return self.failed(name, "FAILED", "authorization was refused")
        else:
            processing = self.m.EVSEProcessingType.Finished
            self.state = State.CHARGE_PARAMETERS
            self.note("authorized")
        response = getattr(self.m, name[:-3] + "Res")
        return Answer(response(ResponseCode=self.ok(), EVSEProcessing=processing))

    def power_off(self, contactor: str) -> None:
        """Say once that the energy transfer is over and the contactor must open."""
        if self.charging:
            self.charging = False
            self.publish("current_demand_finished")
        if self.energised:
            self.energised = False
            self.publish(contactor)

    def connection_ends(self) -> None:
        """Make the power go off when the connection ends, whatever the state."""
        self.power_off("dc_open_contactor")
