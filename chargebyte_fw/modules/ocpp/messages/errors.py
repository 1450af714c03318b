"""What a payload can be refused for, with the error code that each version has for it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from chargebyte_fw.modules.ocpp.rpc.errors import RpcError, spelled
from chargebyte_fw.modules.ocpp.rpc.errors import description as description_of
from chargebyte_fw.modules.ocpp.version import Version


class Violation(Enum):
    """What is wrong with a payload; the value is the error code.

    A value that no enumeration has, a wrong type and a missing member are one code: OCPP-J 1.6 table 7 has others for
    some of them, but stations and back ends in the field agree on this one, and B06.FR.17 uses it in 2.x.
    """

    FORMAT = RpcError.FORMAT_VIOLATION
    """A member is missing, has another type, a text that is too long, no value of its enumeration, or no date."""
    RANGE = RpcError.PROPERTY_CONSTRAINT_VIOLATION
    """A number is below or above its bounds."""
    ITEMS = RpcError.OCCURRENCE_CONSTRAINT_VIOLATION
    """A list has too few or too many items."""
    ACTION = RpcError.NOT_IMPLEMENTED
    """The version has no such action."""


class MessageError(Exception):
    """A payload is not what its schema asks for, as the members of a CALLERROR.

    `code` is spelled as the version has it, `description` is at most 255 characters, `details` is a small JSON object:
    `path` is the place (`chargingProfile.chargingSchedule[0].duration`) where the error has one.
    """

    def __init__(
        self, version: Version, violation: Violation, description: str, details: Mapping[str, Any] | None = None
    ) -> None:
        self.violation = violation
        self.code = spelled(violation.value, version)
        self.description = description_of(description)
        self.details = dict(details or {})
        super().__init__(f"{self.code}: {self.description}")


class NotEncodable(ValueError):
    """A message of ours has a value that the version does not allow; the text names the attribute."""
