"""Which faults block, which stop, in what order, and when charging goes on."""

from __future__ import annotations

import asyncio

import pytest

from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.kernel.faults import Severity
from tests.evse.test_ac import charging
from tests.evse.world import Assemble, Run, World


def test_emergency_takes_voltage_and_contactors_away_at_once(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.commands.clear()
        begin = asyncio.get_running_loop().time()
        w.bsp.main.faults.raise_fault("evse_board_support/MREC8EmergencyStop", "button")
        await asyncio.sleep(0.01)
        order = [(who, name) for at, who, name, _ in w.commands if at == begin]
        assert ("supply", "setMode") in order and ("bsp", "allow_power_on") in order
        assert ("bsp", "cp_state_X1") in order and ("hlc", "send_error") in order
        assert order.index(("supply", "setMode")) < order.index(("bsp", "cp_state_X1"))
        assert w.supply.mode is Mode.Off and not w.bsp.closed
        await w.until_state("ChargingPausedEVSE")

    run(story())


def test_error_keeps_the_duty_cycle(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.supply.main.faults.raise_fault("power_supply_DC/OverTemperature", "hot", severity=Severity.Medium)
        await asyncio.sleep(0.2)
        assert w.supply.mode is Mode.Off and not w.bsp.closed
        assert w.pilot() == 5.0

    run(story())


def test_slow_modules_do_not_delay_the_contactors(assemble: Assemble, run: Run) -> None:
    """A board that takes its time for a duty cycle opens its contactors meanwhile."""

    async def story() -> None:
        w = await charging(World(assemble))
        board = w.bsp.main
        slow = asyncio.Event()

        async def pwm_on(value: float) -> None:
            await slow.wait()

        board.pwm_on = pwm_on
        w.limits_A = 10.0
        await asyncio.sleep(6.0)
        board.faults.raise_fault("evse_board_support/MREC8EmergencyStop", "button")
        await asyncio.sleep(0.01)
        assert not w.bsp.closed
        slow.set()

    run(story())


def test_fault_before_a_session_shows_f_and_starts_nothing(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        w.bsp.main.faults.raise_fault("evse_board_support/MREC2GroundFailure", "earth")
        await asyncio.sleep(0.1)
        assert w.pilot() == "F"
        w.bsp.cp("B")
        await asyncio.sleep(2.0)
        assert w.names == []
        w.bsp.main.faults.clear("evse_board_support/MREC2GroundFailure")
        await asyncio.sleep(0.1)
        assert w.pilot() == "X1"
        assert w.names == ["SessionStarted", "AuthRequired"], "the EV is still there"

    run(story())


def test_fault_while_waiting_ends_the_session_without_transaction(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        w.bsp.main.faults.raise_fault("evse_board_support/MREC2GroundFailure", "earth")
        await asyncio.sleep(0.1)
        assert w.state == "Finished"
        assert w.calls("slac", "reset") == [(False,)]
        w.bsp.main.faults.clear("evse_board_support/MREC2GroundFailure")
        await asyncio.sleep(1.0)
        assert w.state == "Finished", "needs a re-plug"
        await w.unplug()
        assert w.names == ["SessionStarted", "AuthRequired", "SessionFinished"]

    run(story())


def test_fault_while_charging_pauses_and_ends_with_the_fault(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        w.bsp.main.faults.raise_fault("ac_rcd/DC", "rcd")
        await w.until_state("ChargingPausedEVSE")
        assert w.pilot() == "F", "a new fault is shown as a pulse of F"
        await asyncio.sleep(0.4)
        assert w.pilot() == "X1"
        assert w.names[-3:] == ["ChargingStarted", "StoppingCharging", "ChargingPausedEVSE"]
        w.bsp.cp("B")
        await asyncio.sleep(0.1)
        w.bsp.main.faults.clear("ac_rcd/DC")
        await w.until_state("PrepareCharging")
        assert len(w.calls("bsp", "cp_state_F")) == 1

    run(story())


@pytest.mark.parametrize(
    ("who", "type", "stops"),
    [
        ("bsp", "evse_board_support/MREC3HighTemperature", False),
        ("bsp", "evse_board_support/MREC18CableOverTempDerate", False),
        ("bsp", "evse_board_support/VendorWarning", False),
        ("bsp", "evse_board_support/VendorError", True),
        ("meter", "powermeter/VendorWarning", False),
        ("meter", "powermeter/CommunicationFault", True),
        ("slac", "generic/VendorWarning", False),
        ("slac", "generic/CommunicationFault", True),
        ("hlc", "generic/VendorError", True),
        ("imd", "isolation_monitor/VendorWarning", False),
        ("imd", "isolation_monitor/DeviceFault", True),
        ("supply", "power_supply_DC/VendorWarning", False),
        ("supply", "power_supply_DC/HardwareFault", True),
        ("monitor", "over_voltage_monitor/MREC5OverVoltage", True),
        ("lock", "connector_lock/MREC1ConnectorLockFailure", True),
        ("lock", "connector_lock/VendorWarning", False),
    ],
)
def test_which_faults_block(assemble: Assemble, run: Run, who: str, type: str, stops: bool) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        getattr(w, who).main.faults.raise_fault(type, "test", severity=Severity.High)
        await asyncio.sleep(0.5)
        assert w.m.evse.faults.is_active("evse_manager/Inoperative") is stops
        assert (not w.bsp.closed) is stops

    run(story())


def test_meter_faults_do_not_block_if_so_configured(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble, fail_on_powermeter_errors=False))
        w.meter.main.faults.raise_fault("powermeter/CommunicationFault", "gone")
        await asyncio.sleep(1.0)
        assert w.state == "Charging"

    run(story())


def test_inoperative_names_its_causes(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        w.bsp.main.faults.raise_fault("evse_board_support/MREC23ProximityFault", "plug", sub_type="PlugRemoval")
        await asyncio.sleep(0.1)
        (fault,) = w.m.evse.faults.active
        assert (fault.type, fault.message) == (
            "evse_manager/Inoperative",
            "evse_board_support/MREC23ProximityFault",
        )
        assert fault.description == "MREC23ProximityFault/PlugRemoval"
        assert (fault.vendor_id, fault.severity, fault.origin.module_id) == ("EVerest", "High", "evse")
        w.bsp.main.faults.raise_fault("ac_rcd/DC", "rcd")
        await asyncio.sleep(0.1)
        (fault,) = w.m.evse.faults.active
        assert fault.description == "MREC23ProximityFault/PlugRemoval, DC"
        w.bsp.main.faults.clear("evse_board_support/MREC23ProximityFault", "PlugRemoval")
        await asyncio.sleep(0.1)
        (fault,) = w.m.evse.faults.active
        assert (fault.message, fault.description) == ("ac_rcd/DC", "DC")

    run(story())


@pytest.mark.parametrize("dc", [False, True])
def test_a_fault_that_each_reset_shows_again_replays_nothing(assemble: Assemble, run: Run, dc: bool) -> None:
    """A controller that is reset again and again reports for a moment that all is well."""

    async def story() -> None:
        w = await World(assemble, dc=dc).start()
        if dc:
            await w.to_charging()
        else:
            await w.to_preparation()
            w.bsp.cp("C")
            await w.until_state("Charging")
        kind = "evse_board_support/VendorError"
        for _ in range(20):
            w.bsp.main.faults.raise_fault(kind, "hot", sub_type="temperature 1 over-temperature")
            w.bsp.cp("F")
            await asyncio.sleep(5.0)
            w.bsp.main.faults.clear(kind, "temperature 1 over-temperature")
            w.bsp.cp("B")
            await asyncio.sleep(0.5)
        seen = w.names
        assert seen.count("PrepareCharging") == 1 and seen.count("SessionStarted") == 1
        assert seen.count("StoppingCharging") == 1 and seen.count("ChargingPausedEVSE") == 1
        assert seen.count("ChargingStarted") <= 2, "once more when the shutdown begins, as EVerest reports it"
        assert "TransactionFinished" not in seen
        await asyncio.sleep(5.0)
        assert w.state in ("PrepareCharging", "WaitingForAuthentication")

    run(story())
