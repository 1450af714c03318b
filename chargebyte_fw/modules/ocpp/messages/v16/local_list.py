"""Profile LocalAuthListManagement of OCPP 1.6."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Request, Response, Text, Type
from chargebyte_fw.modules.ocpp.messages.v16.types import IdTagInfo


class GetLocalListVersionRequest(Request, kw_only=True):
    pass


class GetLocalListVersionResponse(Response, kw_only=True):
    list_version: int = field(name="listVersion")


class UpdateType(StrEnum):
    Differential = "Differential"
    Full = "Full"


class AuthorizationData(Type, kw_only=True):
    id_tag: Annotated[str, Text(20, folded=True)] = field(name="idTag")
    id_tag_info: IdTagInfo | None = field(name="idTagInfo", default=None)


class SendLocalListRequest(Request, kw_only=True):
    list_version: int = field(name="listVersion")
    update_type: UpdateType = field(name="updateType")
    local_authorization_list: list[AuthorizationData] | None = field(name="localAuthorizationList", default=None)


class UpdateStatus(StrEnum):
    Accepted = "Accepted"
    Failed = "Failed"
    NotSupported = "NotSupported"
    VersionMismatch = "VersionMismatch"


class SendLocalListResponse(Response, kw_only=True):
    status: UpdateStatus
