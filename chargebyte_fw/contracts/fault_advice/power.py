"""Faults of power supplies, insulation and over-voltage monitors, and meters."""

from __future__ import annotations

from chargebyte_fw.contracts.fault_advice.advice import Help, Row, row

_SUPPLY = "power_supply_DC/"
_IMD, _OVM = "isolation_monitor/", "over_voltage_monitor/"
UNPLUG, WAIT, SERVICE = Help.UNPLUG, Help.WAIT, Help.SERVICE

ROWS: tuple[Row, ...] = (
    row(
        f"{_SUPPLY}CommunicationFault",
        "the power modules do not answer on their fieldbus",
        "wait for their start; then check their power, the CAN wiring, its termination, and the configured device",
        WAIT,
        SERVICE,
    ),
    row(f"{_SUPPLY}HardwareFault", "the power supply reports a fault of its own", "replace the module", SERVICE),
    row(
        f"{_SUPPLY}OverTemperature",
        "a power module is too hot",
        "let it cool down; check fans and filters",
        WAIT,
        SERVICE,
    ),
    row(f"{_SUPPLY}UnderTemperature", "a power module is too cold", "wait until it is warm", WAIT, SERVICE),
    row(f"{_SUPPLY}UnderVoltageAC", "the grid's voltage is too low", "check fuses and phases", WAIT, SERVICE),
    row(f"{_SUPPLY}OverVoltageAC", "the grid's voltage is too high", "have the grid measured", WAIT, SERVICE),
    row(f"{_SUPPLY}UnderVoltageDC", "the output's voltage is too low", "check output and module", UNPLUG, SERVICE),
    row(
        f"{_SUPPLY}OverVoltageDC",
        "the output's voltage is too high",
        "unplug the car; check the module if it happens with another car",
        UNPLUG,
        SERVICE,
    ),
    row(f"{_SUPPLY}OverCurrentAC", "the module draws too much current", "check phases and module", WAIT, SERVICE),
    row(
        f"{_SUPPLY}OverCurrentDC",
        "too much current at the output",
        "unplug the car; check output and module if it happens with another car",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_SUPPLY}VendorError",
        "the output is short-circuited",
        "unplug the car; if the fault stays, switch off and check cable and output",
        UNPLUG,
        SERVICE,
        sub_type="Output Short Circuit",
    ),
    row(
        f"{_SUPPLY}VendorError",
        "the output does not discharge",
        "do not touch the output; check the discharge of the module",
        SERVICE,
        sub_type="Discharge Abnormal",
    ),
    row(
        f"{_SUPPLY}VendorError",
        "a fan of a power module is blocked or broken",
        "clean or replace the fan",
        SERVICE,
        sub_type="Fan Fault Alarm",
    ),
    row(
        f"{_SUPPLY}VendorError",
        "two power modules have the same address",
        "give each module an address of its own (`secc selftest` lists what answers)",
        SERVICE,
        sub_type="Address Conflict",
    ),
    row(
        f"{_SUPPLY}VendorError",
        "a power module reports a fault or refuses a command, which sub-type and message name",
        "unplug the car, and try again; then read the module's own display or log",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_IMD}CommunicationFault",
        "the insulation monitor does not answer",
        "check its power and its connection",
        WAIT,
        SERVICE,
    ),
    row(
        f"{_IMD}DeviceFault",
        "the insulation monitor reports a fault of its own",
        "check its connection to the output and to earth; then replace it",
        SERVICE,
    ),
    row(
        f"{_OVM}MREC5OverVoltage",
        "the voltage at the car was above the limit of IEC 61851-23",
        "unplug the car; if it happens with another car, check the power supply and its voltage sensor",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_OVM}CommunicationFault",
        "the over-voltage monitor does not answer",
        "check its power and its connection",
        WAIT,
        SERVICE,
    ),
    row(f"{_OVM}DeviceFault", "the over-voltage monitor reports a fault of its own", "replace it", SERVICE),
    row(
        "powermeter/CommunicationFault",
        "the meter does not answer, or answers what cannot be read",
        "check its power, the wiring of the serial line, the device id, the baud rate and the parity",
        WAIT,
        SERVICE,
    ),
)
