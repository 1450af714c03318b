"""What cars, operators and attackers do in a life."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from chargebyte_fw.contracts.types.authorization import (
    AuthorizationType,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
)
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.sim.car_models import PROTOCOLS
from tests.soak import hostile
from tests.soak.scene import Scene

Do = Callable[[Scene], None]

SESSIONS = {
    "dc": "sleep 0.5;iso_wait_slac_matched;iso_start_v2g_session DC 86400 0;iso_wait_pwr_ready;"
    "wait_for_soc 99;iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug",
    "ac-hlc": "sleep 0.5;iso_wait_slac_matched;iso_start_v2g_session AC 86400 0;iso_wait_pwr_ready;"
    "iso_draw_power_regulated 16,3;wait_for_soc 99;iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug",
    "ac": "sleep 0.5;iec_wait_pwr_ready;sleep 1;draw_power_regulated 16,3;wait_for_soc 99;pause;sleep 2;unplug",
}
SESSIONS["infypower"] = SESSIONS["dc"]
STOPS = {
    "ac": "pause;sleep 2;unplug",
    "hlc": "iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug",
}


def session_of(scene: Scene) -> str:
    """Return the script of a car that comes and charges; without 5 % on the pilot it does not speak ISO 15118."""
    basic = scene.life.kind == "ac-hlc" and not scene.life.keys["connector"]["ac_enforce_hlc"]
    return SESSIONS["ac" if basic else scene.life.kind]


def charge(scene: Scene) -> None:
    """Let the car begin its session; one that is plugged in stays in."""
    if scene.pilot.plugged:
        scene.drive(session_of(scene))
        return
    if scene.number == 0:
        scene.new_car()
    scene.drive(session_of(scene), fresh=True)


def another(scene: Scene) -> None:
    """Pull the plug, and let another car come."""
    scene.drive("unplug")
    scene.new_car()
    scene.drive(f"sleep 1.2;{session_of(scene)}")


def _drive(script: str) -> Do:
    return lambda scene: scene.drive(script)


def _state(letter: str) -> Do:
    def show(scene: Scene) -> None:
        if scene.pilot.plugged:
            scene.pilot.car_state = letter

    return show


def _stop(scene: Scene) -> None:
    scene.drive(STOPS["hlc" if scene.world.car._v2g.active else "ac"])


def _pause(scene: Scene) -> None:
    scene.drive("iso_pause_charging;iso_wait_for_resume" if scene.world.car._v2g.active else "pause")


def _resume(scene: Scene) -> None:
    if not scene.pilot.plugged:
        return
    if scene.hlc:
        mode = "AC" if scene.life.kind == "ac-hlc" else "DC"
        scene.drive(
            f"iso_start_bcb_toggle 2;iso_wait_pwm_is_running;iso_start_v2g_session {mode};iso_wait_pwr_ready;"
            + ("iso_draw_power_regulated 16,3;" if mode == "AC" else "")
            + "wait_for_soc 99"
        )
    else:
        scene.drive("draw_power_regulated 16,3;wait_for_soc 99")


def _silent(scene: Scene) -> None:
    scene.world.car.fall_silent()


def _renegotiates(scene: Scene) -> None:
    _change_facts(scene, renegotiate=True)


def _reports_an_error(scene: Scene) -> None:
    _change_facts(scene, error_code="FAILED_RESSTemperatureInhibit")


def _change_facts(scene: Scene, **values: Any) -> None:
    side = scene.world.car._v2g
    for name, value in values.items():
        setattr(side.facts, name, value)
    if side._pump is not None:
        side._pump.feed(evcc.FactsChanged())


def _protocol(name: str) -> Do:
    def choose(scene: Scene) -> None:
        another(scene)
        scene.world.car.settings.protocols = PROTOCOLS[name]

    return choose


def _basic(scene: Scene) -> None:
    scene.drive("unplug")
    scene.new_car()
    scene.drive(f"sleep 1.2;{SESSIONS['ac']}")


CAR: dict[str, Do] = {
    "charge": charge,
    "another": another,
    "unplug": _drive("unplug"),
    "replug": lambda scene: scene.drive(f"unplug;sleep 1.2;{session_of(scene)}"),
    "swap": lambda scene: (scene.drive("unplug"), scene.new_car(), scene.drive(session_of(scene)))[0],
    "stop": _stop,
    "pause": _pause,
    "resume": _resume,
    "state B": _state("B"),
    "state C": _state("C"),
    "state D": _state("D"),
    "wake": _drive("iso_start_bcb_toggle 3"),
    "never begins": lambda scene: (another(scene), scene.drive("sleep 1.2;pause"))[0],
    "draws unasked": _drive("draw_power_fixed 16,3;wait_for_soc 99"),
    "basic": _basic,
    "silent": _silent,
    "closes TCP": lambda scene: scene.world.car._v2g.fail("the car closes the connection"),
    "renegotiates": _renegotiates,
    "reports an error": _reports_an_error,
    "din": _protocol("din"),
    "iso2": _protocol("iso2"),
    "no SLAC": lambda scene: (another(scene), scene.drive("sleep 1.2;iso_wait_pwm_is_running"))[0],
    "no V2G": lambda scene: (another(scene), scene.drive("sleep 1.2;iso_wait_slac_matched"))[0],
}


# -- commands


def _evse(name: str, *arguments: Any) -> Do:
    return lambda scene: scene.call("connector", "evse", name, *arguments)


def _mqtt(name: str, payload: str = "") -> Do:
    return lambda scene: scene.command(name, payload)


def _rpc(method: str, **params: Any) -> Do:
    def send(scene: Scene) -> None:
        if scene.rpc is not None:
            scene.rpc.send_request(method, **params)

    return send


def _reserve(scene: Scene) -> None:
    from chargebyte_fw.contracts.types.reservation import Reservation

    until = utc_now() + timedelta(seconds=scene.chance.choice((20, 600)))
    token = scene.chance.choice(("DEADBEEF", "SOMEONE"))
    wish = Reservation(reservation_id=scene.chance.randint(1, 3), id_token=token, expiry_time=rfc3339(until), evse_id=1)
    scene.call("auth", "reservation", "reserve_now", wish)


def cancel_reservations(scene: Scene) -> None:
    """Cancel whatever a life has reserved."""
    for number in (1, 2, 3):
        scene.call("auth", "reservation", "cancel_reservation", number)


def _withdraw(scene: Scene) -> None:
    from chargebyte_fw.contracts.types.authorization import WithdrawAuthorizationRequest

    scene.call("auth", "main", "withdraw_authorization", WithdrawAuthorizationRequest())


def _another_token(scene: Scene) -> None:
    value = scene.chance.choice(("DEADBEEF", "SOMEONE"))
    token = IdToken(value=value, type=IdTokenType.ISO14443)
    scene.implementation("token_provider").provided_token.publish(
        ProvidedIdToken(id_token=token, authorization_type=AuthorizationType.RFID)
    )


def _rpc_limit(scene: Scene) -> None:
    _rpc("EVSE.SetACChargingCurrent", evse_index=1, max_current=scene.chance.choice((0.0, 7.5, 32.0)))(scene)


def _rpc_questions(scene: Scene) -> None:
    for method in ("ChargePoint.GetEVSEInfos", "ChargePoint.GetActiveErrors"):
        _rpc(method)(scene)
    for method in ("EVSE.GetInfo", "EVSE.GetStatus", "EVSE.GetHardwareCapabilities", "EVSE.GetMeterData"):
        _rpc(method, evse_index=1)(scene)


def _limit(name: str, *values: str) -> Do:
    return lambda scene: scene.command(name, scene.chance.choice(values))


def _allowed(allowed: bool) -> Do:
    return _rpc("EVSE.SetChargingAllowed", evse_index=1, charging_allowed=allowed)


COMMANDS: dict[str, Do] = {
    "pause": _mqtt("pause_charging"),
    "resume": _mqtt("resume_charging"),
    "enable": _mqtt("enable", "0"),
    "disable": _mqtt("disable", "0"),
    "charging not allowed": _allowed(False),
    "charging allowed": _allowed(True),
    "stop": _mqtt("stop_charging"),
    "stop with emergency": _evse(
        "stop_transaction", StopTransactionRequest(reason=StopTransactionReason.EmergencyStop)
    ),
    "unlock": _mqtt("force_unlock", "1"),
    "reserve": _reserve,
    "cancel reservation": cancel_reservations,
    "withdraw authorization": _withdraw,
    "another token": _another_token,
    "limit A": _limit("set_limit_amps", "0", "6", "10", "16", "-5", "1000"),
    "limit W": _limit("set_limit_watts", "0", "1000", "5000", "100000", "-2000"),
    "limit phases": _limit(
        "set_limit_amps_phases",
        *(json.dumps({"amps": amps, "phases": phases}) for amps in (0, 10, 16) for phases in (1, 3)),
    ),
    "RPC limit": _rpc_limit,
    "RPC questions": _rpc_questions,
    "hostile MQTT": hostile.mqtt,
    "hostile wire": hostile.wire,
    "hostile RPC": hostile.rpc,
}


def restore(scene: Scene) -> None:
    """Take back what commands have left: disabled, not allowed, limited, reserved."""
    for connector in ("0", "1"):
        _mqtt("enable", connector)(scene)
    _rpc("EVSE.SetACChargingCurrent", evse_index=1, max_current=63.0)(scene)
    _allowed(True)(scene)
    _mqtt("set_limit_amps", "63")(scene)
    cancel_reservations(scene)
    if scene.dc:
        scene.mailbox.takers["everest_api/imd/cmd/set_resistance"]("everest_api/imd/cmd/set_resistance", "900000")
