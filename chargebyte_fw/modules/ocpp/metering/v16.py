"""Meter values as OCPP 1.6 writes them (§7.31, §7.43)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.modules.ocpp.messages.v16.core import (
    Location,
    Measurand,
    MeterValue,
    Phase,
    ReadingContext,
    SampledValue,
    UnitOfMeasure,
    ValueFormat,
)
from chargebyte_fw.modules.ocpp.metering.samples import Sample

_UNITS = {unit.value: unit for unit in UnitOfMeasure}


def meter_value(at: datetime, samples: Iterable[Sample], context: ReadingContext) -> MeterValue | None:
    """Return one MeterValue of all samples, None without any. `Other` is what a cost is computed from."""
    values = [
        SampledValue(
            value=sample.money_text if context is ReadingContext.Other else sample.text,
            context=context,
            format=ValueFormat.Raw,
            measurand=Measurand(sample.measurand),
            phase=None if sample.phase is None else Phase(sample.phase),
            location=Location(sample.location or "Outlet"),
            # Hertz is no UnitOfMeasure of 1.6: a frequency has no unit there.
            unit=_UNITS.get(sample.unit),
        )
        for sample in samples
    ]
    return MeterValue(timestamp=at, sampled_value=values) if values else None


def signed_meter_value(at: datetime, signed: SignedMeterValue, context: ReadingContext) -> MeterValue:
    """Return what the meter signed, byte for byte, as SignedData."""
    value = SampledValue(
        value=signed.signed_meter_data,
        context=context,
        format=ValueFormat.SignedData,
        measurand=Measurand.Energy_Active_Import_Register,
        location=Location.Outlet,
    )
    return MeterValue(timestamp=at, sampled_value=[value])
