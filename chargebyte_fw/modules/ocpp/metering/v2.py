"""Meter values as OCPP 2.x writes them (Part 2, 2.31)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.modules.ocpp.messages.v2.types.meter_value import (
    LocationEnumType,
    MeasurandEnumType,
    MeterValueType,
    PhaseEnumType,
    ReadingContextEnumType,
    SampledValueType,
    SignedMeterValueType,
    UnitOfMeasureType,
)
from chargebyte_fw.modules.ocpp.metering.samples import DECIMALS, Sample

ENERGY = "Energy.Active.Import.Register"
_UNITS = {"Hertz": "Hz"}
"""Names that differ from those of 1.6 (Part 2 Appendix 2)."""


def meter_value(
    at: datetime,
    samples: Iterable[Sample],
    context: ReadingContextEnumType,
    *,
    signed: bool = False,
    public_key: bool = True,
    energy: SignedMeterValue | None = None,
) -> MeterValueType | None:
    """Return one MeterValueType of all samples, None without any.

    `signed` adds what the meter signed of each value, `energy` what it signed of the whole reading, to the total of the
    energy register. `public_key` includes the key of the meter.
    """
    values = [_sampled(sample, context, signed, public_key) for sample in samples]
    if energy is not None:
        _attach(values, energy, public_key)
    return MeterValueType(timestamp=at, sampled_value=values) if values else None


def _sampled(sample: Sample, context: ReadingContextEnumType, signed: bool, public_key: bool) -> SampledValueType:
    return SampledValueType(
        value=round(sample.value, DECIMALS),
        context=context,
        measurand=MeasurandEnumType(sample.measurand),
        phase=None if sample.phase is None else PhaseEnumType(sample.phase),
        location=LocationEnumType(sample.location or "Outlet"),
        signed_meter_value=signed_value(sample.signed, public_key) if signed and sample.signed is not None else None,
        unit_of_measure=UnitOfMeasureType(unit=_UNITS.get(sample.unit, sample.unit)),
    )


def _attach(values: list[SampledValueType], energy: SignedMeterValue, public_key: bool) -> None:
    """Put a signed reading into the total of the energy register."""
    for value in values:
        if value.measurand == ENERGY and value.phase is None:
            value.signed_meter_value = signed_value(energy, public_key)


def signed_value(signed: SignedMeterValue, public_key: bool) -> SignedMeterValueType:
    """Return what the meter signed, byte for byte; without its key where the CSMS has it (J01)."""
    return SignedMeterValueType(
        signed_meter_data=signed.signed_meter_data,
        signing_method=signed.signing_method,
        encoding_method=signed.encoding_method,
        public_key=(signed.public_key or "") if public_key else "",
    )
