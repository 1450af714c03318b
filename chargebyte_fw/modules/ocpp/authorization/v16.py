"""Authorization of OCPP 1.6: Authorize (§4.1), the cache (§3.4, §5.4) and the local list (§3.5, §5.10, §5.15)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
    ValidationResult,
    ValidationResultUpdate,
)
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.authorization.block import AuthorizationBlock
from chargebyte_fw.modules.ocpp.authorization.cache import key_of
from chargebyte_fw.modules.ocpp.authorization.known import Known
from chargebyte_fw.modules.ocpp.authorization.local_list import Change
from chargebyte_fw.modules.ocpp.messages.v16.core import (
    AuthorizeRequest,
    AuthorizeResponse,
    ClearCacheRequest,
    ClearCacheResponse,
    ClearCacheStatus,
)
from chargebyte_fw.modules.ocpp.messages.v16.local_list import (
    GetLocalListVersionRequest,
    GetLocalListVersionResponse,
    SendLocalListRequest,
    SendLocalListResponse,
    UpdateStatus,
    UpdateType,
)
from chargebyte_fw.modules.ocpp.messages.v16.types import IdTagInfo
from chargebyte_fw.modules.ocpp.station import CallFailure, Deferred, Station, answers, serves
from chargebyte_fw.modules.ocpp.variables.standard.authorization import (
    AUTH_CACHE_ENABLED,
    LOCAL_AUTH_LIST_ENABLED,
    LOCAL_AUTHORIZE_OFFLINE,
    LOCAL_PRE_AUTHORIZE,
    OFFLINE_TX_FOR_UNKNOWN_ID_ENABLED,
)
from chargebyte_fw.modules.ocpp.variables.standard.legacy import SUPPORTED_FEATURE_PROFILES

ID_TAG_LENGTH = 20
"""Length of IdToken (§7.28). A longer token cannot be asked about."""
Answer = Callable[[ValidationResult], None]
NO_LIST_SUPPORT = -1
"""`listVersion` where the station has no local list (§5.10)."""


def known_of(info: IdTagInfo) -> Known:
    """Return an answer of the CSMS in the form of the cache."""
    return Known(AuthorizationStatus(info.status.value), info.expiry_date, info.parent_id_tag)


def result_of(known: Known) -> ValidationResult:
    """Return what the stack gets."""
    parent = None if known.parent is None else IdToken(value=known.parent, type=IdTokenType.Central)
    expiry = None if known.expires_at is None else rfc3339(known.expires_at)
    return ValidationResult(
        authorization_status=known.status, tariff_messages=[], expiry_time=expiry, parent_id_token=parent
    )


class Authorization16(AuthorizationBlock):
    """Validates tokens, and keeps what the CSMS answered about them."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.contracts: Callable[[ProvidedIdToken, Answer], None] | None = None
        """Decides about contracts of Plug and Charge; None: they are tokens like any other."""
        self.accepted: Callable[[str, ValidationResult, Answer], None] = lambda id_tag, result, answer: answer(result)
        """Passes on that the CSMS has accepted a token, perhaps later."""

    # Tokens.

    @serves(AuthTokenValidator.validate_token)
    def validate(self, token: ProvidedIdToken) -> ValidationResult | Deferred:
        """Return what is known of a token, or ask the CSMS."""
        id_tag = token.id_token.value
        if not 0 < len(id_tag) <= ID_TAG_LENGTH:
            return result_of(Known(AuthorizationStatus.Invalid))
        if self.contracts is not None and token.authorization_type is AuthorizationType.PlugAndCharge:
            deferred = self.station.defer()
            self.contracts(token, partial(self.station.answer, deferred))
            return deferred
        known = self.known_locally(id_tag)
        if known is not None:
            return result_of(known)
        if not self.online:
            return result_of(self._unknown_offline())
        deferred = self.station.defer()
        self.station.send(AuthorizeRequest(id_tag=id_tag), partial(self._authorized, deferred, id_tag))
        return deferred

    def known_locally(self, id_tag: str) -> Known | None:
        """Return an entry by which the token may charge without the CSMS being asked; None: it is to be asked."""
        get = self.station.variables.get
        if not get(LOCAL_PRE_AUTHORIZE if self.online else LOCAL_AUTHORIZE_OFFLINE):
            return None
        if get(LOCAL_AUTH_LIST_ENABLED):
            entry = self.local_list.find(id_tag)
            if entry is not None:
                # An entry that does not let the token charge is asked about again while that is possible (§3.5.3).
                good = entry.accepted and entry.holds(self.station.utc)
                return entry if good else None
        if get(AUTH_CACHE_ENABLED):
            entry = self.cache.find(key_of(id_tag), self.station.utc)
            if entry is not None and entry.accepted:
                return entry
        return None

    def _unknown_offline(self) -> Known:
        unknown = self.station.variables.get(OFFLINE_TX_FOR_UNKNOWN_ID_ENABLED)
        return Known(AuthorizationStatus.Accepted if unknown else AuthorizationStatus.Invalid)

    def _authorized(self, deferred: Deferred, id_tag: str, response: AuthorizeResponse | CallFailure) -> None:
        if isinstance(response, CallFailure):
            offline = response.code == "Offline"
            known = self._unknown_offline() if offline else Known(AuthorizationStatus.Invalid)
        else:
            known = self.learn(id_tag, response.id_tag_info)
        answer = partial(self.station.answer, deferred)
        if known.accepted and not isinstance(response, CallFailure):
            self.accepted(id_tag, result_of(known), answer)
        else:
            answer(result_of(known))

    def learn(self, id_tag: str, info: IdTagInfo, connector: int | None = None) -> Known:
        """Keep an answer of the CSMS; with a connector, the stack gets what has changed since the token was validated.

        What the local list has is not kept a second time (§3.4.1).
        """
        known = known_of(info)
        self.keep(id_tag, known)
        if connector is not None:
            update = ValidationResultUpdate(validation_result=result_of(known), connector_id=connector)
            self.station.publish(publish(AuthTokenValidator.validate_result_update, update))
        return known

    def keep(self, id_tag: str, known: Known) -> None:
        """Keep in the cache what the CSMS answered about a token."""
        if self.station.variables.get(AUTH_CACHE_ENABLED) and self.local_list.find(id_tag) is None:
            self.cache.put(key_of(id_tag), known, self.station.utc)

    # Requests of the CSMS.

    @answers(ClearCacheRequest)
    def clear_cache(self, request: ClearCacheRequest) -> ClearCacheResponse:
        """Empty the cache; a station that does not use it refuses."""
        if not self.station.variables.get(AUTH_CACHE_ENABLED):
            return ClearCacheResponse(status=ClearCacheStatus.Rejected)
        self.cache.clear()
        return ClearCacheResponse(status=ClearCacheStatus.Accepted)

    @property
    def _has_list(self) -> bool:
        profiles = self.station.variables.get(SUPPORTED_FEATURE_PROFILES)
        return "LocalAuthListManagement" in profiles and self.station.variables.get(LOCAL_AUTH_LIST_ENABLED)

    @answers(GetLocalListVersionRequest)
    def get_local_list_version(self, request: GetLocalListVersionRequest) -> GetLocalListVersionResponse:
        """Return the version: 0 for an empty list, -1 where lists are not in use (§5.10)."""
        if not self._has_list:
            return GetLocalListVersionResponse(list_version=NO_LIST_SUPPORT)
        return GetLocalListVersionResponse(list_version=self.local_list.version if len(self.local_list) else 0)

    @answers(SendLocalListRequest)
    def send_local_list(self, request: SendLocalListRequest) -> SendLocalListResponse:
        """Take a list or changes to it; NotSupported is a status of the answer (§5.15)."""
        return SendLocalListResponse(status=self._take_list(request))

    def _take_list(self, request: SendLocalListRequest) -> UpdateStatus:
        if not self._has_list:
            return UpdateStatus.NotSupported
        entries = request.local_authorization_list or []
        changes: list[Change] = [
            (key_of(entry.id_tag), None if entry.id_tag_info is None else known_of(entry.id_tag_info))
            for entry in entries
        ]
        if len({key for key, _ in changes}) < len(changes):
            return UpdateStatus.Failed
        if request.update_type is UpdateType.Full:
            if request.list_version < 0 or any(known is None for _, known in changes):
                return UpdateStatus.Failed
            self.local_list.replace(changes, request.list_version)
        elif request.list_version <= self.local_list.version:
            return UpdateStatus.VersionMismatch
        else:
            self.local_list.change(changes, request.list_version)
        return UpdateStatus.Accepted
