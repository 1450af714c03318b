"""Codes of CALLERROR and CALLRESULTERROR, spelled as each version spells them (OCPP-J 1.6 table 7; 2.x part 4, 4.3)."""

from __future__ import annotations

from enum import StrEnum

from chargebyte_fw.kernel.decoding import shorten
from chargebyte_fw.modules.ocpp.version import Version

DESCRIPTION_LIMIT = 255
"""Characters of errorDescription (2.x part 4; 1.6 has the same)."""


class RpcError(StrEnum):
    """Why a CALL is refused. Values are the spelling of 2.1."""

    FORMAT_VIOLATION = "FormatViolation"
    GENERIC_ERROR = "GenericError"
    INTERNAL_ERROR = "InternalError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurrenceConstraintViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    PROTOCOL_ERROR = "ProtocolError"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
    SECURITY_ERROR = "SecurityError"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"


_OCCURENCE = {RpcError.OCCURRENCE_CONSTRAINT_VIOLATION: "OccurenceConstraintViolation"}
_SPELLED = {
    Version.V16: {
        # OCPP-J 1.6 table 7 and its errata 5.2: the misspelt names are those of the protocol.
        **_OCCURENCE,
        RpcError.FORMAT_VIOLATION: "FormationViolation",
        # 1.6 has no code of its own for a frame that is none.
        RpcError.RPC_FRAMEWORK_ERROR: "GenericError",
        RpcError.MESSAGE_TYPE_NOT_SUPPORTED: "GenericError",
    },
    Version.V201: _OCCURENCE,
    Version.V21: {},
}


def spelled(error: str, version: Version) -> str:
    """Return an error code as this version has it on the wire; a code that is none of RpcError as it is."""
    try:
        code = RpcError(error)
    except ValueError:
        return error
    return _SPELLED[version].get(code, code.value)


def description(text: str) -> str:
    """Return a text as errorDescription can carry it: in one line, and not too long."""
    line = shorten(text, DESCRIPTION_LIMIT)
    return line if len(line) <= DESCRIPTION_LIMIT else line[: DESCRIPTION_LIMIT - 3] + "..."
