"""Every document and the page of the interfaces: what `script/reference` writes and the site has."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.manager.manifest import first_paragraph
from chargebyte_fw.modules.api.api import API
from chargebyte_fw.modules.api.api_commands import EnableDisable, LimitPhases
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.rpc_api import RpcApi
from chargebyte_fw.modules.api.rpc_methods import API_VERSION
from tests.docs.interfaces import others
from tests.docs.interfaces.asyncapi import asyncapi, openrpc
from tests.docs.interfaces.bridges import Topic, topics_of
from tests.docs.interfaces.charger import EVSE, Message, api_messages, panel_messages, rpc_calls
from tests.docs.interfaces.discovery import discovery_topics

KINDS: dict[str, Any] = {
    "cmd/enable_disable": EnableDisable,
    "cmd/enable": int,
    "cmd/disable": int,
    "cmd/force_unlock": int,
    "cmd/set_limit_amps": float,
    "cmd/set_limit_watts": float,
    "cmd/set_limit_amps_phases": LimitPhases,
    "cmd/uk_random_delay_set_max_duration_s": int,
    "var/ev_info": EVInfo,
}
"""Types of payloads of API."""


PLACES = {EVSE: "evse", others.HERE: "module_id", "ev_manager": "ev_manager"}
"""Ids of modules in recorded topics, and the parameter that stands for each."""
INTRODUCTION = """\
Every topic and method with a payload that was sent to the module, or that it has published. The schemas are in AsyncAPI
and OpenRPC documents, one a module: in the folder `interfaces/` of the site, and `script/reference --interfaces DIR`
writes them. How orders relate, and where this product differs from EVerest, is in [integrators.md](../integrators.md).
"""
OTHERS = "Tokens by hand, OCPP with `EnableExternalWebsocketControl`, setting up a unit, and simulators."
OF_API = """\
`{evse}` is the id of an EvseManager. Values are published once a second and when they change. `set_limit_...` needs
`evse_energy_sink`, `uk_random_delay...` needs `random_delay`.
"""
OF_API_MODULES = """\
The topics of each begin with `everest_api/1/<type>/<module id>/`. A payload with `headers.replyTo` is a request:
whoever takes it publishes the reply there. In addition each module takes `m2e/communication_check` (`true`, at least
every `cfg_communication_check_to_s`) and publishes `e2m/heartbeat` (a number), and a consumer that keeps values answers
`m2e/<name>/get` with the last one, or `null`.
"""
OF_DISCOVERY = """\
Which API modules there are: no module of its own, each API module answers.
"""


@cache
def bridges() -> dict[str, tuple[type[Bridge], list[Topic]]]:
    """Return EVerest's API modules with their topics, by name."""
    from tests.docs.reference import classes

    found = {name: cls for name, cls in classes().items() if issubclass(cls, Bridge)}
    return {name: (cls, topics_of(cls)) for name, cls in found.items()}


def _topics(messages: tuple[Message, ...]) -> list[Topic]:
    """Return messages as topics, with the EVSE's id and number as parameters."""
    found = []
    for one in messages:
        name = one.topic.replace("/nodered/1/", "/nodered/{connector_id}/")
        for place, parameter in PLACES.items():
            name = name.replace(f"/{place}/", f"/{{{parameter}}}/")
        kind = next((kind for end, kind in KINDS.items() if name.endswith("/" + end) and "nodered" not in name), None)
        found.append(Topic(name, kind, one.payload, sent_by_client=one.from_client))
    return found


def documents() -> dict[str, dict[str, Any]]:
    """Return every document by its file name."""
    found = {
        f"{name}.asyncapi.json": asyncapi(name, first_paragraph(cls.__doc__),
                                          f"everest_api/1/{cls.api_type}/{{module_id}}/", topics)
        for name, (cls, topics) in bridges().items()
    }  # fmt: skip
    found["entrypoint_API.asyncapi.json"] = asyncapi("entrypoint_API", OF_DISCOVERY.strip(), "", discovery_topics())
    found["API.asyncapi.json"] = asyncapi("API", first_paragraph(API.__doc__), "", _topics(api_messages()))
    for name, messages in others.other_messages().items():
        found[f"{name.partition(',')[0]}.asyncapi.json"] = asyncapi(name, OTHERS, "", _topics(messages))
    about = "What EvseManager has for EVerest's Node-RED panel, and the session log."
    found["EvseManager.asyncapi.json"] = asyncapi("EvseManager", about, "", _topics(panel_messages()))
    found["RpcApi.openrpc.json"] = openrpc(rpc_calls(), first_paragraph(RpcApi.__doc__), API_VERSION)
    return dict(sorted(found.items()))


def text_of(document: dict[str, Any]) -> str:
    """Return a document as it is written."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`" if text else "empty"


def _rows(topics: list[Topic]) -> list[str]:
    rows = ["| topic | from | payload | reply |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{one.name}` | {'client' if one.from_client else 'charger'} | {_code(one.example)} | "
        f"{_code(one.reply) if one.is_request else ''} |"
        for one in topics
        if not one.name.endswith("/get") and one.name not in ("m2e/communication_check", "e2m/heartbeat")
    ]
    return [*rows, ""]


def page(note: str) -> str:
    """Return the page."""
    lines = [
        "# MQTT topics and JSON-RPC methods",
        "",
        note,
        "",
        INTRODUCTION,
        "## API",
        "",
        OF_API,
        *_rows(_topics(api_messages())),
        "## EvseManager",
        "",
        "`{connector_id}` is its key `connector_id`; the topics are those of EVerest's Node-RED panel.",
        "",
        *_rows(_topics(panel_messages())),
        "## RpcApi",
        "",
        "JSON-RPC 2.0 on a WebSocket, `ws://localhost:8080`. The first request is `API.Hello`. `EVSE.StatusChanged`,",
        "`EVSE.MeterDataChanged`, `EVSE.HardwareCapabilitiesChanged` and `ChargePoint.ActiveErrorsChanged` are",
        "notifications of the charger.",
        "",
        "| method | params | result |",
        "| --- | --- | --- |",
    ]
    for call in rpc_calls():
        params = _code(json.dumps(call.parameters)) if call.parameters else "none"
        lines.append(f"| `{call.name}` | {params} | {_code(json.dumps(call.result))} |")
    lines += ["", "## Other modules", "", OTHERS, ""]
    for name, messages in others.other_messages().items():
        lines += [f"### {name}", "", *_rows(_topics(messages))]
    lines += ["## EVerest's API modules", "", OF_API_MODULES]
    lines += ["### Discovery", "", OF_DISCOVERY, *_rows(discovery_topics())]
    for name, (cls, topics) in bridges().items():
        lines += [f"### {name}", "", f"{first_paragraph(cls.__doc__)} Type `{cls.api_type}`.", "", *_rows(topics)]
    return "\n".join(lines)


def modules() -> list[type[Module]]:
    """Return the modules that the documents are about."""
    return [API, RpcApi, *(cls for cls, _ in bridges().values())]
