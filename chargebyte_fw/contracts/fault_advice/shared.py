"""Faults that many modules share: `generic`, `system`, `payment_terminal`, and sub-types of the runtime."""

from __future__ import annotations

from functools import partial

from chargebyte_fw.contracts.fault_advice.advice import Help, Row, row

UNPLUG, WAIT, SERVICE = Help.UNPLUG, Help.WAIT, Help.SERVICE
_TERMINAL = "payment_terminal/"
_WARNING = partial(row, "generic/VendorWarning")

OF_ANY: tuple[Row, ...] = (
    row(
        "",
        "the program that provides this implementation has ended",
        "it is started again by itself; if it does not stay, read its log",
        WAIT,
        SERVICE,
        sub_type="Absent",
    ),
    row(
        "",
        "a part of the configuration or of the stored state could not be used and was set aside",
        "charging goes on without it; run `secc check`, and correct what the message names",
        WAIT,
        SERVICE,
        sub_type="SetAside*",
    ),
    row(
        "",
        "the client of the API module has never reported itself since the start",
        "start the client; it has to publish `communication_check` in time",
        WAIT,
        SERVICE,
        sub_type="Initial communication check",
    ),
    row(
        "",
        "the client of the API module has stopped reporting itself",
        "start the client again; check its connection to the broker",
        WAIT,
        SERVICE,
        sub_type="Bridge to implementation connection lost",
    ),
)
"""Sub-types that the runtime gives to whatever error an implementation has for it."""

ROWS: tuple[Row, ...] = (
    row(
        "generic/CommunicationFault",
        "a module has failed and is started again alone",
        "charging goes on; send the trace if it happens again",
        WAIT,
        SERVICE,
        implementation_id="!module",
    ),
    row(
        "generic/CommunicationFault",
        "V2G communication has no network: the interface is missing or has no IPv6 address",
        "check that the interface of `device` exists and is up; cars that need no V2G charge meanwhile",
        WAIT,
        SERVICE,
        implementation_id="charger",
    ),
    row(
        "generic/CommunicationFault",
        "the module's device does not answer; for EvseSlac the interface of the powerline modem is missing or down",
        "check that the interface or device of the module exists (`secc selftest`), and the modem's power",
        WAIT,
        SERVICE,
    ),
    _WARNING(
        "the powerline modem does not confirm its key: it has no power, or its driver does not run",
        "check the modem with `secc plc info`; cars that need no powerline charge meanwhile",
        WAIT,
        SERVICE,
        sub_type="ModemSilent",
    ),
    _WARNING(
        "the powerline modem refuses its key",
        "restart the modem; check its firmware with `secc plc info`",
        WAIT,
        SERVICE,
        sub_type="KeyRefused",
    ),
    _WARNING(
        "the list of tokens cannot be read; the one that was read before, if any, stays valid",
        "check the file with `secc auth list`, and correct the line in the message",
        SERVICE,
        sub_type="AuthList",
    ),
    _WARNING(
        "the system time is wrong, so certificates cannot be judged",
        "check NTP and the battery of the clock; Plug and Charge and TLS may fail meanwhile",
        WAIT,
        SERVICE,
        sub_type="ClockNotTrusted",
    ),
    _WARNING(
        "the file with the messages and settings of OCPP cannot be written",
        "charging goes on, and messages are kept in memory; check free space and the file system",
        WAIT,
        SERVICE,
        sub_type="unwritable",
    ),
    _WARNING(
        "the file with the messages and settings of OCPP was damaged, and was begun anew",
        "compare the settings with those that the CSMS expects; the damaged file is kept beside it",
        SERVICE,
        sub_type="damaged",
    ),
    _WARNING(
        "a module warns of what the message names",
        "charging goes on; see the message and the log of the module",
        WAIT,
        SERVICE,
    ),
    row(
        "system/CommunicationFault",
        "the program behind the system API does not answer",
        "start it again; updates and resets by OCPP do not work meanwhile",
        WAIT,
        SERVICE,
    ),
    row(f"{_TERMINAL}TerminalIdNotSet", "the payment terminal has no id", "configure its id", SERVICE),
    row(
        f"{_TERMINAL}IncorrectDeviceId",
        "the payment terminal has another id than the configuration",
        "correct the id, or connect the right terminal",
        SERVICE,
    ),
    row(
        f"{_TERMINAL}GenericPaymentTerminalError",
        "the payment terminal reports an error",
        "read its display; restart it",
        WAIT,
        SERVICE,
    ),
    *(
        row(
            f"{namespace}/VendorWarning",
            "a warning of the device's vendor, which sub-type and message name",
            "charging goes on; look the message up in the device's manual",
            WAIT,
            SERVICE,
        )
        for namespace in (
            "ac_rcd",
            "connector_lock",
            "evse_board_support",
            "isolation_monitor",
            "over_voltage_monitor",
            "power_supply_DC",
            "powermeter",
        )
    ),
    *(
        row(
            f"{namespace}/VendorError",
            "an error of the device's vendor, which sub-type and message name",
            "look the message up in the device's manual",
            SERVICE,
        )
        for namespace in (
            "ac_rcd",
            "connector_lock",
            "generic",
            "isolation_monitor",
            "over_voltage_monitor",
            "powermeter",
        )
    ),
)
