"""The state of one connector as OCPP 1.6 sees it: ChargePointStatus and its transitions (OCPP 1.6 §4.9). Pure."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargebyte_fw.modules.ocpp.errors import ErrorInfo


class Status(StrEnum):
    """ChargePointStatus, without Faulted, which is laid over it."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"


_S = Status
_NEXT: dict[Status, frozenset[Status]] = {
    _S.AVAILABLE: frozenset(
        {_S.PREPARING, _S.CHARGING, _S.SUSPENDED_EV, _S.SUSPENDED_EVSE, _S.RESERVED, _S.UNAVAILABLE}
    ),
    _S.PREPARING: frozenset({_S.AVAILABLE, _S.CHARGING, _S.SUSPENDED_EV, _S.SUSPENDED_EVSE, _S.FINISHING}),
    _S.CHARGING: frozenset({_S.AVAILABLE, _S.SUSPENDED_EV, _S.SUSPENDED_EVSE, _S.FINISHING, _S.UNAVAILABLE}),
    _S.SUSPENDED_EV: frozenset({_S.AVAILABLE, _S.CHARGING, _S.SUSPENDED_EVSE, _S.FINISHING, _S.UNAVAILABLE}),
    _S.SUSPENDED_EVSE: frozenset({_S.AVAILABLE, _S.CHARGING, _S.SUSPENDED_EV, _S.FINISHING, _S.UNAVAILABLE}),
    _S.FINISHING: frozenset({_S.AVAILABLE, _S.PREPARING, _S.UNAVAILABLE}),
    _S.RESERVED: frozenset({_S.AVAILABLE, _S.PREPARING, _S.UNAVAILABLE}),
    _S.UNAVAILABLE: frozenset({_S.AVAILABLE, _S.PREPARING, _S.CHARGING, _S.SUSPENDED_EV, _S.SUSPENDED_EVSE}),
}


class Notification(msgspec.Struct, frozen=True):
    """A state to be reported."""

    status: str
    error_code: str = "NoError"
    info: str = ""
    vendor_id: str = ""
    vendor_error_code: str = ""


class ConnectorStates:
    """State, faults and latest error of one connector. Each method returns what is to be reported, or None.

    Faulted is an overlay: the state below it goes on, and is reported when the last fault has ended.
    """

    def __init__(self, initial: Status = Status.AVAILABLE) -> None:
        self.status = initial
        self.info = ""
        """Why the EVSE suspends."""
        self._errors: dict[str, ErrorInfo] = {}

    @property
    def faulted(self) -> bool:
        """Whether a fault is active."""
        return any(error.is_fault for error in self._errors.values())

    @property
    def present(self) -> Notification:
        """The state as it is reported now: with the latest error, if one is active."""
        status = "Faulted" if self.faulted else self.status.value
        latest = next(reversed(self._errors.values()), None)
        if latest is None:
            return Notification(status, info=self.info)
        return Notification(
            status, latest.error_code, latest.info or self.info, latest.vendor_id, latest.vendor_error_code
        )

    def to(self, status: Status, info: str = "", *, report_info: bool = False) -> Notification | None:
        """Go to a state; a transition that the table does not have is ignored.

        `report_info`: SuspendedEVSE is reported again when only its reason has changed.
        """
        if status is self.status:
            changed = info != self.info and status is Status.SUSPENDED_EVSE
            self.info = info if changed else self.info
            return self.present if changed and report_info and not self.faulted else None
        if status not in _NEXT[self.status]:
            return None
        self.status, self.info = status, info
        return None if self.faulted else self.present

    def raise_error(self, error: ErrorInfo) -> Notification:
        """An error began; returns its report."""
        self._errors.pop(error.key, None)
        self._errors[error.key] = error
        return self.present

    def clear_error(self, key: str, *, report: bool) -> Notification | None:
        """An error ended. The end of the last fault is reported always, of another error if `report` is set."""
        was_faulted = self.faulted
        ended = self._errors.pop(key, None)
        if ended is None:
            return None
        if was_faulted and not self.faulted:
            return self.present
        if not report:
            return None
        return self.present if self._errors else Notification(self.present.status, info=ended.info)
