"""Authorization of OCPP 2.x: tokens (C01 to C15), the cache (C10, C11), the local list (D01, D02)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    IdTokenType,
    ProvidedIdToken,
    ValidationResult,
    ValidationResultUpdate,
)
from chargebyte_fw.contracts.types.evse_manager import EVInfo, SessionEventEnum
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.authorization.block import AuthorizationBlock
from chargebyte_fw.modules.ocpp.authorization.cache import key_of
from chargebyte_fw.modules.ocpp.authorization.contracts_v2 import Contracts2
from chargebyte_fw.modules.ocpp.authorization.conversion_v2 import (
    LONGEST_21,
    LONGEST_201,
    known_of,
    result_of,
    to_wire,
)
from chargebyte_fw.modules.ocpp.authorization.known import Known
from chargebyte_fw.modules.ocpp.authorization.local_list import Change
from chargebyte_fw.modules.ocpp.messages.v2.authorization import (
    AuthorizeRequest,
    AuthorizeResponse,
    ClearCacheRequest,
    ClearCacheResponse,
    ClearCacheStatusEnumType,
    GetLocalListVersionRequest,
    GetLocalListVersionResponse,
    SendLocalListRequest,
    SendLocalListResponse,
    SendLocalListStatusEnumType,
    UpdateEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenType as WireToken
from chargebyte_fw.modules.ocpp.smart_charging.energy_transfer_v2 import ONE_WAY
from chargebyte_fw.modules.ocpp.station import (
    CallFailure,
    Deferred,
    Station,
    answers,
    events,
    receives,
    serves,
)
from chargebyte_fw.modules.ocpp.variables.standard.authorization import (
    AUTH_CACHE_DISABLE_POST_AUTHORIZE,
    AUTH_CACHE_ENABLED,
    AUTH_CACHE_LIFE_TIME,
    AUTH_CACHE_STORAGE,
    AUTH_ENABLED,
    DISABLE_REMOTE_AUTHORIZATION,
    LOCAL_AUTH_LIST_DISABLE_POST_AUTHORIZE,
    LOCAL_AUTH_LIST_ENABLED,
    LOCAL_AUTH_LIST_ENTRIES,
    LOCAL_AUTHORIZE_OFFLINE,
    LOCAL_PRE_AUTHORIZE,
    OFFLINE_TX_FOR_UNKNOWN_ID_ENABLED,
)
from chargebyte_fw.modules.ocpp.variables.standard.cost import TARIFF_ENABLED
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import V2X_AVAILABLE, V2X_ENABLED
from chargebyte_fw.modules.ocpp.version import Version

ACCEPTED = Known(AuthorizationStatus.Accepted)
UNCACHED = frozenset({IdTokenType.Central.value, IdTokenType.NoAuthorization.value})
"""Kinds of tokens that are of no driver ([C02.FR.03], [C03.FR.02])."""


class Authorization2(AuthorizationBlock):
    """Validates tokens, and keeps what the CSMS answered about them."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._contracts = Contracts2(
            station,
            station.send,
            lambda token: self.known_locally(token.id_token.value, token.id_token.type.value),
            lambda token, known: self._keep(token.id_token.value, token.id_token.type.value, known),
        )
        self._evcc_ids: dict[int, str] = {}
        self.kept_evses: Callable[[], frozenset[int]] = frozenset
        """EVSEs at which no token of a driver begins anything now (C25)."""
        self.closed_evses: Callable[[ProvidedIdToken], frozenset[int]] = lambda token: frozenset()
        """EVSEs whose transaction another token has begun and ended the authorization of ([C01.FR.23])."""
        station.variables.provide(AUTH_CACHE_STORAGE, lambda: self.cache.size_B)
        station.variables.provide(LOCAL_AUTH_LIST_ENTRIES, lambda: len(self.local_list))

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Keep the EVCCID of the car at an EVSE, which goes along with its token (2.1)."""
        if isinstance(event.value, EVInfo) and event.evse_id and event.value.evcc_id:
            self._evcc_ids[event.evse_id] = event.value.evcc_id

    # Tokens.

    @serves(AuthTokenValidator.validate_token)
    def validate(self, token: ProvidedIdToken) -> ValidationResult | Deferred:
        """Return what is known of a token, or ask the CSMS."""
        result = self._validate(token)
        return self._completed(token, result) if isinstance(result, ValidationResult) else result

    def _completed(self, token: ProvidedIdToken, result: ValidationResult) -> ValidationResult:
        """Let a car only charge until the CSMS allows more, where V2X is for it to allow (Q01.FR.08, Q02)."""
        result = self._without_kept(token, result)
        accepted = result.authorization_status is AuthorizationStatus.Accepted
        if accepted and result.allowed_energy_transfer_modes is None and self._v2x_is_controlled():
            return msgspec.structs.replace(result, allowed_energy_transfer_modes=[*ONE_WAY])
        return result

    def _v2x_is_controlled(self) -> bool:
        get, evse_ids = self.station.variables.get, self.station.layout.evse_ids
        if self.station.version is not Version.V21:
            return False
        return any(get(V2X_AVAILABLE.at(one)) and get(V2X_ENABLED.at(one)) for one in evse_ids)

    def _without_kept(self, token: ProvidedIdToken, result: ValidationResult) -> ValidationResult:
        """Leave out the EVSEs that are kept for another driver; what the CSMS begins is not concerned."""
        kept = self.kept_evses() | self.closed_evses(token)
        if not kept or token.authorization_type is AuthorizationType.OCPP:
            return result
        left = [one for one in result.evse_ids or self.station.layout.evse_ids if one not in kept]
        if left:
            return msgspec.structs.replace(result, evse_ids=left)
        return result_of(Known(AuthorizationStatus.NotAtThisTime))

    def _validate(self, token: ProvidedIdToken) -> ValidationResult | Deferred:
        kind = token.id_token.type
        get = self.station.variables.get
        if kind in (IdTokenType.Central, IdTokenType.NoAuthorization) or not get(AUTH_ENABLED):
            return result_of(ACCEPTED)
        longest = LONGEST_21 if self.station.version is Version.V21 else LONGEST_201
        if not 0 < len(token.id_token.value) <= longest:
            return result_of(Known(AuthorizationStatus.Invalid))
        if kind is IdTokenType.eMAID and token.authorization_type is AuthorizationType.PlugAndCharge:
            deferred = self.station.defer()
            self._contracts.validate(token, self.online, partial(self._answer, deferred, token))
            return deferred
        known = self.known_locally(token.id_token.value, kind.value)
        if known is not None:
            return result_of(known)
        if not self.online or get(DISABLE_REMOTE_AUTHORIZATION):
            return result_of(self._unknown_offline())
        deferred = self.station.defer()
        evcc_id = self._evcc_id(token)
        self.station.send(
            AuthorizeRequest(id_token=to_wire(token.id_token, evcc_id)), partial(self._authorized, deferred, token)
        )
        return deferred

    def _evcc_id(self, token: ProvidedIdToken) -> str | None:
        if not token.connectors or len(token.connectors) != 1:
            return None
        return self.evcc_id_at(token.connectors[0])

    def evcc_id_at(self, evse_id: int) -> str | None:
        """Return the EVCCID that goes along with the tokens of an EVSE: in 2.1, where the car has one."""
        return self._evcc_ids.get(evse_id) if self.station.version is Version.V21 else None

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """Forget the car that has left."""
        if event.event.event is SessionEventEnum.SessionFinished:
            self._evcc_ids.pop(event.evse_id, None)

    def known_locally(self, token: str, kind: str) -> Known | None:
        """Return an entry that decides about the token without the CSMS being asked; None: it is to be asked."""
        get = self.station.variables.get
        if not get(LOCAL_PRE_AUTHORIZE if self.online else LOCAL_AUTHORIZE_OFFLINE):
            return None
        if get(LOCAL_AUTH_LIST_ENABLED):
            entry = self.local_list.find(token, kind)
            if entry is not None and not (self.online or entry.holds(self.station.utc)):
                # [C13.FR.06]: what the list had is not unknown.
                return msgspec.structs.replace(entry, status=AuthorizationStatus.Expired)
            if entry is not None:
                final = entry.accepted or get(LOCAL_AUTH_LIST_DISABLE_POST_AUTHORIZE) or not self.online
                return entry if final and entry.holds(self.station.utc) else None
        if get(AUTH_CACHE_ENABLED):
            entry = self.cache.find(key_of(token, kind), self.station.utc)
            if entry is not None and (entry.accepted or get(AUTH_CACHE_DISABLE_POST_AUTHORIZE) or not self.online):
                # C15: what the CSMS did not know is unknown here, too.
                unknown = not self.online and entry.status is AuthorizationStatus.Unknown
                return None if unknown and get(OFFLINE_TX_FOR_UNKNOWN_ID_ENABLED) else entry
        return None

    def _unknown_offline(self) -> Known:
        unknown = self.station.variables.get(OFFLINE_TX_FOR_UNKNOWN_ID_ENABLED)
        return Known(AuthorizationStatus.Accepted if unknown else AuthorizationStatus.Unknown)

    def _authorized(self, deferred: Deferred, token: ProvidedIdToken, answer: AuthorizeResponse | CallFailure) -> None:
        if isinstance(answer, CallFailure):
            offline = answer.code == "Offline"
            known = self._unknown_offline() if offline else Known(AuthorizationStatus.Invalid)
            self._answer(deferred, token, result_of(known))
            return
        known = known_of(answer.id_token_info)
        self._keep(token.id_token.value, token.id_token.type.value, known)
        self._answer(deferred, token, result_of(known, allowed=answer.allowed_energy_transfer))

    def _answer(self, deferred: Deferred, token: ProvidedIdToken, result: ValidationResult) -> None:
        self.station.answer(deferred, self._completed(token, result))

    def learn(self, token: WireToken, info: IdTokenInfoType, evse_id: int | None = None) -> Known:
        """Keep what the CSMS answered about the token of a transaction (C10).

        With an EVSE, the stack gets what has changed since the token was validated, such as its group.
        """
        known = known_of(info)
        self._keep(token.id_token, token.type, known)
        if evse_id is not None and known.accepted:
            update = ValidationResultUpdate(validation_result=result_of(known), connector_id=evse_id)
            self.station.publish(publish(AuthTokenValidator.validate_result_update, update))
        return known

    def _keep(self, token: str, kind: str, known: Known) -> None:
        get = self.station.variables.get
        if kind in UNCACHED or not get(AUTH_CACHE_ENABLED) or self.local_list.find(token, kind) is not None:
            return
        if known.message and get(TARIFF_ENABLED):
            # [C10.FR.09]: a price
            known = msgspec.structs.replace(known, message="", message_format="", message_language="")
        lifetime_s = self.station.variables.find(AUTH_CACHE_LIFE_TIME)
        self.cache.put(key_of(token, kind), known, self.station.utc, lifetime_s=lifetime_s)
        longest_B = self.station.variables.maximum(AUTH_CACHE_STORAGE)
        if longest_B is not None:
            self.cache.bound(size_B=int(longest_B))

    # Requests of the CSMS.

    @answers(ClearCacheRequest)
    def clear_cache(self, request: ClearCacheRequest) -> ClearCacheResponse:
        """Empty the cache; a station that does not use it refuses (C11)."""
        if not self.station.variables.get(AUTH_CACHE_ENABLED):
            return ClearCacheResponse(status=ClearCacheStatusEnumType.Rejected)
        self.cache.clear()
        return ClearCacheResponse(status=ClearCacheStatusEnumType.Accepted)

    @answers(GetLocalListVersionRequest)
    def get_local_list_version(self, request: GetLocalListVersionRequest) -> GetLocalListVersionResponse:
        """Return the version; 0 where there is no list or it is not in use (D02)."""
        enabled = self.station.variables.get(LOCAL_AUTH_LIST_ENABLED)
        return GetLocalListVersionResponse(version_number=self.local_list.version if enabled else 0)

    @answers(SendLocalListRequest)
    def send_local_list(self, request: SendLocalListRequest) -> SendLocalListResponse:
        """Take a list or changes to it."""
        return SendLocalListResponse(status=self._take_list(request))

    def _take_list(self, request: SendLocalListRequest) -> SendLocalListStatusEnumType:
        statuses = SendLocalListStatusEnumType
        entries = request.local_authorization_list or []
        changes: list[Change] = [
            (
                key_of(entry.id_token.id_token, entry.id_token.type),
                None if entry.id_token_info is None else known_of(entry.id_token_info),
            )
            for entry in entries
        ]
        duplicates = len({key for key, _ in changes}) < len(changes)
        enabled = self.station.variables.get(LOCAL_AUTH_LIST_ENABLED)
        if not enabled or request.version_number <= 0 or duplicates or self._too_long(request, changes):
            return statuses.Failed
        if request.update_type is UpdateEnumType.Full:
            if any(known is None for _, known in changes):
                return statuses.Failed
            self.local_list.replace(changes, request.version_number)
        elif request.version_number <= self.local_list.version:
            return statuses.VersionMismatch
        else:
            self.local_list.change(changes, request.version_number)
        return statuses.Accepted

    def _too_long(self, request: SendLocalListRequest, changes: list[Change]) -> bool:
        longest = self.station.variables.maximum(LOCAL_AUTH_LIST_ENTRIES)
        if longest is None:
            return False
        kept = 0 if request.update_type is UpdateEnumType.Full else len(self.local_list)
        added = sum(known is not None and key not in self.local_list for key, known in changes)
        return kept + added > longest
