"""What a module asks of a manager in another process: its own configuration (framework: 4.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json, shorten
from chargebyte_fw.kernel.errors import ConfigError, Finding, Unavailable
from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.module import Module, ModuleConfig
from chargebyte_fw.manager.plan import Access, Connection, ModulePlan
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.answers import WHOLE_MODULE
from chargebyte_fw.manager.wire.carrier import Carrier

ANSWER_LIMIT_S = 5.0
"""How long the manager may take to answer, before it is asked once more (EVerest)."""
ATTEMPTS = 2

Find = Callable[[str], type[Module]]
"""Returns the class of a module by EVerest's name; raises Unavailable or ConfigError."""


class _Parameter(msgspec.Struct):
    name: str
    value: Any = None


class _End(msgspec.Struct):
    module_id: str
    implementation_id: str


class _Tiers(msgspec.Struct):
    module: Mapping | None = None
    implementations: dict[str, Mapping] = msgspec.field(default_factory=dict)


class _Rights(msgspec.Struct):
    config: Access | None = None


class _Telemetry(msgspec.Struct):
    id: int | None = None


class _ModuleConfig(msgspec.Struct):
    module_id: str
    module_name: str
    configuration_parameters: dict[str, list[_Parameter]] = msgspec.field(default_factory=dict)
    connections: dict[str, list[_End]] = msgspec.field(default_factory=dict)
    mapping: _Tiers | None = None
    access: _Rights | None = None
    telemetry_config: _Telemetry | None = None


class _Data(msgspec.Struct):
    module_config: _ModuleConfig


class _Response(msgspec.Struct):
    data: _Data | None = None


class _Answer(msgspec.Struct):
    status: str
    status_info: str = ""
    response: _Response | None = None


async def plan_of(carrier: Carrier, module_id: str, find: Find) -> ModulePlan:
    """Ask the manager for the configuration of a module.

    Raises Unavailable when it does not answer, or not with a configuration; ConfigError for values that the module's
    class does not take.
    """
    answer = await _asked(carrier, module_id)
    if answer.status != "Ok" or answer.response is None or answer.response.data is None:
        raise Unavailable(f"the manager gives {module_id} no configuration: {answer.status} {answer.status_info}")
    given = answer.response.data.module_config
    cls = find(given.module_name)
    values = {
        name: {one.name: one.value for one in parameters if one.value is not None}
        for name, parameters in given.configuration_parameters.items()
    }
    tiers = given.mapping or _Tiers()
    return ModulePlan(
        module_id,
        cls,
        _filled(module_id, cls.Config, values.get(WHOLE_MODULE, {})),
        {
            name: _filled(f"{module_id}.{name}", provision.config, values.get(name, {}))
            for name, provision in cls.provisions.items()
        },
        {
            name: [Connection(end.module_id, end.implementation_id) for end in ends]
            for name, ends in given.connections.items()
        },
        tiers.module,
        tiers.implementations,
        access=given.access.config if given.access is not None else None,
        telemetry_id=given.telemetry_config.id if given.telemetry_config is not None else None,
    )


async def _asked(carrier: Carrier, module_id: str) -> _Answer:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[_Answer] = loop.create_future()

    def take(topic: str, payload: bytes) -> None:
        if answered.done():
            return
        try:
            message = decode_json(payload, dict[str, Any])
            if message.get("msg_type") == carrier.dialect.response:
                answered.set_result(msgspec.convert(message.get("data"), _Answer))
        except msgspec.MsgspecError as error:
            answered.set_exception(Unavailable(f"{topic}: no configuration of EVerest: {shorten(str(error))}"))

    stop = carrier.client.subscribe(f"{carrier.prefix}modules/{module_id}/response", take)
    request = {"type": "Get", "origin": module_id, "request": {"type": "Module"}}
    try:
        for _ in range(ATTEMPTS):
            payload = envelope.message(carrier.dialect.request, request)
            carrier.client.publish(f"{carrier.prefix}config/request", payload, qos=2)
            await asyncio.wait({answered}, timeout=ANSWER_LIMIT_S)
            if answered.done():
                return answered.result()
    finally:
        stop()
    raise Unavailable(f"the manager does not answer {module_id}: is one of the prefix {carrier.prefix} on this broker?")


def _filled(about: str, config: type[ModuleConfig], values: dict[str, Any]) -> ModuleConfig:
    try:
        return msgspec.convert(values, config)
    except msgspec.ValidationError as error:
        raise ConfigError(
            [Finding(about, str(error), "the manager's configuration has to fit this module", number="C214")]
        ) from error
