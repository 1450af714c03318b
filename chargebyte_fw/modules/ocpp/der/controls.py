"""The installed DER controls: which supersedes which, and which holds at a time (R04). Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.messages.v2.der_control import SetDERControlRequest
from chargebyte_fw.modules.ocpp.messages.v2.types.der import DERControlEnumType

MAX_CONTROLS = 1000
MAX_SUPERSEDED = 24
"""Items of `supersededIds`."""
FIELDS = (
    "curve",
    "enter_service",
    "fixed_pf_absorb",
    "fixed_pf_inject",
    "fixed_var",
    "freq_droop",
    "gradient",
    "limit_max_discharge",
)


class Control(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One installed control; kept over a restart."""

    request: SetDERControlRequest
    received_at: datetime
    superseded: bool = False
    supersedes_at_start: list[str] = []
    """Controls that this one supersedes when it starts: one of them holds until then."""
    reported_start: bool = False
    """The CSMS has NotifyDERStartStop of its start."""

    @property
    def id(self) -> str:
        """The controlId."""
        return self.request.control_id

    @property
    def kind(self) -> DERControlEnumType:
        """The controlType."""
        return self.request.control_type

    @property
    def content(self) -> Any:
        """The one member that has the control itself."""
        return next(found for name in FIELDS if (found := getattr(self.request, name)) is not None)

    @property
    def priority(self) -> int:
        """0 is the highest."""
        priority: int = self.content.priority
        return priority

    @property
    def starts_at(self) -> datetime | None:
        """Begin of a scheduled control; one without a time holds from its receipt."""
        start: datetime | None = getattr(self.content, "start_time", None)
        return start

    @property
    def ends_at(self) -> datetime | None:
        """End of a scheduled control, None for one without an end."""
        duration_s = getattr(self.content, "duration_s", None)
        if duration_s is None:
            return None
        return (self.starts_at or self.received_at) + timedelta(seconds=duration_s)

    def holds(self, utc: datetime) -> bool:
        """Return whether a time is within its schedule."""
        started = self.starts_at is None or self.starts_at <= utc
        return started and (self.ends_at is None or utc < self.ends_at)

    def over(self, utc: datetime) -> bool:
        """Return whether its schedule is over."""
        return self.ends_at is not None and self.ends_at <= utc


class Controls:
    """All installed controls by id."""

    def __init__(self) -> None:
        self.by_id: dict[str, Control] = {}

    def rivals(self, control: Control) -> list[Control]:
        """Return the controls of the same type, both default or both scheduled, that are not superseded."""
        return [
            one
            for one in self.by_id.values()
            if one.kind is control.kind
            and one.request.is_default == control.request.is_default
            and not one.superseded
            and one.id.lower() != control.id.lower()
        ]

    def install(self, control: Control, utc: datetime) -> list[str]:
        """Install a control; returns the ids that it supersedes now, its own where it is superseded itself.

        The lower number has priority. A control that holds is superseded only when the new one starts.
        """
        self.by_id.pop(control.id.lower(), None)
        rivals = self.rivals(control)
        self.by_id[control.id.lower()] = control
        if any(one.priority < control.priority for one in rivals):
            control.superseded = True
            return [control.id]
        superseded = []
        later = control.starts_at is not None and control.starts_at > utc
        for one in rivals:
            if one.priority == control.priority:
                continue
            if later and one.holds(utc):
                control.supersedes_at_start.append(one.id)
            else:
                one.superseded = True
                superseded.append(one.id)
        return superseded[:MAX_SUPERSEDED]

    def start(self, control: Control) -> list[str]:
        """A scheduled control starts: supersede what it had to wait for; returns their ids."""
        control.reported_start = True
        ids, control.supersedes_at_start = control.supersedes_at_start, []
        found = [self.by_id[one.lower()] for one in ids if one.lower() in self.by_id]
        for one in found:
            one.superseded = True
        return [one.id for one in found]

    def active(self, utc: datetime) -> list[Control]:
        """Return what holds: of each type the scheduled control that holds, otherwise the default one."""
        best: dict[DERControlEnumType, Control] = {}
        for control in self.by_id.values():
            if control.superseded or not control.holds(utc):
                continue
            other = best.get(control.kind)
            if other is None or _rank(control) < _rank(other):
                best[control.kind] = control
        return list(best.values())

    def select(self, control_id: str | None, kind: DERControlEnumType | None, is_default: bool | None) -> list[Control]:
        """Return the controls that a request of the CSMS names."""
        if control_id is not None:
            found = self.by_id.get(control_id.lower())
            return [] if found is None else [found]
        return [
            one
            for one in self.by_id.values()
            if kind in (None, one.kind) and is_default in (None, one.request.is_default)
        ]


def _rank(control: Control) -> tuple[bool, int, datetime]:
    """Scheduled before default, then by priority; of equals the one that was there first goes on."""
    return control.request.is_default, control.priority, control.received_at
