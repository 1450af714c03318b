"""What the owner of the machines has to hear reaches it, whether or not another machine listens as well."""

from __future__ import annotations

import ast
import inspect
import textwrap

import pytest

from chargebyte_fw.modules.evse.adapters.outputs import Outputs
from chargebyte_fw.modules.evse.config import ChargeMode, EvseConfig
from chargebyte_fw.modules.evse.machine import effects, events, signals
from chargebyte_fw.modules.evse.machine.composite import Fitted, Machines
from chargebyte_fw.modules.evse.machine.public import Public

OWNERS_ALONE = {"Unexpected"}
"""Effects of the kernel's own, which no machine of an EVSE sends."""

FOR_THE_RECORDING = {"TransactionIs"}
"""Nothing is to be done; recordings hold it."""


def carried_out() -> set[str]:
    """The names of all messages that the owner has a case for."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(Outputs.act))).body
    patterns = [node for node in ast.walk(function) if isinstance(node, ast.MatchClass)]
    return {node.cls.id for node in patterns if isinstance(node.cls, ast.Name)} - OWNERS_ALONE


def heard_by_machines() -> set[type]:
    """The messages that any machine of an EVSE, of AC or of DC, has a row for."""
    fitted = Fitted(hlc=True, lock=True, imd=True, monitor=True)
    rows = set()
    for mode in ChargeMode:
        config = EvseConfig(connector_id=1, charge_mode=mode)
        machines = Machines(config, fitted, new_uuid=lambda: "", logging_path=lambda _: None)
        rows |= {event for machine in machines.core.machines for _, event in machine.table}
    return rows


def every_message() -> dict[str, type]:
    return {
        name: item
        for module in (effects, events, signals)
        for name, item in vars(module).items()
        if inspect.isclass(item)
    }


def test_what_the_owner_carries_out_is_public_where_a_machine_listens_too() -> None:
    known, rows = every_message(), heard_by_machines()
    assert carried_out() <= known.keys()
    kept_back = {name for name in carried_out() if known[name] in rows and not issubclass(known[name], Public)}
    assert kept_back == set(), "a machine listens, so that the owner would never hear of it"


def test_what_is_public_is_carried_out() -> None:
    assert {cls.__name__ for cls in Public.__subclasses__()} - FOR_THE_RECORDING <= carried_out()


@pytest.mark.parametrize("message", Public.__subclasses__(), ids=lambda cls: cls.__name__)
def test_a_public_message_reaches_machines_and_owner(message: type) -> None:
    fitted = Fitted(hlc=True, lock=False, imd=False, monitor=False)
    config = EvseConfig(connector_id=1, charge_mode=ChargeMode.DC)
    core = Machines(config, fitted, new_uuid=lambda: "u", logging_path=lambda _: None).core
    given = {
        "StateIs": signals.StateIs(events.Charging.Idle),
        "ShutdownIs": signals.ShutdownIs(events.Shutdown.Error),
        "CarRequests": signals.CarRequests(True),
        "CarLost": signals.CarLost(False),
        "Raise": effects.Raise("MREC22ResistanceFault", "low"),
        "Clear": effects.Clear(""),
        "TransactionIs": signals.TransactionIs(True),
    }.get(message.__name__) or message()
    assert core.feed(given, 1.0)[0] == given
