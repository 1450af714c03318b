"""States of chargebyte's boards beyond EVerest's `evse_board_support`. Type file `cb_board_support`."""

from __future__ import annotations

from enum import StrEnum


class CPState(StrEnum):
    """State of the control pilot (IEC 61851-1)."""

    PowerOn = "PowerOn"
    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    PilotFault = "PilotFault"


class IDState(StrEnum):
    """State of the ID line of an MCS connector."""

    PowerOn = "PowerOn"
    NotConnected = "NotConnected"
    Connected = "Connected"
    Invalid = "Invalid"


class CEState(StrEnum):
    """State of the CE line of an MCS connector."""

    PowerOn = "PowerOn"
    A = "A"
    B0 = "B0"
    B = "B"
    C = "C"
    E = "E"
    EC = "EC"
    Invalid = "Invalid"


class ContactorState(StrEnum):
    """State of a contactor as its feedback shows it."""

    Unknown = "Unknown"
    Open = "Open"
    Closed = "Closed"


class ContactorFeedbackType(StrEnum):
    """Kind of the feedback contact: none, normally closed, normally open."""

    none = "none"
    nc = "nc"
    no = "no"
