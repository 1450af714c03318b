"""The energy services that a charger offers, and the parameter sets of each."""

from __future__ import annotations

from collections.abc import Iterator

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Iso20Settings
from chargebyte_fw.modules.v2g.secc.iso20.energy import BY_CAR, BY_CHARGER, DYNAMIC, SCHEDULED, Service

ABSOLUTE, LEVELS = 1, 2
"""Pricing: in money, in levels."""

MOST_SETS = 4
"""The schema allows 32 sets; cars with libcbv2g take four."""
MOST_SERVICES = 8
_MODES = {
    "AC_single_phase_core": Service.AC,
    "AC_three_phase_core": Service.AC,
    "DC_core": Service.DC,
    "DC_extended": Service.DC,
    "DC_combo_core": Service.DC,
    "DC_unique": Service.DC,
    "DC": Service.DC,
    "AC_BPT": Service.AC_BPT,
    "AC_BPT_DER": Service.AC_DER_IEC,
    "AC_DER_IEC": Service.AC_DER_IEC,
    "DC_BPT": Service.DC_BPT,
    "MCS": Service.MCS,
    "MCS_BPT": Service.MCS_BPT,
}
"""EVerest's energy transfer modes, those of ISO 15118-2 included. WPT, ACDP and AC_DER_SAE are not offered."""
_PRICING = {iso15118.Pricing.NoPricing: 0, iso15118.Pricing.AbsolutePricing: 1, iso15118.Pricing.PriceLevels: 2}
_SINGLE_PHASE, _THREE_PHASE = 1, 3
_EXTENDED, _MCS = 2, 1
_ACTIVE, _PASSIVE = 1, 2
ParameterSets = dict[int, dict[str, int]]
"""By set id, each parameter with its value, in the order of the standard."""


def offered_services(facts: ChargerFacts) -> list[Service]:
    """Return the energy services of the charger, in the order of its energy transfer modes."""
    return [service for service in services_of_modes(facts) if _has_limits(service, facts)][:MOST_SERVICES]


def services_of_modes(facts: ChargerFacts) -> list[Service]:
    """Return the energy services of the charger's energy transfer modes, whether it has limits for them or not."""
    return list(dict.fromkeys(_MODES[mode] for mode in facts.energy_transfer_modes if mode in _MODES))


def _has_limits(service: Service, facts: ChargerFacts) -> bool:
    """Return whether a bidirectional service has a discharge power: without one there is nothing to offer."""
    more = facts.iso20
    if service in (Service.DC_BPT, Service.MCS_BPT):
        return bool(discharge_power_W(facts))
    if service is Service.AC_DER_IEC and not more.grid_support:
        return False
    if service in (Service.AC_BPT, Service.AC_DER_IEC):
        return more.ac_maximum is not None and more.ac_maximum.discharge_power is not None
    return True


def discharge_power_W(facts: ChargerFacts) -> float:
    """Return the greatest power from the car (DC) that the charger is made for."""
    supply = facts.iso20.dc_supply
    made_for = supply.max_import_power_W if supply is not None and supply.bidirectional else None
    return made_for or facts.iso20.dc_max_discharge_power_W or 0.0


def parameter_sets(service: Service, facts: ChargerFacts, options: Iso20Settings) -> ParameterSets:
    """Return the parameter sets of an energy service by id, from 0 on."""
    sets = [
        {"Connector": connector, "ControlMode": control, **_voltage(service, facts), "MobilityNeedsMode": needs}
        | {"Pricing": pricing}
        | _bidirectional(service, facts)
        for pricing in _pricings(facts, options)
        for control, needs in _controls(options)
        for connector in _connectors(service, facts)
    ]
    return dict(enumerate(sets[:MOST_SETS]))


def _pricings(facts: ChargerFacts, options: Iso20Settings) -> list[int]:
    """Return without prices first, which every car takes, then with them where some are known."""
    known = {"absolute": ABSOLUTE, "levels": LEVELS}.get(options.pricing)
    return [0] if known is None or not facts.prices else [0, known]


def _controls(options: Iso20Settings) -> Iterator[tuple[int, int]]:
    if options.dynamic:
        yield DYNAMIC, BY_CAR
        if options.mobility_needs_by_secc:
            yield DYNAMIC, BY_CHARGER
    if options.scheduled or not options.dynamic:
        yield SCHEDULED, BY_CAR


def is_ac(service: Service) -> bool:
    """Return whether the service is one of alternating current."""
    return service.name.startswith("AC")


def _connectors(service: Service, facts: ChargerFacts) -> list[int]:
    if not is_ac(service):
        return [_MCS if service.name.startswith("MCS") else _EXTENDED]
    kinds = {iso15118.Connector.SinglePhase: _SINGLE_PHASE, iso15118.Connector.ThreePhase: _THREE_PHASE}
    parameters = facts.iso20.ac_parameters
    known = [] if parameters is None else [kinds[one] for one in parameters.connectors if one in kinds]
    if known:
        return list(dict.fromkeys(known))
    return [_THREE_PHASE if "AC_three_phase_core" in facts.energy_transfer_modes else _SINGLE_PHASE]


def _voltage(service: Service, facts: ChargerFacts) -> dict[str, int]:
    """Return EVSENominalVoltage, which belongs to AC only: cars refuse a DC set that has it."""
    if not is_ac(service):
        return {}
    parameters = facts.iso20.ac_parameters
    return {"EVSENominalVoltage": round(parameters.nominal_voltage if parameters else facts.ac_nominal_voltage_V)}


def _bidirectional(service: Service, facts: ChargerFacts) -> dict[str, int]:
    if service is Service.AC_DER_IEC:
        from chargebyte_fw.modules.v2g.secc.iso20.grid_codes import functions

        return {"DERControlFunctions": functions(facts)}
    if service not in (Service.AC_BPT, Service.DC_BPT, Service.MCS_BPT):
        return {}
    given = facts.iso20.bpt
    separated = given is not None and given.bpt_channel is iso15118.BptChannel.Separated
    forming = given is not None and given.generator_mode is iso15118.GeneratorMode.GridForming
    parameters = {"BPTChannel": 2 if separated else 1, "GeneratorMode": 2 if forming else 1}
    if service is Service.AC_BPT:
        active = given is not None and given.grid_code_detection is iso15118.GridCodeIslandingDetectionMethod.Active
        parameters["DetectionMethodGridCodeIslanding"] = _ACTIVE if active else _PASSIVE
    return parameters


_CONNECTORS = {
    "AC": {1: "SinglePhase", 3: "ThreePhase"},
    "DC": {1: "Core", 2: "Extended", 3: "Dual2", 4: "Dual4"},
    "MC": {1: "Mcs", 2: "Chaoji", 3: "UltraChaoji", 4: "rMcs", 5: "xMcs", 6: "Aviation", 7: "Marine"},
}


def selected_parameters(service: Service, parameters: dict[str, int]) -> iso15118.SelectedServiceParameters:
    """Return what the car has selected in EVerest's words."""
    dynamic, by_charger = parameters["ControlMode"] == DYNAMIC, parameters["MobilityNeedsMode"] == BY_CHARGER
    channel, mode = parameters.get("BPTChannel"), parameters.get("GeneratorMode")
    needs = iso15118.MobilityNeedsMode
    pricing = next(kind for kind, value in _PRICING.items() if value == parameters["Pricing"])
    return iso15118.SelectedServiceParameters(
        energy_transfer=iso15118.ServiceCategory(service.name),
        connector=iso15118.Connector(_CONNECTORS[service.name[:2]][parameters["Connector"]]),
        control_mode=iso15118.ControlMode.DynamicControl if dynamic else iso15118.ControlMode.ScheduledControl,
        mobility_needs_mode=needs.EVCC_SECC if by_charger else needs.EVCC,
        pricing=pricing,
        bpt_channel=None if channel is None else list(iso15118.BptChannel)[channel - 1],
        generator_mode=None if mode is None else list(iso15118.GeneratorMode)[mode - 1],
    )
