"""Modes of energy transfer and operation (OCPP 2.x part 2, blocks K and Q)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, Values


class EnergyTransferModeEnumType(Values):
    DC = "DC"
    AC_single_phase = "AC_single_phase"
    AC_two_phase = "AC_two_phase"
    AC_three_phase = "AC_three_phase"
    AC_BPT = "AC_BPT", SINCE_21
    AC_BPT_DER = "AC_BPT_DER", SINCE_21
    AC_DER = "AC_DER", SINCE_21
    DC_BPT = "DC_BPT", SINCE_21
    DC_ACDP = "DC_ACDP", SINCE_21
    DC_ACDP_BPT = "DC_ACDP_BPT", SINCE_21
    WPT = "WPT", SINCE_21


class OperationModeEnumType(StrEnum):
    Idle = "Idle"
    ChargingOnly = "ChargingOnly"
    CentralSetpoint = "CentralSetpoint"
    ExternalSetpoint = "ExternalSetpoint"
    ExternalLimits = "ExternalLimits"
    CentralFrequency = "CentralFrequency"
    LocalFrequency = "LocalFrequency"
    LocalLoadBalancing = "LocalLoadBalancing"
