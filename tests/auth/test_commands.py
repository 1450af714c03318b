"""Commands of Auth and their answers: the state that EVSEs report counts, and nothing is left of an answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.types import authorization
from chargebyte_fw.kernel.bus import run_command
from chargebyte_fw.kernel.errors import CommandError
from tests.auth.helpers import CCS2, TYPE2, id_token
from tests.auth.test_modules import in_an_hour, with_reader


def test_a_reservation_is_for_the_connectors_that_the_evses_report(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble)
        await world.start()
        await asyncio.sleep(0.1)
        booking = world.provider("auth", "reservation")
        for number, kind, answer in ((1, TYPE2, "Rejected"), (2, CCS2, "Accepted")):
            wanted = in_an_hour(number, evse_id=1, connector_type=kind)
            assert await run_command(booking, "reserve_now", (wanted,), {}) == answer
        await world.stop()

    run(main())


def test_nothing_is_left_of_a_command_that_was_answered_or_given_up(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble)
        await world.start()
        await asyncio.sleep(0.1)
        auth = world.modules["auth"]
        request = authorization.WithdrawAuthorizationRequest(evse_id=1, id_token=id_token("A"))
        answer = await run_command(world.provider("auth", "main"), "withdraw_authorization", (request,), {})
        assert answer == "AuthorizationNotFound"
        assert auth._waiting == {}
        asked = asyncio.ensure_future(auth.ask(lambda request_id: None))
        await asyncio.sleep(0)
        assert len(auth._waiting) == 1
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert auth._waiting == {}
        await world.stop()

    run(main())


def test_a_command_that_waits_at_the_end_fails_with_the_reason(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble)
        await world.start()
        await asyncio.sleep(0.1)
        asked = asyncio.ensure_future(world.modules["auth"].ask(lambda request_id: None))
        await asyncio.sleep(0)
        await world.stop()
        with pytest.raises(CommandError, match="auth is shutting down"):
            await asked

    run(main())
