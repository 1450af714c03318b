"""ISO 15118-20 for the car's machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chargebyte_fw.modules.v2g import handshake, timing, v2gtp
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings
from chargebyte_fw.modules.v2g.evcc.iso20.services import name_space, wishes
from chargebyte_fw.modules.v2g.evcc.iso20.session import Iso20CarSession
from chargebyte_fw.modules.v2g.evcc.protocol import Protocol, Response, Timers
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.v2gtp import Frame

_SETS = {
    v2gtp.EXI_ISO20_MAIN: "iso20_common",
    v2gtp.EXI_ISO20_AC: "iso20_ac",
    v2gtp.EXI_ISO20_DC: "iso20_dc",
    v2gtp.EXI_ISO20_AC_DER_IEC: "iso20_ac_der_iec",
    v2gtp.EXI_ISO20_SCHEDULE_RENEGOTIATION: "iso20_common",
    v2gtp.EXI_ISO20_METERING_CONFIRMATION: "iso20_common",
    v2gtp.EXI_ISO20_PARKING_STATUS: "iso20_common",
}
"""The schema set of each payload type (table 12)."""
_ENERGY = {
    handshake.ISO15118D20_AC.namespace: v2gtp.EXI_ISO20_AC,
    handshake.ISO15118D20_DC.namespace: v2gtp.EXI_ISO20_DC,
    handshake.ISO15118D20_AC_DER_IEC.namespace: v2gtp.EXI_ISO20_AC_DER_IEC,
}
"""Payload type by the name space of a message of an energy service; all others are common messages."""
_STREAMS = {
    "schedule": v2gtp.EXI_ISO20_SCHEDULE_RENEGOTIATION,
    "metering": v2gtp.EXI_ISO20_METERING_CONFIRMATION,
    "parking": v2gtp.EXI_ISO20_PARKING_STATUS,
}


class Iso15118D20:
    """ISO 15118-20: every energy service that a cable carries."""

    name = "ISO15118D20"
    streams = dict.fromkeys(_SETS, "main") | {number: name for name, number in _STREAMS.items()}

    def apps(self, settings: CarSettings) -> Sequence[AppProtocol]:
        """Return the name spaces of the services that the car takes, that of a paused session first."""
        paused = settings.paused
        resumed = [] if paused is None or not paused.service_id else [paused.service_id]
        return tuple(dict.fromkeys(name_space(one) for one in (*resumed, *wishes(settings))))

    def decode(self, frame: Frame) -> Response:
        """Return the response in a frame; raises ExiError."""
        message: Any = codec(_SETS[frame.payload_type]).decode(frame.payload)
        return Response(type(message).__name__, message.Header.SessionID, message, message.Header.Signature)

    def encode(self, message: Any, stream: str) -> Frame:
        """Return a request as a frame with its payload type; raises EncodeError."""
        payload_type = _ENERGY.get(type(message).namespace, v2gtp.EXI_ISO20_MAIN)
        payload_type = _STREAMS.get(stream, payload_type)
        return Frame(payload_type, codec(_SETS[payload_type]).encode(message))

    def message_timeout_s(self, request: str) -> float:
        """Return how long the car waits for the response to `request` (table 215)."""
        if request.endswith("_ChargeLoopReq"):
            return timing.V2G20_EVCC_LOOP_TIMEOUT_S
        if request in ("ServiceDetailReq", "CertificateInstallationReq"):
            return 5.0
        return timing.V2G_EVCC_MSG_TIMEOUT_S

    def new_session(self, app: AppProtocol, settings: CarSettings, facts: CarFacts, timers: Timers) -> Iso20CarSession:
        """Return a new session in the name space that the charger chose."""
        return Iso20CarSession(app, settings, facts, timers)


PROTOCOL: Protocol = Iso15118D20()
