"""Every error that can be raised has advice of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargebyte_fw.board.driver import faults as board
from chargebyte_fw.board.link.messages.charge_som import SafeStateReason
from chargebyte_fw.contracts.errors import ERRORS
from chargebyte_fw.contracts.fault_advice import ROWS, UNKNOWN, Help, advice_of
from chargebyte_fw.kernel import bus
from chargebyte_fw.modules.api.everest_api import bridge
from chargebyte_fw.modules.auth import auth_list_validator
from chargebyte_fw.modules.evse.machine.dc import supply_watch
from chargebyte_fw.modules.ocpp.queue import store_link
from chargebyte_fw.modules.power.infypower.messages import ALARMS
from chargebyte_fw.modules.security import upkeep
from chargebyte_fw.modules.slac import evse_slac

PRODUCT = Path(__file__).parents[2] / "chargebyte_fw"
OF_TESTS = {"example", "test_errors"}
"""Namespaces of EVerest's examples and tests: no charger has them."""
ERROR_TYPES = [f"{space}/{name}" for space, names in ERRORS.items() for name in names if space not in OF_TESTS]
WARNING = "generic/VendorWarning"


@pytest.mark.parametrize("error_type", ERROR_TYPES)
def test_each_declared_error_has_advice(error_type: str) -> None:
    advice = advice_of(error_type)
    assert advice is not UNKNOWN
    assert advice.cause and advice.advice and advice.helps
    assert not (advice.cause + advice.advice).endswith(".")


def test_each_row_is_for_a_declared_error_and_can_be_reached() -> None:
    for one in ROWS:
        assert one.error_type in ("", *ERROR_TYPES)
        sub_type = one.sub_type.replace("[Pp]", "P").replace("*", "x")
        assert advice_of(one.error_type or "powermeter/VendorError", sub_type, one.implementation_id) is one.advice, one


def test_the_sub_types_of_the_product_have_rows_of_their_own() -> None:
    """A sub-type that is spelled anew in the code would fall back to the general row unnoticed."""
    product = {
        WARNING: (
            evse_slac.MODEM_SILENT,
            evse_slac.KEY_REFUSED,
            auth_list_validator.SUB_TYPE,
            upkeep.CLOCK_SUB_TYPE,
            store_link.UNWRITABLE,
            store_link.DAMAGED,
        ),
        board.STALLED.type: (board.STALLED.sub_type, board.WIRING.sub_type),
        "evse_manager/Internal": (supply_watch.SUB_TYPE,),
        "generic/CommunicationFault": (bus.ABSENT, bridge.LOST, bridge.NEVER_CHECKED),
    }
    for error_type, sub_types in product.items():
        found = {advice_of(error_type, one) for one in sub_types}
        assert len(found) == len(sub_types)
        assert advice_of(error_type, "another") not in found


@pytest.mark.parametrize("reason", SafeStateReason)
def test_each_reason_of_a_safe_state_has_advice(reason: SafeStateReason) -> None:
    assert advice_of("evse_board_support/VendorError", reason.text) is not UNKNOWN


def test_each_alarm_of_a_power_module_has_advice() -> None:
    for alarm in ALARMS:
        assert advice_of(f"power_supply_DC/{alarm.error}", alarm.sub_type) is not UNKNOWN


def test_a_charger_does_not_load_it() -> None:
    """The texts are for screens and pages: what only `secc status` and the site import."""
    users = {
        path.relative_to(PRODUCT).as_posix()
        for path in PRODUCT.rglob("*.py")
        if "fault_advice" in path.read_text("utf-8") and "fault_advice" not in path.parts
    }
    assert users == {"manager/status/advice.py", "manager/status/picture.py"}


def test_an_error_of_others_is_for_the_service() -> None:
    assert advice_of("acme/Broken") is UNKNOWN
    assert UNKNOWN.helps == (Help.SERVICE,)


def test_the_origin_distinguishes_what_shares_a_name() -> None:
    texts = {advice_of("generic/CommunicationFault", "", one).cause for one in ("!module", "charger", "main")}
    assert len(texts) == 3
