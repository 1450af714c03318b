"""Faults of the board: `evse_board_support` and `cb_temperatures`."""

from __future__ import annotations

from functools import partial

from chargebyte_fw.contracts.fault_advice.advice import Help, Row, row

_BOARD = "evse_board_support/"
_VENDOR = partial(row, f"{_BOARD}VendorError")
UNPLUG, WAIT, SERVICE = Help.UNPLUG, Help.WAIT, Help.SERVICE

ROWS: tuple[Row, ...] = (
    row(
        f"{_BOARD}DiodeFault",
        "the control pilot has no negative half wave: the car's diode is missing or shorted, or water is in the plug",
        "unplug the car; if another car has the same fault, check plug and cable for water and damage",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_BOARD}MREC14PilotFault",
        "the control pilot is shorted to the protective conductor or to another line",
        "unplug the car; if the fault stays without a car, check cable and plug",
        UNPLUG,
        SERVICE,
        sub_type="CPShortFault",
    ),
    row(
        f"{_BOARD}MREC14PilotFault",
        "the voltage of the control pilot is between the states of IEC 61851-1",
        "unplug the car; if the fault stays, check the contacts of CP and PE for corrosion, then the cable",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_BOARD}MREC23ProximityFault",
        "the plug was pulled while the car was charging",
        "unplug the car completely, and plug it in again; check the lock of the plug if it happens again",
        UNPLUG,
        sub_type="PlugRemoval",
    ),
    row(
        f"{_BOARD}MREC23ProximityFault",
        "the resistor between PP and PE is none of IEC 61851-1: the cable's rating is unknown",
        "plug in again, with another cable if there is one; check the contact PP of the socket",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_BOARD}MREC8EmergencyStop",
        "an emergency input of the board is open: the emergency stop was pressed, or a door contact has opened",
        "release the emergency stop once the cause is gone; a car that stays plugged in has to be unplugged first",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_BOARD}MREC17EVSEContactorFault",
        "a contactor is closed without an order, or did not close on its order",
        "take the charger out of use; check contactor, its coil and its auxiliary contact, and "
        "`contactor_N_feedback_type`; restart after the repair",
        SERVICE,
    ),
    row(
        f"{_BOARD}CommunicationFault",
        "the safety controller does not answer on its UART",
        "wait a minute; then check its power, `serial_port`, and its firmware with `secc mcu info`",
        WAIT,
        SERVICE,
    ),
    row(
        f"{_BOARD}VendorWarning",
        "the safety controller reports an error of one of its parts, which the sub-type names",
        "charging goes on; note the message, and check the parameter block if the sub-type is MW_PARAM",
        WAIT,
        SERVICE,
        sub_type="*_*",
    ),
    _VENDOR(
        "a residual current was seen: insulation of the car, the cable or the charger",
        "unplug the car; if it happens with another car, have the installation measured",
        UNPLUG,
        SERVICE,
        sub_type="RCM tripped",
    ),
    _VENDOR(
        "the residual current monitor has failed its self-test",
        "wait for the next attempt; then check sensor and wiring, and whether the parameter block wants a monitor "
        "that is not there",
        WAIT,
        SERVICE,
        sub_type="RCM self-test failed",
    ),
    _VENDOR(
        "the safety controller has received nothing from the charge controller for too long",
        "it resets by itself; if it happens often, look for load of the processor in the log",
        WAIT,
        SERVICE,
        sub_type="communication timeout",
    ),
    _VENDOR(
        "a temperature sensor is broken or not connected",
        "check the sensor's wiring; a channel without a sensor has to be off in the parameter block",
        SERVICE,
        sub_type="temperature * malfunction",
    ),
    _VENDOR(
        "a temperature sensor is above its limit",
        "let it cool down; then check contacts, ventilation and the limit in the parameter block",
        WAIT,
        SERVICE,
        sub_type="temperature * over-temperature",
    ),
    _VENDOR(
        "the program was stuck, so the link to the safety controller opened the contactors",
        "it goes on by itself as soon as the contactors are open; send the trace if it happens again",
        WAIT,
        SERVICE,
        sub_type="Host stalled",
    ),
    _VENDOR(
        "contactors and their configuration contradict each other",
        "compare `contactor_N_feedback_type` and the switching of phases with the parameter block "
        "(`secc mcu params dump`) and the wiring",
        SERVICE,
        sub_type="Contactor wiring",
    ),
    _VENDOR(
        "a contactor does not follow its order, by its auxiliary contact",
        "check contactor, auxiliary contact and `contactor_N_feedback_type`",
        SERVICE,
        sub_type="high-voltage switch malfunction",
    ),
    _VENDOR(
        "the safety controller has found a fault of the control pilot or the proximity pilot",
        "unplug the car; if the fault stays without a car, check plug, cable and socket",
        UNPLUG,
        SERVICE,
        sub_type="*[Pp]ilot*",
    ),
    _VENDOR(
        "the safety controller is in its safe state, for the reason in the sub-type",
        "it is reset by itself, with growing pauses; if the fault comes again, read `secc mcu monitor`",
        WAIT,
        SERVICE,
    ),
    row(
        f"{_BOARD}VentilationNotAvailable",
        "the car asks for ventilation (state D), which this charger does not have",
        "charge this car at a place with ventilation",
        UNPLUG,
    ),
    row(
        f"{_BOARD}BrownOut",
        "the supply of the board was too low for a moment",
        "wait for the restart; check the 12 V or 24 V supply if it happens again",
        WAIT,
        SERVICE,
    ),
    row(
        f"{_BOARD}EnergyManagement",
        "the board's own energy management has stopped charging",
        "wait until power is available again",
        WAIT,
    ),
    row(f"{_BOARD}PermanentFault", "a fault that a restart does not clear", "replace the board", SERVICE),
    row(
        f"{_BOARD}MREC2GroundFailure",
        "the protective conductor is interrupted, or current flows to earth",
        "unplug the car; have the installation measured if it happens with another car",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_BOARD}MREC3HighTemperature",
        "the board or a contact is hot: the power is reduced",
        "charging goes on; check ventilation and contacts if it happens again",
        WAIT,
        SERVICE,
    ),
    row(
        f"{_BOARD}MREC4OverCurrentFailure",
        "the car drew more current than the charger permits",
        "unplug the car, and charge again; if only one car does so, it is the car's fault",
        UNPLUG,
        SERVICE,
    ),
    row(f"{_BOARD}MREC5OverVoltage", "the grid's voltage is too high", "wait; then have it measured", WAIT, SERVICE),
    row(f"{_BOARD}MREC6UnderVoltage", "the grid's voltage is too low", "wait; then have it measured", WAIT, SERVICE),
    row(
        f"{_BOARD}MREC10InvalidVehicleMode",
        "the car shows a state of the pilot that is not allowed at this time",
        "unplug the car, and plug it in again",
        UNPLUG,
        SERVICE,
    ),
    row(f"{_BOARD}MREC15PowerLoss", "the grid has failed", "wait until it is back; check the fuse", WAIT, SERVICE),
    row(
        f"{_BOARD}MREC18CableOverTempDerate",
        "the charging cable is hot: the power is reduced",
        "charging goes on; check the cable's cooling if it happens again",
        WAIT,
        SERVICE,
    ),
    row(
        f"{_BOARD}MREC19CableOverTempStop",
        "the charging cable is too hot",
        "let it cool down; check contacts and cooling",
        WAIT,
        SERVICE,
    ),
    row(
        f"{_BOARD}MREC20PartialInsertion",
        "the plug is not inserted completely",
        "unplug the car, and push the plug in as far as it goes",
        UNPLUG,
    ),
    row(
        f"{_BOARD}MREC24ConnectorVoltageHigh",
        "voltage is at the connector where there should be none",
        "do not touch the connector; switch the charger off and call service",
        SERVICE,
    ),
    row(
        f"{_BOARD}MREC25BrokenLatch",
        "the latch of the connector is broken",
        "take the connector out of use and replace it",
        SERVICE,
    ),
    row(
        f"{_BOARD}MREC26CutCable",
        "the charging cable is cut",
        "do not touch the cable; switch the charger off and call service",
        SERVICE,
    ),
    row(f"{_BOARD}TiltDetected", "the charger is tilted", "switch it off, and check its base", SERVICE),
    row(f"{_BOARD}WaterIngressDetected", "water is in the charger", "switch it off, dry it, check seals", SERVICE),
    row(f"{_BOARD}EnclosureOpen", "the enclosure is open", "close it; check the contact if it is closed", SERVICE),
    row(
        "cb_temperatures/ChargingAbort",
        "a temperature channel, named by the sub-type, is above its limit",
        "let it cool down; then check contacts, ventilation and the limit in the parameter block",
        WAIT,
        SERVICE,
    ),
    row(
        "cb_temperatures/SelftestFailed",
        "a temperature channel, named by the sub-type, has no plausible value",
        "check sensor and wiring; a channel without a sensor has to be off in the parameter block",
        SERVICE,
    ),
)
