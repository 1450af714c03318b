"""A car's session of ISO 15118-20: set-up, services, and the end; its parts have the stages in between.

A stage is named like the request it sends, but PowerDelivery, which is four: `PowerOn`, `PowerOff`, `PowerStandby` and
`PowerRenegotiated`.
"""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.evcc.effects import Step
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings, Paused
from chargebyte_fw.modules.v2g.evcc.iso20 import services
from chargebyte_fw.modules.v2g.evcc.iso20.ac import Iso20AcCarService
from chargebyte_fw.modules.v2g.evcc.iso20.authorization import Authorization
from chargebyte_fw.modules.v2g.evcc.iso20.dc import Iso20DcCarService
from chargebyte_fw.modules.v2g.evcc.iso20.energy import Iso20EnergyService
from chargebyte_fw.modules.v2g.evcc.iso20.metering import Metering
from chargebyte_fw.modules.v2g.evcc.iso20.parking import CHECK_IN, CHECK_OUT, STAGES, Parking
from chargebyte_fw.modules.v2g.evcc.iso20.schedule import Schedule
from chargebyte_fw.modules.v2g.evcc.iso20.selection import NoService, Selected, Undescribed, select
from chargebyte_fw.modules.v2g.evcc.protocol import MAIN, Failed, MultiplexedRequest, Timers
from chargebyte_fw.modules.v2g.evcc.session import StagedSession
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.messages import iso20_common as common
from chargebyte_fw.modules.v2g.messages import iso20_types as types

_POWER_DELIVERY = ("PowerOn", "PowerOff", "PowerStandby", "PowerRenegotiated")


def _energy_service(app: AppProtocol) -> type[Iso20EnergyService]:
    if app == handshake.ISO15118D20_AC_DER_IEC:
        from chargebyte_fw.modules.v2g.evcc.iso20.der_iec import Iso20DerIecCarService

        return Iso20DerIecCarService
    return Iso20AcCarService if app == handshake.ISO15118D20_AC else Iso20DcCarService


class Iso20CarSession(StagedSession):
    """A session of ISO 15118-20."""

    before_power = (
        *("AuthorizationSetup", "CertificateInstallation", "Authorization"),
        *("ServiceDiscovery", "ServiceDetail", "ServiceSelection"),
        *("AC_ChargeParameterDiscovery", "DC_ChargeParameterDiscovery", "ScheduleExchange"),
        *("DC_CableCheck", "DC_PreCharge"),
    )

    def __init__(self, app: AppProtocol, settings: CarSettings, facts: CarFacts, timers: Timers) -> None:
        super().__init__(settings, facts, timers)
        if settings.paused is not None:
            self.session_id = settings.paused.session_id
        self.service = services.Service(0)
        self._selected = False
        """An energy service is selected: the car can go back and select another one."""
        self.renegotiable = False
        """Whether the charger can renegotiate services (ServiceRenegotiationSupported)."""
        self.signature: Any = None
        """Signature of the next message's header."""
        self.refusal = ""
        """Why the charger would not charge this car, where the session ends in good order all the same."""
        self.authorization = Authorization(self)
        self.schedule = Schedule(self)
        self.metering = Metering(self)
        self.parking = Parking(self)
        self._with_parking = False
        """The parking status is among the services that the charger is asked about."""
        self._app = app
        self._offered: tuple[int, ...] = ()
        """The energy services of ServiceDiscoveryRes."""
        self._described: dict[int, list[common.ParameterSetType]] = {}
        """The parameter sets of each energy service that the charger was asked about."""
        self._passed_over = ""
        """Why the service is not the one that the car likes best."""
        self.energy = _energy_service(app)(self)

    @property
    def parts(self) -> tuple[Any, ...]:
        """Authorization, schedule, energy service and parking status: they have stages, too."""
        return (self.authorization, self.schedule, self.energy, self.parking)

    @property
    def stream(self) -> str:
        """The stream of the present stage's request."""
        return "parking" if self.stage in STAGES else MAIN

    @property
    def request(self) -> str:
        """The name of the request of the present stage."""
        return f"{'PowerDelivery' if self.stage in _POWER_DELIVERY else self.stage}Req"

    @property
    def paused(self) -> Paused | None:
        """What resumes the session: it goes on with the services that were selected ([V2G20-1206])."""
        if self.outcome != "paused":
            return None
        service = self.service
        return Paused(self.session_id, service.service_id, service.parameter_set_id, service.parameters)

    def accepts(self, code: str) -> bool:
        """Return whether the session goes on: a warning ends nothing."""
        return code.startswith(("OK", "WARNING"))

    # -- messages

    def header(self) -> types.MessageHeaderType:
        """Return a header with the present time: Unix seconds, as every recorded stack has them."""
        return types.MessageHeaderType(SessionID=self.session_id, TimeStamp=max(0, int(self.unix_s)))

    @property
    def unix_s(self) -> float:
        """The wall clock at the last event, in Unix seconds."""
        return self.now + self.facts.wall_offset_s

    now = 0.0
    """Monotonic second of the last event."""

    def message(self, body: Any) -> Any:
        """Return the message with a header of this moment, and its signature where it has one."""
        body.Header = self.header()
        body.Header.Signature, self.signature = self.signature, None
        return body

    def next(self, now: float) -> Any:
        """Return the next request's body."""
        self.now = now
        if self.wants_to_end and self.stage == CHECK_IN:
            self.stage = "SessionStop"
        if self.stage == "SessionStop" and self.parking.checks_out and self._ends_for_good:
            self.stage = CHECK_OUT
        return super().next(now)

    @property
    def _ends_for_good(self) -> bool:
        return bool(not self.refusal and (self.facts.stop or not (self.pauses or self.renegotiates_services)))

    def take(self, body: Any, now: float) -> float:
        """Take the response to the last request; return how long to wait before the next one. Raises Failed."""
        self.now = now
        return super().take(body, now)

    def next_multiplexed(self, now: float) -> MultiplexedRequest | None:
        """Return a request beside the charge loop: a new schedule, or a confirmed meter reading."""
        if not self.stage.endswith("_ChargeLoop"):
            return None
        return self.schedule.next_multiplexed(now) or self.metering.next_multiplexed(now)

    def take_multiplexed(self, name: str, body: Any, now: float) -> None:
        """Take the response to such a request. Raises Failed."""
        self.now = now
        self.check(body)
        if name != "MeteringConfirmationRes":
            self.schedule.take_multiplexed(body, now)

    # -- wishes

    @property
    def notification(self) -> str:
        """What the charger notified last."""
        return self.facts.charger.notification

    @property
    def charger_wants_to_stop(self) -> bool:
        """Whether the charger wants the session to end, to pause, or to begin its services anew."""
        return self.notification in ("Terminate", "Pause") or self.renegotiates_services

    @property
    def renegotiates_services(self) -> bool:
        """Whether car or charger want other services."""
        wanted = self.facts.renegotiate_services or self.notification == "ServiceRenegotiation"
        return self.renegotiable and self._selected and wanted

    @property
    def pauses(self) -> bool:
        """Whether car or charger want a pause: before a schedule is agreed a session can only end ([V2G20-1206])."""
        wanted = self.facts.pause or self.notification == "Pause"
        return wanted and not self.facts.stop and self.schedule.agreed

    @property
    def charger_reason(self) -> str:
        """What the charger notified."""
        return self.notification

    @property
    def may_renegotiate(self) -> bool:
        """Whether car or charger want another schedule, or the car wants standby or to leave it."""
        return self.schedule.renegotiates or self.facts.standby or self.energy.standing_by

    def stop_wanted(self, now: float) -> None:
        """Leave the charge loop."""
        self.energy.stop_wanted(now)

    def renegotiation_wanted(self, now: float) -> None:
        """Leave the charge loop where a request of the main stream is due."""
        self.energy.renegotiation_wanted(now)

    def take_status(self, status: types.EVSEStatusType | None) -> None:
        """Note what the charger notifies; nothing is notified where the status is missing."""
        self.facts.charger.notification = "None" if status is None else str(status.EVSENotification)

    def refuse(self, reason: str) -> None:
        """End the session in good order: the charger will not charge this car."""
        self.refusal = reason
        self.stage = "SessionStop"

    # -- set-up

    def build_SessionSetup(self, now: float) -> common.SessionSetupReq:
        """Introduce the car; the header carries the id of a paused session."""
        name = self.settings.evcc_name or self.settings.evcc_id.hex().upper()
        return common.SessionSetupReq(Header=self.header(), EVCCID=name)

    def take_SessionSetup(self, body: common.SessionSetupRes, now: float) -> float:
        """Begin, or go on with the services of the paused session."""
        self.facts.charger.evse_id = body.EVSEID
        joined = body.ResponseCode is types.responseCodeType.OK_OldSessionJoined
        self.report(Step.SESSION, f"{body.EVSEID}{', the paused session' if joined else ''}")
        self.stage = "AuthorizationSetup"
        if joined:
            paused = self.settings.paused
            if paused is None or not paused.service_id:
                raise Failed("the charger goes on with a session of which this car has forgotten the services")
            resumed = services.resumed(paused)
            if services.name_space(resumed.service_id) != self._app:
                raise Failed(f"the charger goes on with a session of {resumed.name}, which is not of {self._app.text}")
            self._select(resumed)
        return 0.0

    def _select(self, service: services.Service) -> None:
        self.service = service
        self._selected, self.facts.renegotiate_services = True, False
        self.facts.charger.service = service.text
        self.stage = self.energy.first_stage

    # -- services

    def build_ServiceDiscovery(self, now: float) -> common.ServiceDiscoveryReq:
        """Ask for all services."""
        return common.ServiceDiscoveryReq(Header=self.header())

    def take_ServiceDiscovery(self, body: common.ServiceDiscoveryRes, now: float) -> float:
        """Note what the charger offers, and begin with the service that the car likes best."""
        self.renegotiable = body.ServiceRenegotiationSupported
        self._offered = tuple(service.ServiceID for service in body.EnergyTransferServiceList.Service)
        self._described = {}
        if self._choose():
            others = [] if body.VASList is None else [one.ServiceID for one in body.VASList.Service]
            self._with_parking = self.parking.is_wanted(others)
        return 0.0

    def _choose(self) -> bool:
        """Go on to the next service to ask about, to the selection, or to the end; return whether it is not the end."""
        wishes = [one for one in services.wishes(self.settings) if services.name_space(one) == self._app]
        match select(self._offered, self._described, wishes, self.settings):
            case NoService(reason):
                self.refuse(reason)
                return False
            case Undescribed(service_id):
                self.service = services.Service(service_id)
                self.stage = "ServiceDetail"
            case Selected(service, passed_over):
                self.service, self._passed_over = service, passed_over
                self.stage = "ServiceSelection"
        return True

    def build_ServiceDetail(self, now: float) -> common.ServiceDetailReq:
        """Ask for the parameter sets of the service, before it for those of the parking status."""
        wanted = services.PARKING_STATUS if self._with_parking else self.service.service_id
        return common.ServiceDetailReq(Header=self.header(), ServiceID=wanted)

    def take_ServiceDetail(self, body: common.ServiceDetailRes, now: float) -> float:
        """Choose the set that suits the car best; where there is none, ask about the service that comes next."""
        sets = body.ServiceParameterList.ParameterSet
        if self._with_parking:
            self._with_parking = False
            self.parking.take_sets(sets)
            return 0.0
        self._described[self.service.service_id] = sets
        self._choose()
        return 0.0

    def build_ServiceSelection(self, now: float) -> common.ServiceSelectionReq:
        """Select the energy service, and the parking status where both sides have it."""
        chosen = common.SelectedServiceType(
            ServiceID=self.service.service_id, ParameterSetID=self.service.parameter_set_id
        )
        return common.ServiceSelectionReq(
            Header=self.header(), SelectedEnergyTransferService=chosen, SelectedVASList=self.parking.selected
        )

    def take_ServiceSelection(self, body: common.ServiceSelectionRes, now: float) -> float:
        """Check in, or go on to the charge parameters."""
        self._select(self.service)
        self.report(Step.SERVICE, "; ".join(filter(None, (self.service.text, self._passed_over))))
        if self.parking.checks_in:
            self.stage = CHECK_IN
        return 0.0

    # -- the end

    def build_SessionStop(self, now: float) -> common.SessionStopReq:
        """End or pause the session, or go back to its services."""
        kind = common.chargingSessionType.Terminate
        self.outcome = "terminated"
        if self.refusal:
            self.outcome, self.reason = "failed", self.refusal
        elif self.pauses:
            kind, self.outcome = common.chargingSessionType.Pause, "paused"
        elif self.renegotiates_services and not self.facts.stop and self.facts.error_code == "NO_ERROR":
            kind, self.outcome = common.chargingSessionType.ServiceRenegotiation, "renegotiated"
        code, explanation = None, None
        if self.refusal or self.facts.error_code != "NO_ERROR":
            code = "Refused" if self.refusal else self.facts.error_code
            explanation = (self.refusal or self.facts.error_code)[:160]
        return common.SessionStopReq(
            Header=self.header(), ChargingSession=kind, EVTerminationCode=code, EVTerminationExplanation=explanation
        )

    def take_SessionStop(self, body: common.SessionStopRes, now: float) -> float:
        """End; after a service renegotiation the same session goes on, authorized as it is ([V2G20-1477])."""
        if self.outcome != "renegotiated":
            self.over = True
            return 0.0
        self._selected = self.facts.renegotiate_services = False
        self.facts.charger.notification = "None"
        self.energy.begin_anew()
        self.schedule.begin_anew()
        self.report(Step.RENEGOTIATING, "services")
        self.stage = "ServiceDiscovery"
        return 0.0
