"""Payloads of an attacker at the broker and at the JSON-RPC port."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.soak.scene import Scene


def payload(chance: random.Random) -> bytes:
    """Return something that no decoder expects."""
    return chance.choice(_MAKERS)(chance)


def _nested(chance: random.Random) -> bytes:
    depth = chance.choice((100, 1000, 5000))
    return chance.choice((b"[" * depth, b'{"a":' * depth, b"[" * depth + b"]" * depth))


def _value(chance: random.Random, depth: int = 0) -> Any:
    leaves: tuple[Any, ...] = (None, True, -1, 10**30, 1e308, "", "\0\x1f\x7f", "\ud7ff\u2028", "x" * 4000, 0, 1, 1.5)
    dice = chance.random()
    if depth > 2 or dice < 0.5:
        return chance.choice(leaves)
    if dice < 0.75:
        return [_value(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    names = ("id", "origin", "args", "evse_index", "connector_id", "amps", "phases", "source", "state", "\0")
    return {chance.choice(names): _value(chance, depth + 1) for _ in range(chance.randint(0, 3))}


def _json(chance: random.Random) -> bytes:
    return json.dumps(_value(chance)).encode()


_MAKERS = (
    _nested,
    _json,
    _json,
    lambda chance: chance.randbytes(chance.choice((0, 1, 30, 3000))),
    lambda chance: b"NaN",
    lambda chance: b"-Infinity",
    lambda chance: b"1e999",
    lambda chance: b"9" * 400,
    lambda chance: b'{"a":1,"a":2',
    lambda chance: ("\u202e" * 50).encode(),
    lambda chance: b"0" * 65_000,
)


def mqtt(scene: Scene) -> None:
    """Send nonsense to the commands of the integrators' interface."""
    for topic, take in tuple(scene.mailbox.takers.items()):
        if scene.chance.random() < 0.4:
            take(topic, payload(scene.chance).decode("utf-8", "replace"))


def wire(scene: Scene) -> None:
    """Send nonsense to the modules' topics, now and then in the envelope of a command."""
    assert scene.assembly is not None
    keys = sorted(scene.assembly.implementations)
    for _ in range(6):
        module_id, name = scene.chance.choice(keys)
        commands = scene.assembly.implementations[module_id, name].commands or ("nothing",)
        command = scene.chance.choice((*commands, "x", "__init__", "module"))
        topic = f"everest/modules/{module_id}/impl/{name}/cmd/{command}"
        text = payload(scene.chance)
        if command not in commands and scene.chance.random() < 0.5:
            call = {"id": "1", "origin": "x", "args": _value(scene.chance)}
            text = json.dumps({"msg_type": "Cmd", "data": call}).encode()
        elif scene.chance.random() < 0.5:
            origin = scene.chance.choice(("x" * 65_536, "a\0b", "\ud7ff", "+", "a/#", "\n"))
            call = {"id": "x" * 100, "origin": origin, "args": {"value": _value(scene.chance)}}
            text = json.dumps({"msg_type": "Cmd", "data": call}).encode()
        scene.broker.send(topic, text)
    scene.broker.send("everest/config/request", payload(scene.chance))


def rpc(scene: Scene) -> None:
    """Send nonsense to the JSON-RPC port."""
    if scene.rpc is None:
        return
    for _ in range(4):
        scene.rpc.send_text(payload(scene.chance))
    methods = ("EVSE.SetACChargingCurrent", "EVSE.SetACChargingPhaseCount", "EVSE.GetInfo", "EVSE.Nothing", "")
    for _ in range(4):
        request = {"jsonrpc": "2.0", "id": _value(scene.chance), "method": scene.chance.choice(methods)}
        request["params"] = _value(scene.chance)
        scene.rpc.send_text(json.dumps(request))
