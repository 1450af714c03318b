"""A command takes its arguments by the names of the contract: so calls a program, or a module of another process."""

from __future__ import annotations

import inspect

import pytest

from chargebyte_fw.kernel.contract import Contract
from tests.docs.reference import classes

BY_PLACE = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
PROVIDED = [
    pytest.param(provision.implementation, id=f"{name}.{implementation}")
    for name, cls in classes().items()
    for implementation, provision in cls.provisions.items()
]


@pytest.mark.parametrize("implementation", PROVIDED)
def test_a_command_can_be_called_by_name_and_by_place(implementation: type[Contract]) -> None:
    for command in implementation.commands:
        declared = list(inspect.signature(getattr(implementation.declaration(), command)).parameters)[1:]
        given = list(inspect.signature(getattr(implementation, command)).parameters.values())[1:]
        if any(one.kind in BY_PLACE for one in given):
            assert tuple(one.kind for one in given) == BY_PLACE, f"{command} takes no arguments by name"
        else:
            assert [one.name for one in given] == declared, command
