"""What EVerest's module API shows of a charger: the topics `everest_api/...`, of this product and of C++ EVerest."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.types.evse_manager import EVInfo, Limits
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.kernel.decoding import decode_json

API = "everest_api"
LIMIT = 100
"""EVSEs that are kept."""


class EnableSource(msgspec.Struct):
    """Who enabled or disabled the EVSE last."""

    source: str = ""
    state: str = ""
    priority: int = 0


class SessionInfo(msgspec.Struct):
    """`session_info`."""

    state: str = "Unknown"
    permanent_fault: bool = False
    charged_energy_wh: float = 0.0
    discharged_energy_wh: float = 0.0
    latest_total_w: float = 0.0
    charging_duration_s: float = 0.0
    datetime: str = ""
    active_enable_disable_source: EnableSource | None = None


class ApiEvse(msgspec.Struct):
    """One EVSE."""

    session: SessionInfo | None = None
    meter: Powermeter | None = None
    limits: Limits | None = None
    ev: EVInfo | None = None
    protocol: str = ""


class ApiView:
    """Keeps the last of each topic."""

    def __init__(self) -> None:
        self._evses: dict[str, ApiEvse] = {}
        self.errors: list[Any] | None = None
        """EVerest's error objects; None until the list has come."""
        self.error_lists = 0
        """How many lists of errors have come."""
        self.csms = ""
        """`connected`, `disconnected` or `unknown`."""
        self.connectors: list[str] | None = None

    @property
    def evses(self) -> dict[str, ApiEvse]:
        """The EVSEs. Others publish under the same names: only those that the API lists are EVSEs."""
        return {name: self._evses[name] for name in self.connectors or () if name in self._evses}

    @property
    def complete(self) -> bool:
        """Whether everything that is published once a second has come."""
        evses = self._evses
        known = (one in evses and evses[one].session is not None for one in self.connectors or ())
        return self.connectors is not None and self.errors is not None and all(known)

    def take(self, topic: str, payload: bytes) -> None:
        """Take one message; `topic` without its first level."""
        if topic == "ocpp/var/connection_status":
            # EVerest publishes plain text here, and for the protocol.
            self.csms = payload[:40].decode("utf-8", "replace").strip('"')
        elif topic == "connectors":
            self.connectors = _read(payload, list[str])
        elif topic == "errors/var/active_errors":
            if (errors := _read(payload, list[dict[str, Any]])) is not None:
                self.errors = errors
                self.error_lists += 1
        else:
            self._of_evse(topic, payload)

    def _of_evse(self, topic: str, payload: bytes) -> None:
        evse_id, _, name = topic.partition("/var/")
        if "/" in evse_id or (evse_id not in self._evses and len(self._evses) >= LIMIT):
            return
        evse = self._evses.setdefault(evse_id, ApiEvse())
        match name:
            case "session_info":
                evse.session = _read(payload, SessionInfo) or evse.session
            case "powermeter":
                evse.meter = _read(payload, Powermeter) or evse.meter
            case "limits":
                evse.limits = _read(payload, Limits) or evse.limits
            case "ev_info":
                evse.ev = _read(payload, EVInfo) or evse.ev
            case "selected_protocol":
                evse.protocol = payload[:80].decode("utf-8", "replace").strip('"')


def _read(payload: bytes, kind: Any) -> Any:
    try:
        return decode_json(payload, kind)
    except msgspec.MsgspecError:
        return None
