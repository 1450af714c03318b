"""What the owner of the machines carries out reaches it, whether or not another machine receives it as well."""

from __future__ import annotations

import inspect
import itertools
from unittest.mock import Mock

import pytest

from chargebyte_fw.kernel import effects as kernel_effects
from chargebyte_fw.kernel.composite import receivers_of
from chargebyte_fw.modules.evse.adapters.outputs import Outputs
from chargebyte_fw.modules.evse.config import ChargeMode, EvseConfig
from chargebyte_fw.modules.evse.machine import effects, events, signals
from chargebyte_fw.modules.evse.machine.composite import EvseMachines, Fitted

OWNERS_ALONE = {"Unexpected"}
"""Effects of the kernel's own, which no machine of an EVSE sends."""

FOR_THE_RECORDING = {"TransactionChanged"}
"""Nothing is to be done; recordings hold it."""


def carried_out() -> set[str]:
    """The names of all messages that the owner has an entry for."""
    names = ("commands", "energy", "faults", "meter", "reports", "session_log")
    outputs = Outputs(Mock(), "key", {}, **{name: Mock() for name in names})
    return {kind.__name__ for kind in outputs.table} - OWNERS_ALONE


def assembled(mode: ChargeMode, *, fitted: bool = True) -> EvseMachines:
    """The machines of an EVSE with everything connected, or nothing."""
    connected = Fitted(hlc=fitted, lock=fitted, imd=fitted, monitor=fitted)
    config = EvseConfig(connector_id=1, charge_mode=mode)
    return EvseMachines(config, connected, "evse", new_uuid=lambda: "u", draw=lambda _: 0)


EVERY_MESSAGE = {
    name: item
    for module in (effects, events, signals, kernel_effects)
    for name, item in vars(module).items()
    if inspect.isclass(item)
}
FOR_BOTH = [one for one in EVERY_MESSAGE.values() if receivers_of(one).machines and receivers_of(one).owner]


@pytest.mark.parametrize(("mode", "fitted"), list(itertools.product(ChargeMode, (True, False))))
def test_every_assembly_receives_what_its_messages_declare(mode: ChargeMode, fitted: bool) -> None:
    """The composite refuses a receiver without a row, and a row that is not declared."""
    assert assembled(mode, fitted=fitted).snapshot.state is events.Charging.Idle


def test_what_the_owner_carries_out_names_it() -> None:
    assert carried_out() <= EVERY_MESSAGE.keys()
    kept_back = {name for name in carried_out() if not receivers_of(EVERY_MESSAGE[name]).owner}
    assert kept_back == set(), "the owner would never receive it"


def test_what_names_the_owner_is_carried_out() -> None:
    assert {one.__name__ for one in FOR_BOTH} - FOR_THE_RECORDING <= carried_out()


@pytest.mark.parametrize("message", FOR_BOTH, ids=lambda cls: cls.__name__)
def test_a_message_for_both_reaches_machines_and_owner(message: type) -> None:
    given = {
        "StateEntered": signals.StateEntered(events.Charging.Idle),
        "ShutdownChanged": signals.ShutdownChanged(events.Shutdown.Error),
        "CarRequests": signals.CarRequests(True),
        "CarLost": signals.CarLost(False),
        "RaiseFault": effects.RaiseFault("MREC22ResistanceFault", "low"),
        "ClearFault": effects.ClearFault(""),
        "SessionChanged": effects.SessionChanged("x"),
        "TransactionChanged": signals.TransactionChanged(True),
    }.get(message.__name__) or message()
    assert assembled(ChargeMode.DC).feed(given, 1.0)[0] == given
