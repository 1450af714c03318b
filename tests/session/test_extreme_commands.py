"""Every command of every module of the shipped configurations, with values that its contract allows and nobody expects.

Whoever may command may end a session, but never the charger: no module fails, whatever is asked for.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.manager.manifest import command_types
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

ROUNDS = 6
SKIPPED = {"reboot", "reset"}
"""Commands of the system that end the process on purpose."""
TEXTS = ["", "a", "0", "2001-14-45T00:00:00Z", "9999-12-31T23:59:59Z", "x" * 5000, "\0", "\n", "é\u2028", "../..", "%s"]
NUMBERS = [0, 1, -1, 5, 2**31, 2**53, -(2**63)]
FLOATS = [0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, -1e300, 0.1]


def some(kind: inspect.Type, chance: random.Random, depth: int = 0) -> Any:
    """Return plain data that fits the type, its bounds left alone (the converter looks at them)."""
    match kind:
        case inspect.UnionType(types=types):
            plain = [one for one in types if isinstance(one, inspect.NoneType)]
            return some(
                plain[0] if plain and (depth > 3 or chance.random() < 0.3) else chance.choice(types), chance, depth
            )
        case inspect.StructType(fields=fields):
            return {
                field.encode_name: some(field.type, chance, depth + 1)
                for field in fields
                if field.required or chance.random() < 0.6
            }
        case inspect.EnumType(cls=cls):
            return chance.choice([member.value for member in cls])
        case inspect.LiteralType(values=values):
            return chance.choice(values)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return [some(item, chance, depth + 1) for _ in range(chance.randrange(3) if depth < 5 else 0)]
        case inspect.DictType(value_type=item):
            return {chance.choice(TEXTS): some(item, chance, depth + 1) for _ in range(chance.randrange(3))}
        case inspect.BoolType():
            return chance.random() < 0.5
        case inspect.IntType():
            return chance.choice(NUMBERS)
        case inspect.FloatType():
            return chance.choice(FLOATS)
        case inspect.StrType():
            return chance.choice(TEXTS)
        case inspect.NoneType():
            return None
        case inspect.AnyType():
            return chance.choice([None, *TEXTS, *NUMBERS, *FLOATS, {"a": [1]}, True])
    raise AssertionError(kind)


@pytest.mark.parametrize("plugged", [False, True], ids=["free", "charging"])
@pytest.mark.parametrize("protocol", ["iso2", "basic"])
@pytest.mark.timeout(300)
def test_what_a_contract_allows_ends_no_module(protocol: str, plugged: bool, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        chance = random.Random(3)
        async with Plant(tmp_path, Model(protocol, battery_kWh=80.0, soc_percent=20)) as plant:
            if plugged:
                await plant.charging()
            else:
                await plant.world.charger_is_ready()
            commands = [
                (implementation, name)
                for implementation in plant.assembly.implementations.values()
                for name in implementation.commands
                if name not in SKIPPED
            ]
            asked = 0
            for _ in range(ROUNDS):
                chance.shuffle(commands)
                for provider, name in commands:
                    kinds, _ = command_types(provider.declaration(), name)
                    try:
                        arguments = {
                            key: msgspec.convert(some(inspect.type_info(kind), chance), kind)
                            for key, kind in kinds.items()
                        }
                    except msgspec.ValidationError:
                        continue
                    asked += 1
                    try:
                        await bus.run_command(
                            provider, name, (), arguments, deadline_s=2.0, caller="test", outside=True
                        )
                    except CommandError:
                        continue
                    finally:
                        for module_id, module in plant.assembly.modules.items():
                            failed = module.failed
                            assert failed is None or not failed.done(), (module_id, name, arguments, failed.result())
                await asyncio.sleep(5)
            assert asked > 100
            assert plant.tracebacks() == []

    run(main())
