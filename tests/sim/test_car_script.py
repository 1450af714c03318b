"""The car's script does to pilot, SLAC and V2G what each command of EvManager's language says."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.sim import car_events as car
from chargebyte_fw.sim.car_script import Plug, ScriptRunner
from chargebyte_fw.sim.script import parse


class Rig:
    """A runner, its time, and everything it asked for."""

    def __init__(self, script: str, plugin_commands: str = "") -> None:
        self.runner = ScriptRunner(plugin_commands)
        self.now = 0.0
        self.asked: list[Any] = []
        self.feed(car.Run(tuple(parse(script))))

    def feed(self, event: Any) -> list[Any]:
        effects = self.runner.feed(event, self.now)
        self.asked += effects
        return effects

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while self.runner.deadline is not None and self.runner.deadline <= until:
            self.now = self.runner.deadline
            self.asked += self.runner.wake(self.now)
        self.now = until

    def pilots(self) -> list[str]:
        return [effect.cp_state for effect in self.asked if isinstance(effect, car.Hang)]

    def of(self, kind: type) -> list[Any]:
        return [effect for effect in self.asked if isinstance(effect, kind)]


def test_a_basic_car_plugs_in_waits_for_pwm_draws_and_leaves() -> None:
    rig = Rig("sleep 1;iec_wait_pwr_ready;draw_power_regulated 16,3;sleep 8;unplug")
    rig.wait(0.9)
    assert rig.pilots() == []
    rig.wait(0.2)
    assert rig.pilots() == ["B"]
    rig.feed(car.DutySeen(5.0))
    assert rig.pilots() == ["B"], "5 % is an invitation to talk, not to draw"
    rig.feed(car.DutySeen(26.6))
    assert rig.pilots() == ["B", "C"]
    assert rig.of(car.Power) == [car.Power(16.0, 3)]
    rig.wait(9)
    assert rig.pilots() == ["B", "C", "A"]
    assert rig.of(car.Power)[-1] == car.Power(0.0)
    assert rig.asked[-1] == car.Ended()


def test_a_regulated_draw_stops_while_the_pwm_is_gone_and_goes_on_after() -> None:
    rig = Rig("iec_wait_pwr_ready;draw_power_regulated 16,1;sleep 100")
    rig.feed(car.DutySeen(26.6))
    rig.feed(car.DutySeen(100.0))
    rig.feed(car.DutySeen(26.6))
    assert rig.pilots() == ["B", "C", "B", "C"]
    assert [power.current_A for power in rig.of(car.Power)] == [16.0, 0.0, 16.0]


def test_a_fixed_draw_disregards_the_pilot() -> None:
    rig = Rig("iec_wait_pwr_ready;draw_power_fixed 16,3;sleep 100")
    rig.feed(car.DutySeen(26.6))
    rig.feed(car.DutySeen(100.0))
    assert rig.pilots() == ["B", "C"]


def test_a_dc_session_follows_slac_and_v2g() -> None:
    rig = Rig(
        "iso_wait_slac_matched;iso_start_v2g_session DC 86400 0;iso_wait_pwr_ready;iso_wait_for_stop 60;"
        "iso_wait_v2g_session_stopped;unplug"
    )
    assert rig.pilots() == ["B"] and rig.of(car.Match) == []
    rig.feed(car.DutySeen(5.0))
    assert len(rig.of(car.Match)) == 1
    rig.wait(2)
    assert len(rig.of(car.Match)) == 1, "matching is begun once"
    rig.feed(car.SlacReported(True))
    assert rig.of(car.StartV2g) == [car.StartV2g("dc")]
    rig.feed(car.HlcReported(car.Hlc.POWER_READY))
    assert rig.pilots() == ["B", "C"] and rig.runner.state is Plug.ISO_POWER_READY
    rig.feed(car.HlcReported(car.Hlc.DC_POWER_ON))
    assert rig.runner.state is Plug.ISO_CHARGING_REGULATED
    rig.wait(61)
    assert rig.of(car.StopV2g) == [car.StopV2g()]
    assert rig.pilots() == ["B", "C"], "S2 stays closed until the current is down"
    rig.feed(car.HlcReported(car.Hlc.POWER_OFF))
    assert rig.pilots() == ["B", "C", "B"]
    rig.feed(car.HlcReported(car.Hlc.FINISHED))
    assert rig.pilots() == ["B", "C", "B", "A"]


def test_s2_closes_again_where_the_charger_had_the_car_choose_other_services() -> None:
    rig = Rig("iso_wait_slac_matched;iso_start_v2g_session AC 86400 0;iso_wait_pwr_ready;sleep 100;unplug")
    rig.feed(car.DutySeen(5.0))
    rig.feed(car.SlacReported(True))
    for news in (car.Hlc.POWER_READY, car.Hlc.DC_POWER_ON, car.Hlc.POWER_OFF, car.Hlc.POWER_READY):
        rig.feed(car.HlcReported(news))
    assert rig.pilots() == ["B", "C", "B", "C"] and rig.runner.state is Plug.ISO_POWER_READY
    rig.feed(car.HlcReported(car.Hlc.DC_POWER_ON))
    assert rig.runner.state is Plug.ISO_CHARGING_REGULATED
    rig.feed(car.HlcReported(car.Hlc.POWER_OFF))
    rig.feed(car.HlcReported(car.Hlc.FINISHED))
    rig.feed(car.HlcReported(car.Hlc.POWER_READY))
    assert rig.pilots() == ["B", "C", "B", "C", "B"], "the session is over"


def test_the_four_forms_of_starting_a_session() -> None:
    def start(arguments: str) -> car.StartV2g:
        started: list[car.StartV2g] = Rig(f"iso_start_v2g_session {arguments}").of(car.StartV2g)
        return started[0]

    assert start("ac") == car.StartV2g("ac")
    assert start("DC Contract") == car.StartV2g("dc", "contract")
    assert start("AC 3600 5000") == car.StartV2g("ac", "auto", 3600, 5000)
    assert start("AC  3600 5000") == car.StartV2g("ac", "auto", 3600, 5000)
    assert start("AC externalpayment 3600 5000") == car.StartV2g("ac", "externalpayment", 3600, 5000)


def test_an_unknown_mode_never_completes() -> None:
    rig = Rig("iso_start_v2g_session wireless;unplug")
    rig.wait(1000)
    assert rig.of(car.StartV2g) == [] and rig.of(car.Ended) == []


def test_a_pause_by_the_charger_replaces_the_rest_of_the_script() -> None:
    rig = Rig("iso_start_v2g_session DC 86400 0;iso_wait_pwr_ready;iso_wait_for_stop 60;unplug")
    rig.feed(car.HlcReported(car.Hlc.POWER_READY))
    rig.feed(car.HlcReported(car.Hlc.PAUSE_FROM_CHARGER))
    assert rig.pilots()[-1] == "B"
    rig.feed(car.HlcReported(car.Hlc.FINISHED))
    rig.feed(car.DutySeen(5.0))
    rig.wait(3)
    assert rig.of(car.StartV2g) == [car.StartV2g("dc"), car.StartV2g("dc")]


def test_bcb_toggles_end_at_the_count() -> None:
    rig = Rig("iso_wait_pwm_is_running;iso_start_bcb_toggle 2;sleep 10")
    rig.feed(car.DutySeen(5.0))
    rig.wait(5)
    assert rig.pilots() == ["B", "C", "B", "C", "B"]


def test_more_than_three_bcb_toggles_are_three() -> None:
    rig = Rig("iso_wait_pwm_is_running;iso_start_bcb_toggle 9;sleep 10")
    rig.feed(car.DutySeen(5.0))
    rig.wait(5)
    assert rig.pilots().count("C") == 3


def test_replacing_the_script_does_not_pull_the_plug() -> None:
    rig = Rig("iec_wait_pwr_ready;draw_power_regulated 16,3;sleep 36000")
    rig.feed(car.DutySeen(26.6))
    rig.feed(car.Replace(tuple(parse("pause;sleep 36000"))))
    assert rig.pilots() == ["B", "C", "B"]
    rig.feed(car.Replace(tuple(parse("draw_power_regulated 16,3"))))
    assert rig.pilots() == ["B", "C", "B", "C"]
    assert rig.asked[-1] == car.Ended()


def test_a_new_run_resets_the_car_first() -> None:
    rig = Rig("iec_wait_pwr_ready;sleep 36000")
    rig.feed(car.Run(tuple(parse("sleep 1"))))
    assert rig.pilots() == ["B", "A"]
    assert car.DropV2g() in rig.asked


def test_faults_on_the_pilot() -> None:
    rig = Rig("iec_wait_pwr_ready;diode_fail;rcd_current 10.3;error_e;unplug")
    rig.feed(car.DutySeen(26.6))
    assert rig.of(car.Hang) == [car.Hang("B"), car.Hang("B", diode_ok=False), car.Hang("E"), car.Hang("A")]
    assert rig.of(car.Leak) == [car.Leak(10.3)]


def test_waiting_for_a_state_of_charge_ends_with_the_battery_or_with_the_session() -> None:
    rig = Rig("wait_for_soc 80;unplug")
    rig.feed(car.SocSeen(79.9))
    rig.wait(10)
    assert rig.of(car.Ended) == []
    rig.feed(car.SocSeen(80.0))
    assert rig.of(car.Ended) == [car.Ended()]
    cut_short = Rig("wait_for_soc 80;unplug")
    cut_short.feed(car.HlcReported(car.Hlc.FINISHED))
    assert cut_short.of(car.Ended) == [car.Ended()]


def test_plugin_runs_the_plugin_commands_or_says_that_there_are_none() -> None:
    assert Rig("plugin;sleep 1", "iec_wait_pwr_ready").pilots() == ["B"]
    assert Rig("plugin").of(car.Log)
