"""The commands of EVerest's Node-RED panel: what they do, and how a payload that means nothing is refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.kernel.rate_limited_log import LINES
from tests.evse.test_ac import charging
from tests.evse.world import Assemble, Run, World

BASE = "everest_external/nodered/1/cmd"


class Broker:
    """External MQTT that delivers what a test sends."""

    def __init__(self) -> None:
        self.takers: dict[str, Callable[[str, str], None]] = {}

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Drop the message."""

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        self.takers[topic] = callback
        return lambda: self.takers.__delitem__(topic)

    def send(self, command: str, payload: str = "") -> None:
        topic = f"{BASE}/{command}"
        self.takers[topic](topic, payload)


@pytest.fixture
def panel(runtime: Any) -> Broker:
    runtime.mqtt = broker = Broker()
    return broker


def test_the_panel_disables_and_enables_the_evse(assemble: Assemble, run: Run, panel: Broker) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        panel.send("disable")
        await w.until_state("Disabled", 1.0)
        panel.send("enable")
        await w.until_state("Idle", 1.0)

    run(story())


def test_the_panel_pauses_and_resumes_a_transaction(assemble: Assemble, run: Run, panel: Broker) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        panel.send("pause_charging")
        w.bsp.cp("B")
        await w.until_state("ChargingPausedEVSE", 5.0)
        panel.send("resume_charging")
        w.bsp.cp("C")
        await w.until_state("Charging", 10.0)

    run(story())


@pytest.mark.parametrize("command", ["pause_charging", "resume_charging"])
def test_without_a_transaction_that_is_logged_and_no_more(
    assemble: Assemble, run: Run, panel: Broker, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        with caplog.at_level(logging.INFO):
            panel.send(command)
        await asyncio.sleep(1.0)
        assert w.state == "Idle" and not w.charging.facts.transaction.paused_by_user
        assert f"{command} had no effect: no transaction runs" in caplog.text

    run(story())


@pytest.mark.parametrize(("payload", "three"), [("true", True), (" True\n", True), ("false", False), ("FALSE", False)])
def test_the_panel_switches_the_phases(assemble: Assemble, run: Run, panel: Broker, payload: str, three: bool) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        panel.send("switch_three_phases_while_charging", payload)
        await asyncio.sleep(0.5)
        assert w.calls("bsp", "ac_switch_three_phases_while_charging") == [(three,)]

    run(story())


def test_other_payloads_are_refused_and_at_the_stop_those_that_were_not_logged_are_counted(
    assemble: Assemble, run: Run, panel: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        with caplog.at_level(logging.WARNING):
            for number in range(LINES + 3):
                panel.send("switch_three_phases_while_charging", f"{number} phases")
            assert w.calls("bsp", "ac_switch_three_phases_while_charging") == []
            assert caplog.text.count("is not true or false") == LINES
            assert "more messages were refused" not in caplog.text
            await w.m.stop()
        assert "3 more messages were refused within 60 s" in caplog.text
        assert panel.takers == {}, "no command after the stop"

    run(story())
