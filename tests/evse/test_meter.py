"""What is billed comes from the meter; what the meter does wrong is logged."""

from __future__ import annotations

import asyncio

import pytest

from tests.evse.world import Assemble, Run, World


@pytest.mark.parametrize(("end_Wh", "logged"), [(1500.0, False), (999.0, True), (1000.0, False)])
def test_a_meter_that_counts_backwards_is_logged_with_both_readings(
    assemble: Assemble, run: Run, caplog: pytest.LogCaptureFixture, end_Wh: float, logged: bool
) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        w.meter.read(1000.0)
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        await w.authorize()
        await w.until_state("PrepareCharging")
        w.meter.read(end_Wh)
        await w.unplug()
        await asyncio.sleep(1.0)
        assert "TransactionFinished" in w.names

    run(story())
    line = f"the meter counted backwards in this transaction: 1000 Wh, then {end_Wh:.0f} Wh"
    assert (line in caplog.text) is logged
