"""Each payload of the interfaces works, and the documents describe it: recorded from the modules on a virtual clock."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest

from tests.docs.interfaces import documents
from tests.docs.interfaces.documents import bridges
from tests.docs.reference import classes

DOCUMENTS = documents.documents()
ASYNC = [name for name in DOCUMENTS if name.endswith(".asyncapi.json")]


def references(value: Any) -> list[str]:
    """Every reference in a document."""
    if isinstance(value, list):
        return [one for each in value for one in references(each)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [one for key, each in value.items() if key != "$ref" for one in references(each)]


def at(document: Any, reference: str) -> Any:
    """What a reference leads to."""
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


def test_all_of_everests_api_modules_are_there() -> None:
    assert len(bridges()) == 21
    for cls, topics in bridges().values():
        assert len({one.name for one in topics}) == len(topics)
        assert any(one.name == "m2e/communication_check" for one in topics)
        # Each command of what it provides goes to the client.
        commands = {name for one in cls.provisions.values() for name in one.implementation.declaration().commands}
        assert len([one for one in topics if one.about.startswith("command")]) == len(commands)


def schema_of(document: Any, key: str) -> Any:
    """The schema of a channel's message, its reference followed."""
    (message,) = document["channels"][key]["messages"].values()
    schema = message["payload"]
    return at(document, schema["$ref"]) if "$ref" in schema else schema


def test_what_is_declared_is_not_taken_from_an_example() -> None:
    """Types of orders, of replies and of what an API makes itself: required fields and enumerations are known."""
    document = DOCUMENTS["power_supply_DC_API.asyncapi.json"]
    assert schema_of(document, "e2m_mode")["required"] == ["mode", "charging_phase"]
    assert schema_of(document, "e2m_heartbeat") == {"type": "integer"}
    document = DOCUMENTS["ocpp_consumer_API.asyncapi.json"]
    assert schema_of(document, "m2e_change_availability_reply")["required"] == ["status"]
    assert schema_of(document, "m2e_get_variables_reply")["required"] == ["items"]
    last = schema_of(document, "m2e_connection_status_get_reply")
    assert {"type": "null"} in last["anyOf"], "there may be no last value yet"
    request = schema_of(document, "m2e_change_availability")
    assert request["required"] == ["payload"], "without headers it is carried out, without a reply"
    info = schema_of(DOCUMENTS["evse_manager_consumer_API.asyncapi.json"], "e2m_session_info")
    assert "state" in info["required"] and "session_end_time" not in info["required"]


def test_discovery_has_a_document_of_its_own() -> None:
    channels = DOCUMENTS["entrypoint_API.asyncapi.json"]["channels"].values()
    assert [one["address"] for one in channels if one["address"]] == [
        "everest_api/discover",
        "everest_api/query-modules/{api_type}",
        "everest_api/ready_beacon",
    ]


WITHOUT_TOPICS = {"Example", "ManagerLifecycleSimulator", "OCPPExtensionExample", "PyEvJosev"}
"""EVerest's examples, what ends for tests of a manager, and one that has none."""


def test_every_module_with_topics_is_on_the_page() -> None:
    page = documents.page("")
    for name, cls in classes().items():
        if cls.enable_external_mqtt and name not in WITHOUT_TOPICS:
            assert re.search(rf"(?m)^##+ (.*\b)?{name}\b", page), name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_reference_of_a_document_leads_somewhere(name: str) -> None:
    for one in references(DOCUMENTS[name]):
        assert at(DOCUMENTS[name], one) is not None


@pytest.mark.parametrize("name", ASYNC)
def test_an_asyncapi_document_has_the_form_of_version_3(name: str) -> None:
    """The rules of the specification for what is used here."""
    document = DOCUMENTS[name]
    assert document["asyncapi"] == "3.0.0" and document["info"].keys() >= {"title", "version"}
    for key, channel in document["channels"].items():
        assert re.fullmatch(r"[\w.-]+", key)
        found = re.findall(r"\{(\w+)\}", channel["address"] or "")
        assert sorted(channel.get("parameters", {})) == sorted(set(found))
        assert channel["address"] is None or not re.search(r"[+#]", channel["address"])
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        for message in operation["messages"]:
            assert message["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")
    used = {one["channel"]["$ref"] for one in document["operations"].values()}
    used |= {one["reply"]["channel"]["$ref"] for one in document["operations"].values() if "reply" in one}
    assert used == {f"#/channels/{key}" for key in document["channels"]}
    assert all(re.fullmatch(r"[\w.-]+", key) for key in document["components"]["schemas"])


@pytest.mark.parametrize("name", ASYNC)
def test_each_example_is_valid_by_its_schema(name: str) -> None:
    document = DOCUMENTS[name]
    for channel in document["channels"].values():
        for message in channel["messages"].values():
            schema = {**message["payload"], "components": document["components"]}
            jsonschema.Draft202012Validator.check_schema(schema)
            for example in message.get("examples", ()):
                jsonschema.Draft202012Validator(schema).validate(example["payload"])


def test_the_openrpc_document_has_its_form_and_valid_examples() -> None:
    document = DOCUMENTS["RpcApi.openrpc.json"]
    assert document["openrpc"].startswith("1.") and document["info"].keys() >= {"title", "version"}
    names = [method["name"] for method in document["methods"]]
    assert len(set(names)) == len(names) == 16
    for method in document["methods"]:
        schemas = {one["name"]: one["schema"] for one in method["params"]}
        for example in method.get("examples", ()):
            for one in example["params"]:
                jsonschema.validate(one["value"], schemas[one["name"]])
            jsonschema.validate(example["result"]["value"], method["result"]["schema"])


def test_a_wrong_payload_is_noticed() -> None:
    document = DOCUMENTS["API.asyncapi.json"]
    channel = next(one for key, one in document["channels"].items() if key.endswith("set_limit_amps_phases"))
    schema = {**next(iter(channel["messages"].values()))["payload"], "components": document["components"]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({"amps": "much", "phases": 3})
