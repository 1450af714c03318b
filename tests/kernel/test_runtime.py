"""Chance for keys: nobody outside can predict network keys, session ids and nonces of a charger with a real car."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import chargebyte_fw
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly

PRODUCT = Path(chargebyte_fw.__file__).parent


async def build(runtime: Runtime) -> None:
    Assembly(runtime).build([])


def test_chance_is_the_operating_systems_unless_somebody_says_otherwise() -> None:
    assert isinstance(Runtime().random, random.SystemRandom)


def test_seeded_chance_is_refused_where_a_real_car_could_be_at_the_other_end(run) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RuntimeError, match="predictable"):
        run(build(Runtime(random=random.Random(1))))


def test_seeded_chance_is_for_wires_in_memory(run) -> None:  # type: ignore[no-untyped-def]
    runtime = Runtime(random=random.Random(1))
    runtime.wires.plug("serial:/dev/ttyLP2", object())
    run(build(runtime))
    run(build(Runtime()))


def predictable(tree: ast.AST) -> Iterator[int]:
    """Lines that make a seedable generator or use the one of the `random` module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "random":
            yield node.lineno
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value
        if isinstance(owner, ast.Name) and owner.id == "random" and node.func.attr != "SystemRandom":
            yield node.lineno


def test_only_the_simulated_world_makes_predictable_chance() -> None:
    found = [
        f"{path.relative_to(PRODUCT)}:{line}"
        for path in sorted(PRODUCT.rglob("*.py"))
        if path.relative_to(PRODUCT).parts[0] != "sim"
        for line in predictable(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


def test_the_look_for_predictable_chance_finds_it() -> None:
    assert list(predictable(ast.parse("import random\nx = random.Random()\ny = random.choice('ab')"))) == [2, 3]
