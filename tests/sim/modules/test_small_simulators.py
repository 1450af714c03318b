"""The small simulators: over-voltage monitor, temperature, displays, a bank's tokens, a store in memory."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.interfaces.session_cost import SessionCost
from chargebyte_fw.contracts.types import display_message as display
from chargebyte_fw.contracts.types.evse_manager import EnableDisableSourceEnableState, SessionEventEnum
from chargebyte_fw.contracts.types.money import Currency, CurrencyCode, MoneyAmount
from chargebyte_fw.contracts.types.power_supply_DC import VoltageCurrent
from chargebyte_fw.contracts.types.session_cost import DefaultPrice, SessionCostChunk, SessionStatus
from chargebyte_fw.contracts.types.session_cost import SessionCost as Cost
from chargebyte_fw.contracts.types.text_message import MessageContent
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.system.store import Store
from chargebyte_fw.sim.idle import idle
from chargebyte_fw.sim.modules.dummy_bank_session_token_provider import DummyBankSessionTokenProvider
from chargebyte_fw.sim.modules.dummy_session_cost_provider import DummySessionCostProvider
from chargebyte_fw.sim.modules.dummy_v2g import DummyV2G
from chargebyte_fw.sim.modules.evse_manager_simulator import EvseManagerSimulator
from chargebyte_fw.sim.modules.ovm_simulator import OVER_VOLTAGE, OVMSimulator
from chargebyte_fw.sim.modules.temperature_sensor_simulator import TemperatureSensorSimulator
from chargebyte_fw.sim.modules.terminal_cost_and_price_message import TerminalCostAndPriceMessage
from chargebyte_fw.sim.modules.terminal_display_message import TerminalDisplayMessage
from tests.session.plant import HeardMqtt


class Supply(Module):
    """A power supply that a test sets."""

    main: Any = provides(idle(PowerSupplyDC))


class Costs(Module):
    """What a CSMS would have sent."""

    main: Any = provides(type("Costs", (SessionCost,), {}))


@pytest.fixture
def mqtt(runtime: Runtime) -> HeardMqtt:
    runtime.mqtt = heard = HeardMqtt()
    return heard


def test_the_monitor_measures_what_the_supply_reports_or_a_test_wants(
    run: Any, assemble: Any, mqtt: HeardMqtt, caplog: Any
) -> None:
    async def main() -> None:
        assembly = assemble(supply=(Supply,), ovm=(OVMSimulator, {}, {"power_supply": "supply.main"}))
        await assembly.start()
        ovm: Any = assembly.provider("ovm", "main")
        topic = "everest_api/ovm/cmd/set_over_voltage_measurement_V"
        assembly.modules["supply"].main.voltage_current.publish(VoltageCurrent(voltage_V=400.0, current_A=20.0))
        await ovm.set_limits(1000.0, 550.0)
        await asyncio.sleep(1)
        assert not ovm.voltage_measurement_V.known, "it was not started"
        await ovm.start()
        await asyncio.sleep(0.1)
        assert ovm.voltage_measurement_V.value == 400.0
        mqtt.receive(topic, "600")
        await asyncio.sleep(0.1)
        (fault,) = ovm.faults.active
        assert (fault.type, fault.severity) == (OVER_VOLTAGE, Severity.Medium)
        mqtt.receive(topic, "")
        await asyncio.sleep(0.1)
        assert ovm.faults.active, "only the command clears it"
        await ovm.reset_over_voltage_error()
        await asyncio.sleep(0.1)
        assert not ovm.faults.active and ovm.voltage_measurement_V.value == 400.0
        mqtt.receive(topic, "1e999")
        mqtt.receive(topic, "much")
        assert caplog.text.count("is no voltage in V") == 2
        await ovm.stop()
        mqtt.receive(topic, "2000")
        await asyncio.sleep(1)
        assert not ovm.faults.active
        await assembly.stop()

    run(main())


@pytest.mark.parametrize(
    ("key", "severity"),
    [
        ("simulate_error_shutdown", Severity.Medium),
        ("simulate_error", Severity.Medium),
        ("simulate_emergency_shutdown", Severity.High),
    ],
)
def test_an_over_voltage_comes_as_configured(
    run: Any, assemble: Any, mqtt: HeardMqtt, key: str, severity: Severity
) -> None:
    async def main() -> None:
        assembly = assemble(ovm=(OVMSimulator, {}, {}, {"main": {key: True, "simulate_error_delay": 7}}))
        await assembly.start()
        ovm: Any = assembly.provider("ovm", "main")
        await ovm.start()
        await asyncio.sleep(6.9)
        assert not ovm.faults.active
        await asyncio.sleep(0.2)
        assert [fault.severity for fault in ovm.faults.active] == [severity]
        await assembly.stop()

    run(main())


def test_a_temperature_is_set_by_its_topics(run: Any, assemble: Any, mqtt: HeardMqtt, caplog: Any) -> None:
    async def main() -> None:
        assembly = assemble(t=(TemperatureSensorSimulator,))
        await assembly.start()
        sensor: Any = assembly.provider("t", "temperature_sensor")
        heard: list[Any] = []
        sensor.temperatures.subscribe(heard.append, replay=False)

        def command(name: str, payload: str = "") -> None:
            mqtt.receive(f"everest_api/t/cmd/{name}", payload)

        command("set_temperature_C", "55.5")
        command("set_identification", "plug")
        command("set_location", "left")
        command("set_publish_interval_ms", "100")
        await asyncio.sleep(1.05)
        (one,) = sensor.temperatures.value
        assert (one.temperature, one.identification, one.location) == (55.5, "plug", "left")
        command("set_temperature_C", "hot")
        command("set_temperature_C", "nan")
        command("set_publish_interval_ms", "")
        assert caplog.text.count("everest_api/t/cmd/") == 3
        command("stop_publishing")
        count = len(heard)
        await asyncio.sleep(10)
        assert len(heard) == count
        command("start_publishing")
        await asyncio.sleep(1)
        assert len(heard) > count + 8
        await assembly.stop()

    run(main())


def test_messages_of_a_display(run: Any, assemble: Any) -> None:
    def message(text: str, **more: Any) -> display.DisplayMessage:
        return display.DisplayMessage(message=MessageContent(content=text), **more)

    async def main() -> None:
        assembly = assemble(display=(TerminalDisplayMessage,))
        await assembly.start()
        screen: Any = assembly.provider("display", "display_message")
        answer = await screen.set_display_message([message("one", id=7), message("two")])
        assert answer.status is display.DisplayMessageStatusEnum.Accepted
        await screen.set_display_message([message("other", id=7, priority=display.MessagePriorityEnum.InFront)])
        everything = await screen.get_display_messages(display.GetDisplayMessageRequest())
        assert sorted(one.message.content for one in everything.messages) == ["other", "two"]
        in_front = display.GetDisplayMessageRequest(priority=display.MessagePriorityEnum.InFront)
        assert [one.id for one in (await screen.get_display_messages(in_front)).messages] == [7]
        for status in ("Accepted", "Unknown"):
            assert (await screen.clear_display_message(display.ClearDisplayMessageRequest(id=7))).status == status
        full = await screen.set_display_message([message("x", id=number) for number in range(200)])
        assert full.status is display.DisplayMessageStatusEnum.Rejected
        await assembly.stop()

    run(main())


def test_costs_are_shown(run: Any, assemble: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        assembly = assemble(costs=(Costs,), terminal=(TerminalCostAndPriceMessage, {}, {"session_cost": "costs.main"}))
        await assembly.start()
        costs: Any = assembly.modules["costs"]
        costs.main.default_price.publish(DefaultPrice(messages=[MessageContent(content="0.30 per kWh")]))
        costs.main.session_cost.publish(
            Cost(
                session_id="S1",
                currency=Currency(code=CurrencyCode.EUR, decimals=2),
                status=SessionStatus.Running,
                cost_chunks=[SessionCostChunk(cost=MoneyAmount(value=312))],
            )
        )
        await asyncio.sleep(1)
        assert "price: 0.30 per kWh" in caplog.text and "session S1: Running, 3.12 EUR" in caplog.text
        await assembly.stop()

    run(main())


def test_tokens_of_a_bank(run: Any, assemble: Any) -> None:
    async def main() -> None:
        assembly = assemble(
            same=(DummyBankSessionTokenProvider,),
            new=(DummyBankSessionTokenProvider, {}, {}, {"main": {"randomize": True}}),
        )
        await assembly.start()
        same: Any = assembly.provider("same", "main")
        new: Any = assembly.provider("new", "main")
        assert (await same.get_bank_session_token()).token == "DummyBankSessionToken"
        assert (await new.get_bank_session_token()).token != (await new.get_bank_session_token()).token
        await assembly.stop()

    run(main())


def test_a_store_in_memory(run: Any, assemble: Any) -> None:
    async def main() -> None:
        assembly = assemble(store=(Store,))
        await assembly.start()
        store: Any = assembly.provider("store", "main")
        assert await store.load("a") is None and not await store.exists("a")
        await store.store("a", {"b": [1, None]})
        assert await store.load("a") == {"b": [1, None]} and await store.exists("a")
        await store.delete("a")
        await store.delete("a")
        assert not await store.exists("a")
        for key, value in (("a b", 1), ("", 1), ("a", float("nan"))):
            with pytest.raises(ValueError, match=r"no key|not a JSON value"):
                await store.store(key, value)
        await assembly.stop()

    run(main())


def test_what_stands_in_a_place_of_evse_v2g_and_costs(run: Any, assemble: Any) -> None:
    async def main() -> None:
        assembly = assemble(
            evse=(EvseManagerSimulator,),
            hlc=(DummyV2G,),
            cost=(DummySessionCostProvider, {}, {}, {"main": {"period_s": 2}}),
        )
        await assembly.start()
        evse: Any = assembly.provider("evse", "evse")
        assert evse.session_event.value.event is SessionEventEnum.Enabled
        assert evse.waiting_for_external_ready.value and not evse.ready.known
        assert (await evse.get_evse()).id == 1 and not await evse.stop_transaction(None)
        await evse.external_ready_to_start_charging()
        assert evse.ready.value
        source = msgspec.structs.replace(
            evse.session_event.value.source, enable_state=EnableDisableSourceEnableState.Disable
        )
        assert not await evse.enable_disable(0, source)
        assert evse.session_event.value.event is SessionEventEnum.Disabled
        hlc: Any = assembly.provider("hlc", "main")
        assert await hlc.update_supported_app_protocols(None) is True
        assert await hlc.dlink_ready(True) is None
        await asyncio.sleep(5)
        cost = assembly.provider("cost", "main").session_cost.value
        assert cost.status is SessionStatus.Running and cost.cost_chunks[0].cost.value == 30
        await assembly.stop()

    run(main())
