"""The services beside charging: value-added ones of the providers, and power from the car as SAE J2847/2 has it."""

from __future__ import annotations

from chargebyte_fw.contracts.types import iso15118, iso15118_vas
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import physical
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts

CERTIFICATE_SERVICE_ID = 2
INTERNET_SERVICE_ID = 3
SAE_SERVICES = {iso15118.SaeJ2847BidiMode.V2H: 28472, iso15118.SaeJ2847BidiMode.V2G: 28473}
"""Service ids of SAE J2847/2 for power from the car."""
_MOST_SERVICES = 7
"""The schema allows eight; other stacks stumble over a full list."""
_MOST_PARAMETERS = 15


def sae_service(facts: ChargerFacts) -> int | None:
    """Return the service id of SAE J2847/2, None where power from the car is not wanted."""
    return SAE_SERVICES.get(iso15118.SaeJ2847BidiMode(facts.bidirectional_mode))


CERTIFICATE_PARAMETERS = [
    iso2.ParameterSetType(ParameterSetID=number, Parameter=[iso2.ParameterType(Name="Service", stringValue=value)])
    for number, value in ((1, "Installation"), (2, "Update"))
]
"""Parameter sets of the certificate service (ISO 15118-2 table 106)."""


def offered_services(facts: ChargerFacts, *, with_certificates: bool = False) -> dict[int, iso2.ServiceType]:
    """Return the services beside charging, by id."""
    offered = []
    if with_certificates:
        offered.append(
            iso2.ServiceType(
                ServiceID=CERTIFICATE_SERVICE_ID,
                ServiceName="Certificate",
                ServiceCategory=iso2.serviceCategoryType.ContractCertificate,
                FreeService=True,
            )
        )
    for service in facts.offered_services.values():
        if service.service_id <= CERTIFICATE_SERVICE_ID:
            continue  # charging and certificates are the charger's own
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
    sae = sae_service(facts)
    if sae is not None:
        offered.append(
            iso2.ServiceType(
                ServiceID=sae,
                ServiceName=f"SAE J2847/2 {facts.bidirectional_mode}",
                ServiceCategory=iso2.serviceCategoryType.OtherCustom,
                FreeService=True,
            )
        )
    return {service.ServiceID: service for service in offered[:_MOST_SERVICES]}


def parameter_set(parameters: iso15118_vas.ParameterSet) -> iso2.ParameterSetType:
    """Return a parameter set of a value-added service as ISO 15118-2 has it."""
    written = []
    for parameter in parameters.parameters[:_MOST_PARAMETERS]:
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
        written.append(one)
    return iso2.ParameterSetType(ParameterSetID=parameters.set_id, Parameter=written)
