"""Faults of the charging logic: `evse_manager`."""

from __future__ import annotations

from chargebyte_fw.contracts.fault_advice.advice import Help, Row, row

_EVSE = "evse_manager/"
UNPLUG, AUTHORIZE, WAIT, SERVICE = Help.UNPLUG, Help.AUTHORIZE, Help.WAIT, Help.SERVICE

ROWS: tuple[Row, ...] = (
    row(
        f"{_EVSE}Inoperative",
        "at least one other fault keeps this EVSE from charging; the message is its name",
        "follow the advice of the fault that the message names; this one ends with the last of them",
        WAIT,
    ),
    row(
        f"{_EVSE}Internal",
        "the power supply is on without an order",
        "take the charger out of use: the supply is not under control; check its fieldbus and its addresses",
        SERVICE,
        sub_type="PowerSupplyOnWithoutOrder",
    ),
    row(f"{_EVSE}Internal", "an error inside the charging logic", "send the trace and the log", SERVICE),
    row(
        f"{_EVSE}MREC4OverCurrentFailure",
        "the car drew more current than the pilot signals, for longer than it may",
        "unplug the car, and charge again; if only one car does so, it is the car's fault",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_EVSE}MREC5OverVoltage",
        "the voltage at the car was above the car's maximum, or the limit of IEC 61851-23",
        "unplug the car; if it happens with another car, check the power supply and its voltage sensor",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_EVSE}MREC9AuthorizationTimeout",
        "a car is plugged in, and was not authorized within `connection_timeout`",
        "unplug and plug in again, then present the card in time",
        UNPLUG,
        AUTHORIZE,
    ),
    row(
        f"{_EVSE}PowermeterTransactionStartFailed",
        "the meter did not begin its signed transaction, so nothing could be billed",
        "unplug the car, and try again; then check the meter and its connection",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_EVSE}MREC22ResistanceFault",
        "a line of the DC output has too much voltage to earth",
        "unplug the car; if it happens with another car, check the output and the insulation monitor",
        UNPLUG,
        SERVICE,
        sub_type="VoltageToEarth",
    ),
    row(
        f"{_EVSE}MREC22ResistanceFault",
        "the insulation resistance of the DC output is too low: car, cable or charger",
        "unplug the car; if it happens with another car, check cable and plug for water, then the output",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_EVSE}MREC11CableCheckFault",
        "the DC contactors did not close for the cable check",
        "check the contactors and their feedback; did the car stay in state C?",
        UNPLUG,
        SERVICE,
        sub_type="Contactors did not close",
    ),
    row(
        f"{_EVSE}MREC11CableCheckFault",
        "the insulation monitor failed its self-test, or did not end it",
        "unplug the car, and try again; then check the insulation monitor",
        UNPLUG,
        SERVICE,
        sub_type="Self test*",
    ),
    row(
        f"{_EVSE}MREC11CableCheckFault",
        "the insulation monitor did not send a measurement",
        "check the insulation monitor and its connection",
        SERVICE,
        sub_type="No insulation measurement",
    ),
    row(
        f"{_EVSE}MREC11CableCheckFault",
        "the insulation resistance was too low in the cable check",
        "unplug the car; if it happens with another car, check cable and plug for water",
        UNPLUG,
        SERVICE,
        sub_type="Resistance",
    ),
    row(
        f"{_EVSE}MREC11CableCheckFault",
        "the voltage at the output did not go below 60 V",
        "check the discharge of the output; do not touch it",
        SERVICE,
        sub_type="Voltage stays*",
    ),
    row(
        f"{_EVSE}MREC11CableCheckFault",
        "the power supply did not reach the voltage of the cable check",
        "unplug the car, and try again; then check the power supply and its limits",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_EVSE}VoltagePlausibilityFault",
        "instruments on one line (supply, meter, insulation monitor) measure different voltages",
        "unplug the car, and try again; then compare the values in the message, and check the odd one",
        UNPLUG,
        SERVICE,
    ),
)
