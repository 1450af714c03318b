"""ISO 15118-20, ServiceDiscovery, ServiceDetail and ServiceSelection (clause 8.3.4.3)."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118_vas
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.rational import rational
from chargebyte_fw.modules.v2g.secc.effects import GetServiceParameters
from chargebyte_fw.modules.v2g.secc.iso20.base import Iso20Base
from chargebyte_fw.modules.v2g.secc.iso20.energy import Selection, Service
from chargebyte_fw.modules.v2g.secc.iso20.parameter_sets import (
    ParameterSets,
    offered_services,
    parameter_sets,
    selected_parameters,
    services_of_modes,
)
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State
from chargebyte_fw.modules.v2g.secc.iso20.timing import MSG_PERFORMANCE_S
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred, SessionContext

_MOST_VAS = 8
_MOST_PARAMETERS = 8
"""The schema allows 32; cars with libcbv2g take eight."""
_MOST_VAS_SETS = 4


class Services(Iso20Base):
    """What the charger offers, and what the car selects of it."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self.offered: list[Service] = []
        """The energy services of the last ServiceDiscoveryRes."""
        self._described: dict[int, ParameterSets] = {}
        """The parameter sets of ServiceDetailRes: what the car was given it may select."""
        self._asked_service_since: float | None = None
        """Since when a ServiceDetailReq waits for the provider of its service."""

    def take_service(self, selection: Selection) -> None:
        """Take up an energy service."""
        raise NotImplementedError

    def sets_of(self, service: Service) -> ParameterSets:
        """Return the parameter sets of an energy service: those that the car was given, else those of this moment."""
        return self._described.get(service) or parameter_sets(service, self.facts, self.options)

    def on_ServiceDiscoveryReq(self, request: m.ServiceDiscoveryReq, now: float) -> Answer:
        """Offer every energy service; the car's filter holds for the other ones ([V2G20-1248], [V2G20-1249])."""
        self.offered, self._described = offered_services(self.facts), {}
        self.allowed = services_of_modes(self.facts)
        if not self.offered:
            return self.failed("ServiceDiscoveryReq", "FAILED", "there is no energy service to offer")
        wanted = None if request.SupportedServiceIDs is None else request.SupportedServiceIDs.ServiceID
        others = [
            m.ServiceType(ServiceID=one.service_id, FreeService=one.free_service is not False)
            for one in self.facts.offered_services.values()
            if wanted is None or one.service_id in wanted
        ]
        self.enter(State.SERVICE_DETAIL)
        energy = [m.ServiceType(ServiceID=int(service), FreeService=False) for service in self.offered]
        return self.ok(
            m.ServiceDiscoveryRes,
            ServiceRenegotiationSupported=self.options.service_renegotiation,
            EnergyTransferServiceList=m.ServiceListType(Service=energy),
            VASList=m.ServiceListType(Service=others[:_MOST_VAS]) if others else None,
        )

    def on_ServiceDetailReq(self, request: m.ServiceDetailReq, now: float) -> Answer | Deferred:
        """Describe a service; the parameters of a value-added service are its provider's."""
        service_id = request.ServiceID
        if service_id in self.offered:
            sets = self._described[service_id] = self.sets_of(Service(service_id))
            return self._detail(service_id, [_set(i, one) for i, one in sets.items()])
        if service_id not in self.facts.offered_services:
            return self.failed("ServiceDetailReq", "FAILED_ServiceIDInvalid", f"service {service_id} is not offered")
        known = self.facts.session.service_parameters
        if self._asked_service_since is None:
            self._asked_service_since = now
            known.pop(service_id, None)
            self.effect(GetServiceParameters(service_id))
        limit = self._asked_service_since + MSG_PERFORMANCE_S
        if service_id not in known and now < limit:
            return Deferred(limit)
        self._asked_service_since = None
        others = [value_added_set(one) for one in known.get(service_id) or () if one.parameters][:_MOST_VAS_SETS]
        if not others:
            why = f"the provider of service {service_id} gave no parameters"
            return self.failed("ServiceDetailReq", "FAILED_ServiceIDInvalid", why)
        return self._detail(service_id, others)

    def _detail(self, service_id: int, sets: list[m.ParameterSetType]) -> Answer:
        self.enter(State.SERVICE_SELECTION)
        described = m.ServiceParameterListType(ParameterSet=sets)
        return self.ok(m.ServiceDetailRes, ServiceID=service_id, ServiceParameterList=described)

    def on_ServiceSelectionReq(self, request: m.ServiceSelectionReq, now: float) -> Answer:
        """Take the car's choice: one energy service, and others beside it."""
        name, chosen = "ServiceSelectionReq", request.SelectedEnergyTransferService
        others = [] if request.SelectedVASList is None else request.SelectedVASList.SelectedService
        if chosen.ServiceID not in self.offered:
            return self.failed(name, "FAILED_NoEnergyTransferServiceSelected", f"service {chosen.ServiceID}")
        service = Service(chosen.ServiceID)
        parameters = self.sets_of(service).get(chosen.ParameterSetID)
        if parameters is None:
            why = f"parameter set {chosen.ParameterSetID} of service {service}"
            return self.failed(name, "FAILED_ServiceSelectionInvalid", why)
        if unknown := [one for one in others if not self._is_offered(one)]:
            why = ", ".join(f"parameter set {one.ParameterSetID} of service {one.ServiceID}" for one in unknown)
            return self.failed(name, "FAILED_ServiceSelectionInvalid", why)
        self.take_service(Selection(service, chosen.ParameterSetID, parameters))
        assert self.energy is not None
        self.publish(Iso15118Charger.requested_energy_transfer_mode, self.energy.transfer_mode())
        self.publish(Iso15118Charger.selected_service_parameters, selected_parameters(service, parameters))
        self.log(f"the car selects {service.name}, {self.energy.selection.mode} control")
        self.select_others(tuple((one.ServiceID, one.ParameterSetID) for one in others))
        self.enter(State.CHARGE_PARAMETERS)
        return self.ok(m.ServiceSelectionRes)

    def _is_offered(self, chosen: m.SelectedServiceType) -> bool:
        if chosen.ServiceID not in self.facts.offered_services:
            return False
        known = self.facts.session.service_parameters.get(chosen.ServiceID)
        return known is None or any(one.set_id == chosen.ParameterSetID for one in known)


def _set(set_id: int, parameters: dict[str, int]) -> m.ParameterSetType:
    written = [m.ParameterType(Name=name, intValue=value) for name, value in parameters.items()]
    return m.ParameterSetType(ParameterSetID=set_id, Parameter=written)


def value_added_set(parameters: iso15118_vas.ParameterSet) -> m.ParameterSetType:
    """Return a parameter set of a value-added service as ISO 15118-20 has it."""
    written = []
    for parameter in parameters.parameters[:_MOST_PARAMETERS]:
        value, one = parameter.value, m.ParameterType(Name=parameter.name)
        if value.int_value is not None:
            one.intValue = value.int_value
        elif value.finite_string is not None:
            one.finiteString = value.finite_string
        elif value.bool_value is not None:
            one.boolValue = value.bool_value
        elif value.byte_value is not None:
            one.byteValue = value.byte_value
        elif value.short_value is not None:
            one.shortValue = value.short_value
        else:
            one.rationalNumber = rational(value.rational_number or 0.0)
        written.append(one)
    return m.ParameterSetType(ParameterSetID=parameters.set_id, Parameter=written)
