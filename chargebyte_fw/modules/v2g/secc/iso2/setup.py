"""ISO 15118-2, SessionSetup and services (clauses 8.4.3.2 to 8.4.3.4)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.common.session import CHARGE_SERVICE_ID, V2gSession
from chargebyte_fw.modules.v2g.secc.effects import GetServiceParameters
from chargebyte_fw.modules.v2g.secc.facts import PausedSession
from chargebyte_fw.modules.v2g.secc.iso2.energy import Iso2EnergyService
from chargebyte_fw.modules.v2g.secc.iso2.evse_id import NO_EVSE_ID, is_evse_id
from chargebyte_fw.modules.v2g.secc.iso2.services import (
    CERTIFICATE_PARAMETERS,
    CERTIFICATE_SERVICE_ID,
    offered_services,
    parameter_set,
    sae_service,
)
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred, SessionContext
from chargebyte_fw.modules.v2g.timing import V2G_SECC_MSG_PERFORMANCE_S

PAUSE_DELAY_S = 300
"""NotificationMaxDelay of a pause after pre-charge (IEC 61851-23: there is no energy now)."""
_MOST_PARAMETER_SETS = 5
_EXTERNAL = iso15118.PaymentOption.ExternalPayment
"""What a refusal has in a list that may not be empty."""


class Iso2SetUp(V2gSession):
    """What comes before the choice of payment."""

    messages = iso2

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self._asked_service_since: float | None = None
        """Since when a ServiceDetailReq waits for the provider of its service."""
        self.payment_options: list[str] | None = None
        """What the last ServiceDiscoveryRes offers: a station that has authorized meanwhile takes none of it back."""
        self.resumed: PausedSession | None = None
        """The paused session that this one takes up."""

    @property
    def renegotiation_due(self) -> bool:
        """Whether the car shall ask for new charge parameters."""
        raise NotImplementedError

    def offered_energy(self) -> tuple[Iso2EnergyService, ...]:
        """Return the energy services that the car may choose from."""
        raise NotImplementedError

    @property
    def notification(self) -> tuple[Any, int]:
        """EVSENotification and NotificationMaxDelay: stop where wanted or without energy, renegotiate where due."""
        kinds, facts = iso2.EVSENotificationType, self.facts
        if facts.stop_requested:
            return kinds.StopCharging, 0
        if facts.session.without_energy:
            after_precharge = facts.session.no_energy_pause == "PauseAfterPrecharge"
            return kinds.StopCharging, PAUSE_DELAY_S if after_precharge else 0
        return (kinds.ReNegotiation if self.renegotiation_due else kinds.None_), 0

    def order_of_refusals(self, unknown_session: bool, out_of_sequence: bool) -> str:
        """Return the code that wins: the sequence before the session."""
        if out_of_sequence:
            return "FAILED_SequenceError"  # [V2G2-538]
        return "FAILED_UnknownSession" if unknown_session else ""  # [V2G2-460]

    def evse_id(self) -> str:
        """Return the EVSE id; one that the schema cannot carry is none, and no part of it another EVSE's."""
        return self.facts.evse_id if is_evse_id(self.facts.evse_id) else NO_EVSE_ID

    # -- SessionSetup

    def on_SessionSetupReq(self, request: iso2.SessionSetupReq, now: float) -> Answer:
        """Begin a session, or take up the paused one whose id the car remembers."""
        self.take_evcc_id(request.EVCCID)
        paused = self.facts.paused
        self.facts.forget_paused()
        wanted = self.request.session_id
        same_id = paused is not None and any(wanted) and wanted.rjust(8, b"\0") == paused.session_id
        if paused is not None and same_id and paused.evcc_id == self.evcc_id:  # [V2G2-463]
            self.session_id, self.resumed = paused.session_id, paused
            code = iso2.responseCodeType.OK_OldSessionJoined
            self.log("took up the paused session")
        else:
            self.session_id = self.environment.new_session_id()  # [V2G2-756]
            code = iso2.responseCodeType.OK_NewSessionEstablished
        self.enter(State.SERVICE_DISCOVERY)
        self.publish_ev_info()
        return Answer(iso2.SessionSetupRes(ResponseCode=code, EVSEID=self.evse_id()))

    # -- services

    def offered_options(self) -> list[str]:
        """Return the payment options of this connection in the order of the configuration: a contract needs TLS."""
        secure, contract = bool(self.context.security.tls_version), iso15118.PaymentOption.Contract
        before = "" if self.resumed is None else self.resumed.payment_option
        if before and (before != contract or secure):
            return [before]  # the session was authorized for this one
        options = self.facts.payment_options if self.payment_options is None else self.payment_options
        return [option for option in options if option != contract or secure]

    @property
    def offers_certificates(self) -> bool:
        """Whether the car may get a contract here."""
        return self.facts.certificate_service and iso15118.PaymentOption.Contract in self.offered_options()

    def discovery_content(self) -> dict[str, Any]:
        """Return payment options and charge service."""
        modes = [mode for energy in self.offered_energy() for mode in energy.modes()]
        return {
            "PaymentOptionList": iso2.PaymentOptionListType(
                PaymentOption=[iso2.paymentOptionType(option) for option in self.offered_options() or [_EXTERNAL]]
            ),
            "ChargeService": iso2.ChargeServiceType(
                ServiceID=CHARGE_SERVICE_ID,
                ServiceCategory=iso2.serviceCategoryType.EVCharging,
                FreeService=False,
                SupportedEnergyTransferMode=iso2.SupportedEnergyTransferModeType(EnergyTransferMode=modes),
            ),
        }

    def on_ServiceDiscoveryReq(self, request: iso2.ServiceDiscoveryReq, now: float) -> Answer:
        """Offer the charge service and those other services that the car's filter lets through."""
        scope, category = request.ServiceScope, request.ServiceCategory
        self.payment_options = list(self.facts.payment_options)
        if not self.offered_options():
            return self.failed("ServiceDiscoveryReq", "FAILED", "only contracts may pay, and they need TLS")
        services = [
            service
            for service in offered_services(self.facts, with_certificates=self.offers_certificates).values()
            if (scope is None or service.ServiceScope is None or scope == service.ServiceScope)
            and (category is None or category == service.ServiceCategory)
        ]
        self.enter(State.SERVICE_SELECTION)
        return Answer(
            iso2.ServiceDiscoveryRes(
                ResponseCode=self.ok(),
                **self.discovery_content(),
                ServiceList=iso2.ServiceListType(Service=services) if services else None,
            )
        )

    def on_ServiceDetailReq(self, request: iso2.ServiceDetailReq, now: float) -> Answer | Deferred:
        """Describe a service; the parameters of a value-added service are its provider's."""
        service_id, known = request.ServiceID, self.facts.session.service_parameters
        plain = iso2.ServiceDetailRes(ResponseCode=self.ok(), ServiceID=service_id)
        if service_id in (CHARGE_SERVICE_ID, sae_service(self.facts)):
            return Answer(plain)
        if service_id == CERTIFICATE_SERVICE_ID and self.offers_certificates:
            plain.ServiceParameterList = iso2.ServiceParameterListType(ParameterSet=CERTIFICATE_PARAMETERS)
            return Answer(plain)
        if service_id not in offered_services(self.facts):
            return self._detail_failed(service_id, f"service {service_id} is not offered")
        if self._asked_service_since is None:
            self._asked_service_since = now
            known.pop(service_id, None)
            self.effect(GetServiceParameters(service_id))
        limit = self._asked_service_since + V2G_SECC_MSG_PERFORMANCE_S
        if service_id not in known and now < limit:
            return Deferred(limit)
        self._asked_service_since = None
        sets = known.get(service_id)
        if sets is None:
            return self._detail_failed(service_id, f"the provider of service {service_id} did not answer")
        if written := [parameter_set(one) for one in sets[:_MOST_PARAMETER_SETS] if one.parameters]:
            plain.ServiceParameterList = iso2.ServiceParameterListType(ParameterSet=written)  # [V2G2-549]
        return Answer(plain)

    def _detail_failed(self, service_id: int, why: str) -> Answer:
        code = iso2.responseCodeType.FAILED_ServiceIDInvalid  # [V2G2-464]
        return Answer(iso2.ServiceDetailRes(ResponseCode=code, ServiceID=service_id), log=f"ServiceDetailReq: {why}")
