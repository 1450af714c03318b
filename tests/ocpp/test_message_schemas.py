"""The declarations against the official JSON schemas: member by member, and by random messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.messages import declared
from chargebyte_fw.modules.ocpp.messages.declared import INTEGER_HIGH, INTEGER_LOW, describe
from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.messages.model import Message, Request
from chargebyte_fw.modules.ocpp.messages.schema import catalogue, decode_request, decode_response, encode
from chargebyte_fw.modules.ocpp.rpc.errors import spelled
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.instances import as_text, broken_payloads, instance, valid_payload
from tests.ocpp.schemas import complaint, message_types, schema_names, schema_of

ALL = [(version, kind) for version in Version for kind in message_types(version)]

# Where the declarations are not what the schemas of PyPI's `ocpp` are, and why.
METER_VALUE = "[].sampledValue[].unit values: "
DEVIATIONS = {
    f"ocpp1.6 MeterValuesRequest.meterValue{METER_VALUE}['Celcius', 'Hertz'] in the schema, [] declared": (
        "`UnitOfMeasure` of the standard has Celsius, the other one is a spelling error of the schema; a frequency has "
        "no unit (OCPP 1.6, note at `Measurand`)."
    ),
    f"ocpp1.6 StopTransactionRequest.transactionData{METER_VALUE}['Celcius'] in the schema, [] declared": (
        "As above; this schema has no Hertz."
    ),
    "ocpp1.6 StopTransactionRequest.transactionData[].sampledValue minItems: None in the schema, 1 declared": (
        "`MeterValue` has one sampled value at least (OCPP 1.6), as the schema of MeterValues has it."
    ),
    **{
        f"{version} TransactionEventRequest.offline default: False in the schema, None declared": (
            "False is sent as well: EVerest's tests stand for CSMSs that read it."
        )
        for version in ("ocpp2.0.1", "ocpp2.1")
    },
}


def differences(node: declared.Node, schema: Any, definitions: Any, path: str) -> Iterator[str]:
    """What a declaration has in another way than the schema."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type")
    facts: dict[str, Any] = {}
    match node:
        case declared.Object():
            yield from _members(node, schema, definitions, path)
            facts = {"type": "object", "additionalProperties": False}
        case declared.VendorData():
            yield from _same(path, kind, "object")
            yield from _same(path, set(schema["properties"]), {"vendorId"})
            yield from _same(path, schema["properties"]["vendorId"]["maxLength"], declared.VENDOR_ID_LONGEST)
            return
        case declared.Array(item=item, low=low, high=high):
            facts = {"type": "array", "minItems": low or None, "maxItems": high}
            yield from differences(item, schema["items"], definitions, f"{path}[]")
        case declared.String(longest=longest, uri=uri):
            facts = {"type": "string", "maxLength": longest, "format": "uri" if uri else None}
        case declared.Enumeration(values=values):
            facts = {"type": "string"}
            yield from _same(f"{path} values", set(schema.get("enum", ())), set(values))
        case declared.Date():
            facts = {"type": "string", "format": "date-time"}
        case declared.Integer(low=low, high=high):
            bounds = (None if low == INTEGER_LOW else low, None if high == INTEGER_HIGH else high)
            facts = {"type": "integer", "minimum": bounds[0], "maximum": bounds[1]}
        case declared.Number(low=low, high=high, tenths=tenths):
            facts = {"type": "number", "minimum": low, "maximum": high, "multipleOf": 0.1 if tenths else None}
        case declared.Boolean():
            facts = {"type": "boolean"}
    for name in ("type", "maxLength", "minItems", "maxItems", "minimum", "maximum", "format", "multipleOf", "pattern"):
        theirs = schema.get(name)
        yield from _same(
            f"{path} {name}", float(theirs) if name == "multipleOf" and theirs else theirs, facts.get(name)
        )
    if isinstance(node, declared.Object):
        yield from _same(f"{path} additionalProperties", schema.get("additionalProperties"), False)
    strange = set(schema) & {"anyOf", "oneOf", "allOf", "minLength", "const", "not", "patternProperties"}
    yield from _same(f"{path} keywords", strange, set())


def _members(node: declared.Object, schema: Any, definitions: Any, path: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    members = {member.name: member for member in node.members}
    yield from _same(f"{path} members", set(properties), set(members))
    yield from _same(f"{path} required", set(schema.get("required", ())), {m.name for m in node.members if m.required})
    for name in properties.keys() & members.keys():
        default = properties[name].get("default")
        if isinstance(default, bool):
            yield from _same(f"{path}.{name} default", default, members[name].default)
        yield from differences(members[name].node, properties[name], definitions, f"{path}.{name}")


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _same(path: str, theirs: Any, ours: Any) -> Iterator[str]:
    if theirs != ours:
        if isinstance(theirs, set):
            theirs, ours = sorted(theirs - ours), sorted(ours - theirs)
        yield f"{path}: {theirs} in the schema, {ours} declared"


@pytest.mark.parametrize("version", Version)
def test_every_schema_has_its_message(version: Version) -> None:
    names = {kind.__name__ for kind in message_types(version)}
    if version is Version.V16:
        names = {name.removesuffix("Request") for name in names}
    assert names == schema_names(version)


@pytest.mark.parametrize("version", Version)
def test_the_declarations_are_what_the_schemas_are(version: Version) -> None:
    found: list[str] = []
    for kind in message_types(version):
        schema = schema_of(kind, version)
        found += differences(
            describe(kind, version), schema, schema.get("definitions", {}), f"{version} {kind.__name__}"
        )
    assert sorted(found) == sorted(line for line in DEVIATIONS if line.startswith(version))


def decode(version: Version, kind: type[Message], payload: Any) -> Message:
    reader = decode_request if issubclass(kind, Request) else decode_response
    return reader(version, kind.action_name, payload)


@pytest.mark.parametrize("version", Version)
def test_what_is_sent_is_valid_and_comes_back_as_it_was(version: Version) -> None:
    for seed, kind in enumerate(message_types(version)):
        for share in (0.0, 0.5, 1.0):
            message = instance(kind, version, Random(seed), share)
            text = encode(version, message)
            assert complaint(kind, version, text) == "", text
            again = decode(version, kind, text)
            assert encode(version, again) == text and not again.unknown


@pytest.mark.parametrize("version", Version)
def test_what_breaks_a_schema_has_its_place_and_its_code(version: Version) -> None:
    known: set[type] = set()
    for seed, kind in enumerate(message_types(version)):
        for broken in broken_payloads(kind, version, Random(seed), known):
            with pytest.raises(MessageError) as caught:
                decode(version, kind, broken.payload)
            error = caught.value
            assert error.code == spelled(broken.violation.value, version), (kind, broken)
            assert error.details == {"path": (broken.path or "payload")[-120:]}, (kind, broken)


def test_some_messages_are_broken_as_text_too() -> None:
    for version, kind in ALL[::20]:
        for broken in broken_payloads(kind, version, Random(5)):
            with pytest.raises(MessageError):
                decode(version, kind, as_text(broken.payload))


def test_what_2_1_adds_never_reaches_2_0_1() -> None:
    for seed, kind in enumerate(message_types(Version.V201)):
        later = valid_payload(kind, Version.V21, Random(seed), 1.0)
        try:
            message = decode(Version.V201, kind, later)
        except MessageError:
            continue
        text = encode(Version.V201, message)
        assert complaint(kind, Version.V201, text) == ""
        known = _names(json.loads(text))
        assert known <= _names(later)


def _names(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {f"{path}.{name}" for name in value}.union(*(_names(v, f"{path}.{k}") for k, v in value.items()))
    if isinstance(value, list):
        return set().union(*(_names(item, path) for item in value))
    return set()


def test_actions_that_go_both_ways() -> None:
    for version in Version:
        actions = catalogue(version)
        assert actions.actions_from_csms & actions.actions_from_station == {"DataTransfer"}
