"""Keys that are computed from one value: `DefaultPriceText,<language>` and `MeterPublicKey<number>`."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.modules.ocpp.variables.access import Status
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.standard import legacy

PRICE_TEXT = "DefaultPriceText,"
_METER_KEY = re.compile(r"MeterPublicKey([1-9][0-9]{0,3})")


class PriceText(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The price texts of one language (California Pricing white paper)."""

    price_text: str = msgspec.field(name="priceText")
    price_text_offline: str | None = msgspec.field(name="priceTextOffline", default=None)
    language: str | None = None


class PriceTexts(msgspec.Struct):
    """Value of DefaultPriceText."""

    price_texts: list[PriceText] = msgspec.field(name="priceTexts", default_factory=list)


def meter_public_keys(variables: Variables) -> list[str]:
    """Return the public keys of the meters, in the order of the connectors."""
    return _decoded(variables.get(legacy.METER_PUBLIC_KEYS), list[str], [])  # type: ignore[no-any-return]


def price_texts(variables: Variables) -> PriceTexts:
    """Return the default price texts of all languages."""
    return _decoded(variables.get(legacy.DEFAULT_PRICE_TEXT), PriceTexts, PriceTexts())  # type: ignore[no-any-return]


def _decoded(text: str, kind: Any, empty: Any) -> Any:
    try:
        return decode_json(text, kind) if text else empty
    except msgspec.DecodeError:
        return empty


def names(variables: Variables) -> list[str]:
    """Return the virtual keys that have a value."""
    meters = [f"MeterPublicKey{number}" for number in range(1, len(meter_public_keys(variables)) + 1)]
    languages = [one.language for one in price_texts(variables).price_texts if one.language]
    return [*(PRICE_TEXT + language for language in languages), *meters]


def read(variables: Variables, name: str) -> tuple[str | None, bool] | None:
    """Return value and whether it is read only of a virtual key, None for any other name."""
    if (found := _METER_KEY.fullmatch(name)) is not None:
        keys = meter_public_keys(variables)
        number = int(found[1])
        return (keys[number - 1], True) if number <= len(keys) else None
    if name.startswith(PRICE_TEXT):
        language = name.removeprefix(PRICE_TEXT)
        for one in price_texts(variables).price_texts:
            if one.language == language:
                texts = PriceText(price_text=one.price_text, price_text_offline=one.price_text_offline)
                return msgspec.json.encode(texts).decode(), False
        # As EVerest has it: a language without a text is an empty value.
        return "", language not in variables.get(legacy.SUPPORTED_LANGUAGES)
    return None


def write(variables: Variables, name: str, text: str, source: str) -> Status | None:
    """Set a virtual key; returns the status, None for any other name."""
    if _METER_KEY.fullmatch(name) is not None:
        return Status.REJECTED if read(variables, name) is not None else None
    if not name.startswith(PRICE_TEXT):
        return None
    language = name.removeprefix(PRICE_TEXT)
    if language not in variables.get(legacy.SUPPORTED_LANGUAGES):
        return Status.REJECTED
    try:
        texts = decode_json(text, PriceText)
    except msgspec.DecodeError:
        return Status.REJECTED
    texts.language = language
    kept = [one for one in price_texts(variables).price_texts if one.language != language]
    all_texts = msgspec.json.encode(PriceTexts([*kept, texts])).decode()
    variables.set(legacy.DEFAULT_PRICE_TEXT, all_texts, source)
    return Status.ACCEPTED
