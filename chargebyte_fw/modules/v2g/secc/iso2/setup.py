"""ISO 15118-2, from SessionSetup to Authorization (clauses 8.4.3.2 to 8.4.3.8), by external means of payment."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types import iso15118, iso15118_vas
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import physical
from chargebyte_fw.modules.v2g.secc.common.identity import NO_EVSE_ID, is_evse_id
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.common.session import CHARGE_SERVICE_ID, Answer, Dialogue, Later
from chargebyte_fw.modules.v2g.secc.effects import AskService, ServicesSelected
from chargebyte_fw.modules.v2g.timing import V2G_SECC_MSG_PERFORMANCE_S

INTERNET_SERVICE_ID = 3
PAUSE_DELAY_S = 300
"""NotificationMaxDelay of a pause after pre-charge (IEC 61851-23: there is no energy now)."""
SAE_SERVICES = {iso15118.SaeJ2847BidiMode.V2H: 28472, iso15118.SaeJ2847BidiMode.V2G: 28473}
"""Service ids of SAE J2847/2 for power from the car."""
_MOST_SERVICES = 7
"""The schema allows eight; other stacks stumble over a full list."""
_MOST_PARAMETER_SETS = 5
_SPOKEN_MODES = frozenset(str(mode) for mode in iso2.EnergyTransferModeType)


class Iso2SetUp(Dialogue):
    """What comes before the charge parameters."""

    m = iso2

    kind = "DC"
    """DC or AC: how the names of the energy transfer modes begin."""
    usual_mode = iso2.EnergyTransferModeType.DC_extended

    def modes(self) -> list[Any]:
        """Return the offered energy transfer modes of our kind that ISO 15118-2 has a word for."""
        known = [
            iso2.EnergyTransferModeType(mode)
            for mode in self.facts.energy_transfer_modes
            if mode in _SPOKEN_MODES and mode.startswith(self.kind)
        ]
        return known or [self.usual_mode]

    # -- SessionSetup

    def on_SessionSetupReq(self, request: iso2.SessionSetupReq, now: float) -> Answer:  # noqa: N802 (the wire's name)
        """Begin a session, or take up the paused one whose id the car remembers."""
        self.take_evcc_id(request.EVCCID)
        paused, self.facts.paused = self.facts.paused, None
        wanted = self.header_session_id
        if paused is not None and any(wanted) and wanted.rjust(8, b"\0") == paused.session_id:
            self.session_id = paused.session_id
            code = iso2.responseCodeType.OK_OldSessionJoined
            self.note("took up the paused session")
        else:
            self.session_id = self.outside.random_bytes(8)
            code = iso2.responseCodeType.OK_NewSessionEstablished
        self.state = State.SERVICE_DISCOVERY
        return Answer(iso2.SessionSetupRes(ResponseCode=code, EVSEID=self.evse_id()))

    def evse_id(self) -> str:
        """Return the EVSE id; one that the schema cannot carry is none, and no part of it another EVSE's."""
        return self.facts.evse_id if is_evse_id(self.facts.evse_id) else NO_EVSE_ID

    header_session_id = b""
    """The session id of the request in hand."""

    def answer(self, request: Any, session_id: bytes, now: float) -> Answer | Later:
        """Answer one request that came with `session_id` in its header."""
        self.header_session_id = session_id
        return super().answer(request, session_id, now)

    @property
    def notification(self) -> tuple[Any, int]:
        """EVSENotification and NotificationMaxDelay: stop where it is wanted or where there is no energy."""
        kinds, facts = iso2.EVSENotificationType, self.facts
        if facts.stop_requested:
            return kinds.StopCharging, 0
        if facts.without_energy:
            return kinds.StopCharging, PAUSE_DELAY_S if facts.no_energy_pause == "PauseAfterPrecharge" else 0
        return kinds.None_, 0

    # -- services

    def _sae_service(self) -> int | None:
        mode = self.facts.bidirectional_mode
        return SAE_SERVICES.get(iso15118.SaeJ2847BidiMode(mode))

    def services(self) -> dict[int, iso2.ServiceType]:
        """Return the services beside charging, by id."""
        offered = []
        for service in self.facts.offered_services.values():
            internet = service.service_id == INTERNET_SERVICE_ID
            offered.append(
                iso2.ServiceType(
                    ServiceID=service.service_id,
                    ServiceName="InternetAccess" if internet else service.service_name,
                    ServiceCategory=iso2.serviceCategoryType("Internet" if internet else "OtherCustom"),
                    ServiceScope=service.service_scope,
                    FreeService=service.free_service is not False,
                )
            )
        sae = self._sae_service()
        if sae is not None:
            offered.append(
                iso2.ServiceType(
                    ServiceID=sae,
                    ServiceName=f"SAE J2847/2 {self.facts.bidirectional_mode}",
                    ServiceCategory=iso2.serviceCategoryType.OtherCustom,
                    FreeService=True,
                )
            )
        return {service.ServiceID: service for service in offered[:_MOST_SERVICES]}

    def discovery_content(self) -> dict[str, Any]:
        """Return payment options and charge service."""
        return {
            "PaymentOptionList": iso2.PaymentOptionListType(
                PaymentOption=[iso2.paymentOptionType(option) for option in self.offered_options()]
            ),
            "ChargeService": iso2.ChargeServiceType(
                ServiceID=CHARGE_SERVICE_ID,
                ServiceCategory=iso2.serviceCategoryType.EVCharging,
                FreeService=False,
                SupportedEnergyTransferMode=iso2.SupportedEnergyTransferModeType(EnergyTransferMode=self.modes()),
            ),
        }

    def on_ServiceDiscoveryReq(self, request: iso2.ServiceDiscoveryReq, now: float) -> Answer:  # noqa: N802
        """Offer the charge service and those other services that the car's filter lets through."""
        scope, category = request.ServiceScope, request.ServiceCategory
        services = [
            service
            for service in self.services().values()
            if (scope is None or service.ServiceScope is None or scope == service.ServiceScope)
            and (category is None or category == service.ServiceCategory)
        ]
        self.state = State.SERVICE_SELECTION
        return Answer(
            iso2.ServiceDiscoveryRes(
                ResponseCode=self.ok(),
                **self.discovery_content(),
                ServiceList=iso2.ServiceListType(Service=services) if services else None,
            )
        )

    def on_ServiceDetailReq(self, request: iso2.ServiceDetailReq, now: float) -> Answer | Later:  # noqa: N802
        """Describe a service; what belongs to a value-added service is asked of its provider."""
        service_id, facts = request.ServiceID, self.facts
        plain = iso2.ServiceDetailRes(ResponseCode=self.ok(), ServiceID=service_id)
        if service_id in (CHARGE_SERVICE_ID, self._sae_service()):
            return Answer(plain)
        if service_id not in self.services():
            return self._detail_failed(service_id, f"service {service_id} is not offered")
        if self.wait_since is None:
            self.wait_since = now
            facts.service_parameters.pop(service_id, None)
            self.out.append(AskService(service_id))
        if service_id not in facts.service_parameters and now - self.wait_since < V2G_SECC_MSG_PERFORMANCE_S:
            return Later(self.wait_since + V2G_SECC_MSG_PERFORMANCE_S)
        self.wait_since = None
        sets = facts.service_parameters.get(service_id)
        if sets is None:
            return self._detail_failed(service_id, f"the provider of service {service_id} did not answer")
        if spoken := [spoken_set(one) for one in sets[:_MOST_PARAMETER_SETS] if one.parameters]:
            plain.ServiceParameterList = iso2.ServiceParameterListType(ParameterSet=spoken)
        return Answer(plain)

    def _detail_failed(self, service_id: int, why: str) -> Answer:
        code = iso2.responseCodeType.FAILED_ServiceIDInvalid
        return Answer(iso2.ServiceDetailRes(ResponseCode=code, ServiceID=service_id), log=f"ServiceDetailReq: {why}")

    def on_PaymentServiceSelectionReq(  # noqa: N802
        self, request: iso2.PaymentServiceSelectionReq, now: float
    ) -> Answer:
        """Take the car's choice of payment and services."""
        name, option = "PaymentServiceSelectionReq", request.SelectedPaymentOption
        chosen = {one.ServiceID: one.ParameterSetID for one in request.SelectedServiceList.SelectedService}
        others = {service_id: chosen[service_id] for service_id in chosen if service_id != CHARGE_SERVICE_ID}
        if CHARGE_SERVICE_ID not in chosen:
            return self.failed(name, "FAILED_NoChargeServiceSelected", f"services {sorted(chosen)}")
        if unknown := others.keys() - self.services().keys():
            return self.failed(name, "FAILED_ServiceSelectionInvalid", f"services {sorted(unknown)}")
        if option not in self.offered_options():
            return self.failed(name, "FAILED_PaymentSelectionInvalid", str(option))
        self.publish("selected_payment_option", iso15118.PaymentOption(str(option)))
        if self._sae_service() in others:
            self.publish("sae_bidi_mode_active")
        selected = [(i, parameter_set or 0) for i, parameter_set in others.items() if i in self.facts.offered_services]
        if selected:
            self.out.append(ServicesSelected(tuple(selected)))
        self.state = State.AUTHORIZATION
        return Answer(iso2.PaymentServiceSelectionRes(ResponseCode=self.ok()))

    def on_AuthorizationReq(self, request: iso2.AuthorizationReq, now: float) -> Answer:  # noqa: N802
        """Wait for somebody to authorize the session."""
        waiting = iso2.EVSEProcessingType.Ongoing_WaitingForCustomerInteraction
        return self.external_authorization("AuthorizationReq", now, waiting)


def spoken_set(parameters: iso15118_vas.ParameterSet) -> iso2.ParameterSetType:
    """Write a parameter set of a value-added service in the words of ISO 15118-2."""
    spoken = []
    for parameter in parameters.parameters[:15]:
        value = parameter.value
        one = iso2.ParameterType(Name=parameter.name)
        if value.int_value is not None:
            one.intValue = value.int_value
        elif value.finite_string is not None:
            one.stringValue = value.finite_string
        elif value.bool_value is not None:
            one.boolValue = value.bool_value
        elif value.byte_value is not None:
            one.byteValue = value.byte_value
        elif value.short_value is not None:
            one.shortValue = value.short_value
        else:
            number = round(value.rational_number or 0.0, 1)
            one.physicalValue = physical(iso2.PhysicalValueType, number, iso2.unitSymbolType.W)
        spoken.append(one)
    return iso2.ParameterSetType(ParameterSetID=parameters.set_id, Parameter=spoken)
