"""Tokens and answers between EVerest's types, those of OCPP 2.x and `Known`."""

from __future__ import annotations

from collections.abc import Iterable

from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    CertificateStatus,
    CustomIdToken,
    IdToken,
    IdTokenType,
    ValidationResult,
)
from chargebyte_fw.contracts.types.text_message import MessageContent, MessageFormat
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.ocpp.authorization.known import Known
from chargebyte_fw.modules.ocpp.messages.v2.types import id_token as wire
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import EnergyTransferModeEnumType
from chargebyte_fw.modules.ocpp.smart_charging.energy_transfer_v2 import modes_of
from chargebyte_fw.modules.ocpp.station.named import named

LONGEST_201, LONGEST_21 = 36, 255
"""Length of an identifier in 2.0.1 and in 2.1."""


def to_wire(token: IdToken, evcc_id: str | None = None) -> wire.IdTokenType:
    """Return a token of the stack. `evcc_id` goes along as additional information (2.1 alone)."""
    kind = token.type.value
    additional = [
        wire.AdditionalInfoType(additional_id_token=one.value, type=one.type) for one in token.additional_info or []
    ]
    if evcc_id:
        additional.append(wire.AdditionalInfoType(additional_id_token=evcc_id, type="EVCCID"))
    return wire.IdTokenType(id_token=token.value, type=kind, additional_info=additional or None)


def from_wire(token: wire.IdTokenType) -> IdToken:
    """Return a token of the CSMS; a type that EVerest does not have is Central."""
    known = {kind.value: kind for kind in IdTokenType}
    extra = [
        CustomIdToken(value=one.additional_id_token[:LONGEST_201], type=one.type) for one in token.additional_info or []
    ]
    kind = known.get(token.type, IdTokenType.Central)
    return IdToken(value=token.id_token[:LONGEST_201], type=kind, additional_info=extra or None)


def known_of(info: wire.IdTokenInfoType) -> Known:
    """Return an answer of the CSMS in the form of the cache."""
    group, message = info.group_id_token, info.personal_message
    return Known(
        status=named(AuthorizationStatus, info.status, AuthorizationStatus.Unknown),
        expires_at=info.cache_expiry_date_time,
        parent=None if group is None else group.id_token,
        parent_type="" if group is None else group.type,
        evse_ids=tuple(info.evse_id or ()),
        language=info.language1 or "",
        language2=info.language2 or "",
        priority=info.charging_priority or 0,
        message="" if message is None else message.content,
        message_format="" if message is None else message.format.value,
        message_language="" if message is None else message.language or "",
    )


def result_of(
    known: Known,
    certificate: CertificateStatus | None = None,
    allowed: Iterable[EnergyTransferModeEnumType] | None = None,
) -> ValidationResult:
    """Return what the stack gets; `allowed`: the services that the car may use, None where that was not stated."""
    kinds = {kind.value: kind for kind in IdTokenType}
    parent = None
    if known.parent:
        parent = IdToken(value=known.parent[:LONGEST_201], type=kinds.get(known.parent_type, IdTokenType.Central))
    messages = []
    if known.message:
        forms = {form.value: form for form in MessageFormat}
        form = forms.get(known.message_format, MessageFormat.UTF8)
        language = known.message_language or None
        messages.append(MessageContent(content=known.message, format=form, language=language))
    return ValidationResult(
        authorization_status=known.status,
        certificate_status=certificate,
        tariff_messages=messages,
        expiry_time=None if known.expires_at is None else rfc3339(known.expires_at),
        parent_id_token=parent,
        evse_ids=list(known.evse_ids) or None,
        allowed_energy_transfer_modes=None if allowed is None else modes_of(allowed),
    )
