"""Kinds of DER control (OCPP 2.1 part 2, block R)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum


class DERControlEnumType(StrEnum):
    EnterService = "EnterService"
    FreqDroop = "FreqDroop"
    FreqWatt = "FreqWatt"
    FixedPFAbsorb = "FixedPFAbsorb"
    FixedPFInject = "FixedPFInject"
    FixedVar = "FixedVar"
    Gradients = "Gradients"
    HFMustTrip = "HFMustTrip"
    HFMayTrip = "HFMayTrip"
    HVMustTrip = "HVMustTrip"
    HVMomCess = "HVMomCess"
    HVMayTrip = "HVMayTrip"
    LimitMaxDischarge = "LimitMaxDischarge"
    LFMustTrip = "LFMustTrip"
    LVMustTrip = "LVMustTrip"
    LVMomCess = "LVMomCess"
    LVMayTrip = "LVMayTrip"
    PowerMonitoringMustTrip = "PowerMonitoringMustTrip"
    VoltVar = "VoltVar"
    VoltWatt = "VoltWatt"
    WattPF = "WattPF"
    WattVar = "WattVar"
