"""API: what `everest_api/...` carries, and what each command does (EVerest, module API)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.contracts.types.energy import CapabilityLimits
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
    Limits,
    SessionEventEnum,
    SessionStarted,
    StopTransactionReason,
)
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.modules.api.api import API
from tests.api.helpers import Mqtt, charger, event, meter, publish_first_facts

Run = Callable[[Any], Any]
CONNECTIONS = {
    "evse_manager": "connector.evse",
    "evse_energy_sink": "grid.external_limits",
    "charger_information": "identity.main",
    "error_history": "history.error_history",
}
CMD = "everest_api/connector/cmd"


class Bench:
    def __init__(self, runtime: Any, **config: Any) -> None:
        self.mqtt = runtime.mqtt = Mqtt()
        self.assembly = charger(runtime, API, CONNECTIONS, **config)
        self.evse = self.assembly.implementations["connector", "evse"]
        self.sink = self.assembly.implementations["grid", "external_limits"]

    async def start(self) -> None:
        await self.assembly.start()
        publish_first_facts(self.evse)
        await asyncio.sleep(1.5)

    def var(self, topic: str) -> Any:
        text = self.mqtt.last(f"everest_api/{topic}")
        assert text is not None, topic
        return json.loads(text)


@pytest.fixture
def on_bench(run: Run, runtime: Any) -> Callable[..., None]:
    def go(story: Callable[[Bench], Any], **config: Any) -> None:
        async def main() -> None:
            bench = Bench(runtime, **config)
            await bench.start()
            await story(bench)
            await bench.assembly.stop()

        run(main())

    return go


def test_every_second_the_state_of_each_evse_is_published(on_bench: Any) -> None:
    async def story(bench: Bench) -> None:
        assert bench.var("connectors") == ["connector"]
        assert bench.mqtt.last("everest_api/ocpp/var/connection_status") == "unknown"
        assert bench.var("errors/var/active_errors") == []
        assert bench.var("info/var/info")["vendor"] == "ACME"
        info = bench.var("connector/var/session_info")
        assert info.pop("datetime").endswith("Z")
        assert info == {
            "state": "Unplugged",
            "permanent_fault": False,
            "charged_energy_wh": 0,
            "discharged_energy_wh": 0,
            "latest_total_w": 0,
            "charging_duration_s": 0,
            "active_enable_disable_source": {"source": "Unspecified", "state": "Enabled", "priority": 0},
        }
        assert bench.mqtt.last("everest_api/connector/var/selected_protocol") == "Unknown"

    on_bench(story)


def test_capabilities_are_rounded_by_their_own_settings(on_bench: Any) -> None:
    async def story(bench: Bench) -> None:
        told = bench.var("connector/var/hardware_capabilities")
        assert told["max_current_A_export"] == 16.1 and told["max_current_A_import"] == 30.0
        assert "supports_cp_state_E" not in told

    on_bench(story, hw_caps_max_current_export_decimal_places=1, hw_caps_max_current_import_round_to=10.0)


def test_meter_values_and_limits_go_out_when_they_change(on_bench: Any) -> None:
    async def story(bench: Bench) -> None:
        bench.evse.powermeter.publish(meter(12.3456, 1000.016))
        bench.evse.limits.publish(Limits(max_current=12.345, nr_of_phases_available=3))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        told = bench.var("connector/var/powermeter")
        assert told["energy_Wh_import"] == {"total": 12.35} and told["power_W"] == {"total": 1000.02}
        assert bench.var("connector/var/limits") == {"nr_of_phases_available": 3, "max_current": 12.35}

    on_bench(story)


def test_a_session_with_a_log_tells_its_place(on_bench: Any) -> None:
    async def story(bench: Bench) -> None:
        started = SessionStarted(reason="EVConnected", meter_value=meter(0), logging_path="/tmp/log")  # type: ignore[arg-type]
        bench.evse.session_event.publish(event(SessionEventEnum.SessionStarted, session_started=started))
        await asyncio.sleep(0.1)
        assert bench.mqtt.last("everest_api/connector/var/logging_path") == "/tmp/log"

    on_bench(story)


@pytest.mark.parametrize("name", ["pause_charging", "resume_charging"])
def test_a_command_without_payload_is_one_call(on_bench: Any, name: str) -> None:
    async def story(bench: Bench) -> None:
        bench.mqtt.receive(f"{CMD}/{name}", "")
        await asyncio.sleep(0.1)
        assert bench.evse.calls == [(name,)]

    on_bench(story)


@pytest.mark.parametrize("name", ["pause_charging", "resume_charging", "stop_charging"])
def test_a_command_without_a_transaction_says_that_it_had_no_effect(
    on_bench: Any, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    async def story(bench: Bench) -> None:
        bench.evse.answers |= {name: False, "stop_transaction": False}
        bench.mqtt.receive(f"{CMD}/{name}", "")
        await asyncio.sleep(0.1)
        lines = [record.getMessage() for record in caplog.records if "had no effect" in record.getMessage()]
        assert lines == [f"{CMD}/{name} had no effect: no transaction runs"]

    caplog.set_level(logging.INFO, "secc")
    on_bench(story)


def test_stop_and_unlock_say_their_reason(on_bench: Any) -> None:
    async def story(bench: Bench) -> None:
        bench.mqtt.receive(f"{CMD}/stop_charging")
        await asyncio.sleep(0.1)
        bench.mqtt.receive(f"{CMD}/force_unlock", "nonsense")
        await asyncio.sleep(0.1)
        stop, unlock_stop, unlock = bench.evse.calls
        assert stop[1].reason is StopTransactionReason.Local
        assert unlock_stop[1].reason is StopTransactionReason.UnlockCommand
        assert unlock == ("force_unlock", 1)

    on_bench(story)


@pytest.mark.parametrize(
    ("name", "payload", "connector_id", "state", "priority"),
    [
        ("enable", "1", 1, "Enable", 100),
        ("disable", "0", 0, "Disable", 100),
        ("enable_disable", "{}", 0, "Enable", 100),
        ("enable_disable", '{"connector_id":1,"source":"LocalAPI","state":"Disable","priority":7}', 1, "Disable", 7),
    ],
)
def test_enabling_names_source_state_and_priority(
    on_bench: Any, name: str, payload: str, connector_id: int, state: str, priority: int
) -> None:
    async def story(bench: Bench) -> None:
        bench.mqtt.receive(f"{CMD}/{name}", payload)
        await asyncio.sleep(0.1)
        ((_, connector, wish),) = bench.evse.calls
        assert connector == connector_id and wish.enable_priority == priority
        assert wish.enable_source is EnableDisableSourceEnableSource.LocalAPI
        assert wish.enable_state is EnableDisableSourceEnableState(state)

    on_bench(story)


def test_rubbish_by_the_hundred_is_a_few_lines_and_a_count(on_bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def story(bench: Bench) -> None:
        for number in range(300):
            bench.mqtt.receive(f"{CMD}/enable", f"no {number}")
        await asyncio.sleep(61)
        told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert len(told) == 6 and told[-1] == "295 more commands were refused within 60 s"
        assert bench.evse.calls == []

    caplog.set_level(logging.INFO, "secc")
    on_bench(story)


def test_a_positive_limit_closes_export_and_a_negative_one_import(on_bench: Any) -> None:
    async def story(bench: Bench) -> None:
        bench.mqtt.receive(f"{CMD}/set_limit_amps", "13.5")
        bench.mqtt.receive(f"{CMD}/set_limit_watts", "-2000")
        bench.mqtt.receive(f"{CMD}/set_limit_amps_phases", '{"amps":16,"phases":1}')
        await asyncio.sleep(0.1)
        amps, watts, phases = bench.sink.limits
        assert amps.schedule_import[0].limits_to_root.ac_max_current_A.value == 13.5
        assert amps.schedule_import[0].limits_to_root.ac_max_current_A.source == "API_module"
        assert amps.schedule_export[0].limits_to_root.ac_max_current_A.value == 0.0
        assert watts.schedule_import[0].limits_to_root.total_power_W.value == 0.0
        assert watts.schedule_export[0].limits_to_root.total_power_W.value == 2000.0
        entry = phases.schedule_import[0].limits_to_root
        assert (entry.ac_max_phase_count.value, entry.ac_min_phase_count.value) == (1, 1)
        # A node that starts again states what it can carry, and gets the limit that was given last.
        bench.sink.capabilities.publish(
            CapabilityLimits(max_current_A=32, max_phase_count=3, nominal_voltage_V=230, total_power_W=22080)
        )
        await asyncio.sleep(0.1)
        assert bench.sink.limits[3:] == [phases]

    on_bench(story)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("set_limit_amps", "lots"),
        ("set_limit_amps_phases", '{"amps":16,"phases":2}'),
        ("enable", "one"),
        ("enable_disable", '{"state":"Maybe"}'),
        ("enable_disable", "{"),
    ],
)
def test_a_payload_that_makes_no_sense_is_one_warning_and_no_call(
    on_bench: Any, caplog: Any, name: str, payload: str
) -> None:
    async def story(bench: Bench) -> None:
        bench.mqtt.receive(f"{CMD}/{name}", payload)
        await asyncio.sleep(0.1)
        assert bench.evse.calls == [] and bench.sink.limits == []
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert name in caplog.text

    on_bench(story)


def test_a_command_waits_until_every_evse_is_ready(run: Run, runtime: Any) -> None:
    async def main() -> None:
        bench = Bench(runtime)
        await bench.assembly.start()
        bench.mqtt.receive(f"{CMD}/pause_charging")
        await asyncio.sleep(1.0)
        assert bench.evse.calls == []
        bench.evse.ready.publish(True)
        await asyncio.sleep(0.1)
        assert bench.evse.calls == [("pause_charging",)]
        await bench.assembly.stop()

    run(main())


def test_an_energy_node_without_an_evse_is_a_finding_at_start(run: Run, runtime: Any) -> None:
    async def main() -> None:
        assembly = charger(runtime, API, CONNECTIONS, mapped=False)
        with pytest.raises(ConfigError, match="evse_energy_sink grid has no mapping"):
            await assembly.start()

    run(main())


def test_a_file_with_the_charger_information_wins_and_a_broken_one_is_told(
    run: Run, runtime: Any, tmp_path: Any
) -> None:
    async def main() -> None:
        (tmp_path / "info.json").write_text('{"vendor": "Filed"}')
        bench = Bench(runtime, charger_information_file="/info.json")
        await bench.start()
        assert bench.var("info/var/info") == {"vendor": "Filed"}
        await bench.assembly.stop()
        for wrong in ("{", "[" * 2000, "vendor: 2001-14-45", "? [1]\n: 2", "a: &a [*a]"):
            (tmp_path / "info.json").write_text(wrong)
            broken = Bench(runtime, charger_information_file="/info.json")
            await broken.start()
            assert broken.mqtt.last("everest_api/info/var/info") is None
            await broken.assembly.stop()

    run(main())
