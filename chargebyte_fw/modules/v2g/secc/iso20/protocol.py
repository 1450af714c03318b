"""ISO 15118-20 for the engine: a protocol for each name space, which differ in nothing else."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason
from chargebyte_fw.modules.v2g import handshake, timing, v2gtp
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings
from chargebyte_fw.modules.v2g.secc.iso20.energy import Service
from chargebyte_fw.modules.v2g.secc.iso20.parameter_sets import is_ac, offered_services, services_of_modes
from chargebyte_fw.modules.v2g.secc.iso20.session import Iso20Session
from chargebyte_fw.modules.v2g.secc.protocol import Outline, Protocol, Request, SessionContext
from chargebyte_fw.modules.v2g.v2gtp import Frame

_SETS = {
    v2gtp.EXI_DIN_ISO2: "iso20_common",
    v2gtp.EXI_ISO20_MAIN: "iso20_common",
    v2gtp.EXI_ISO20_AC: "iso20_ac",
    v2gtp.EXI_ISO20_DC: "iso20_dc",
    v2gtp.EXI_ISO20_AC_DER_IEC: "iso20_ac_der_iec",
    v2gtp.EXI_ISO20_SCHEDULE_RENEGOTIATION: "iso20_common",
    v2gtp.EXI_ISO20_METERING_CONFIRMATION: "iso20_common",
    v2gtp.EXI_ISO20_PARKING_STATUS: "iso20_common",
}
"""Schema set by payload type. Cars have sent messages of the main stream with the type of ISO 15118-2."""
_SPACES = {
    "urn:iso:std:iso:15118:-20:CommonMessages": ("iso20_common", v2gtp.EXI_ISO20_MAIN),
    "urn:iso:std:iso:15118:-20:AC": ("iso20_ac", v2gtp.EXI_ISO20_AC),
    "urn:iso:std:iso:15118:-20:DC": ("iso20_dc", v2gtp.EXI_ISO20_DC),
    "urn:iso:std:iso:15118:-20:AC-DER-IEC": ("iso20_ac_der_iec", v2gtp.EXI_ISO20_AC_DER_IEC),
}
"""Schema set and payload type of a response in the main stream, by the name space of its message."""
_MODULES = {"iso20_dc": "dc", "iso20_ac": "ac", "iso20_ac_der_iec": "der_iec"}
"""The energy services by the schema set of their messages."""
_SIDE_STREAMS = {
    v2gtp.EXI_ISO20_SCHEDULE_RENEGOTIATION: "schedule",
    v2gtp.EXI_ISO20_METERING_CONFIRMATION: "metering",
    v2gtp.EXI_ISO20_PARKING_STATUS: "parking",
}
_REASONS = {
    FailureReason.ProtocolNegotiationFailed: ("SessionSetupReq",),
    FailureReason.AuthorizationFailed: ("AuthorizationSetupReq", "AuthorizationReq", "CertificateInstallationReq"),
    FailureReason.ChargingParametersNotAccepted: (
        *("ServiceDiscoveryReq", "ServiceDetailReq", "ServiceSelectionReq"),
        *("DC_ChargeParameterDiscoveryReq", "AC_ChargeParameterDiscoveryReq", "ScheduleExchangeReq"),
    ),
    FailureReason.EnergyTransferSetupFailed: ("DC_CableCheckReq", "DC_PreChargeReq", "PowerDeliveryReq"),
    FailureReason.ChargingInterrupted: ("DC_ChargeLoopReq", "AC_ChargeLoopReq", "MeteringConfirmationReq"),
    None: ("DC_WeldingDetectionReq", "SessionStopReq"),
}


class Iso15118D20:
    """ISO 15118-20 as a car names it in one of its name spaces."""

    streams: Mapping[int, str] = {payload_type: _SIDE_STREAMS.get(payload_type, "main") for payload_type in _SETS}
    failure_reasons: Mapping[str, FailureReason | None] = {
        name: reason for reason, names in _REASONS.items() for name in names
    }
    sequence_timeout_s = timing.V2G_SECC_SEQUENCE_TIMEOUT_S
    sequence_timeout_clause = "(ISO 15118-20 tables 216, 217)"

    def __init__(self, app: AppProtocol, services: frozenset[Service] | None = None) -> None:
        self._app = app
        self._services = services
        """The energy services of the name space; None: a name space that was configured."""

    @property
    def app(self) -> AppProtocol:
        """Its entry in supportedAppProtocolReq and EVerest's names for it."""
        return self._app

    def is_offered(self, facts: ChargerFacts, settings: Settings) -> bool:
        """Return whether a car may choose the name space: by configuration, only with an energy service of it."""
        offered = offered_services(facts)
        if not settings.iso20.energy_service_decides or self._services is None:
            return bool(offered)
        return not self._services.isdisjoint(offered)

    def prepare(self) -> None:
        """Import the common messages."""
        codec("iso20_common")

    def load(self, facts: ChargerFacts) -> Sequence[str]:
        """Import the energy services of the name space, with their messages, where the charger has one of them."""
        if self._services is None or self._services.isdisjoint(services_of_modes(facts)):
            return ("iso20_common",)
        importlib.import_module(f"{__package__}.{_MODULES[self._app.schema_set]}")
        return ("iso20_common", self._app.schema_set)

    def decode(self, frame: Frame) -> Request:
        """Return the message in a frame; raises ExiError."""
        message: Any = codec(_SETS[frame.payload_type]).decode(frame.payload)
        return Request(type(message).__name__, message.Header.SessionID, message, message)

    def outline(self, frame: Frame) -> Outline | None:
        """Return name and session id of a request that `decode` refuses; None where they cannot be read."""
        outline = codec(_SETS[frame.payload_type]).outline(frame.payload)
        if outline is None or not outline.root.__name__.endswith("Req"):
            return None
        return Outline(outline.root.__name__, outline.session_id)

    def encode(self, message: Any, stream: str) -> Frame:
        """Return a response as a frame: in the main stream with the payload type of its messages, else the stream's."""
        schema_set, payload_type = _SPACES[type(message).namespace]
        side = next((kind for kind, name in _SIDE_STREAMS.items() if name == stream), payload_type)
        return Frame(side, codec(schema_set).encode(message))

    def new_session(self, context: SessionContext) -> Iso20Session:
        """Return a new session."""
        return Iso20Session(context)


_AC = frozenset(service for service in Service if is_ac(service) and service is not Service.AC_DER_IEC)
_DC = frozenset(service for service in Service if service.name.startswith(("DC", "MCS")))
PROTOCOLS: tuple[Protocol, ...] = (
    Iso15118D20(handshake.ISO15118D20_DC, _DC),
    Iso15118D20(handshake.ISO15118D20_AC, _AC),
    Iso15118D20(handshake.ISO15118D20_AC_DER_IEC, frozenset({Service.AC_DER_IEC})),
)
