"""Faults of a life: how each is injected, and how it is cleared again.

What lives in the charger (a supply that refuses, a book of faults) goes with a restart; the world's faults stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from chargebyte_fw.board.link.messages.charge_som import EstopState
from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, ValidationResult
from chargebyte_fw.kernel.can_bus import CanFrame
from chargebyte_fw.kernel.clock import ClockLoop
from chargebyte_fw.kernel.errors import CommandError, Unavailable
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.modules.power.infypower import messages as infypower
from chargebyte_fw.modules.power.messages import Measured, Output, Reading, SelfTested
from chargebyte_fw.sim.mcu_hardware import Hardware
from tests.soak.scene import Scene

Do = Callable[[Scene], None]
INJECT: dict[str, Do] = {}
CLEAR: dict[str, Do] = {}
INJECTED = "injected: the module fails"
"""Why a module fails that was let fail; any other reason is a finding."""


def nothing(_scene: Scene) -> None:
    """Clear what is over by itself."""


def fault(name: str, clear: Do = nothing) -> Callable[[Do], Do]:
    """Declare a fault by the function that injects it."""

    def declare(inject: Do) -> Do:
        INJECT[name], CLEAR[name] = inject, clear
        return inject

    return declare


def later(delay_s: float, do: Callable[..., Any], *values: Any) -> None:
    """Do something after a while."""
    asyncio.get_running_loop().call_later(delay_s, do, *values)


# -- the safety controller's line


@fault("uart cut", lambda scene: scene.line.mend())
def uart_cut(scene: Scene) -> None:
    scene.line.close()
    scene.line.is_cut = True


@fault("uart cut for a moment", lambda scene: scene.line.mend())
def uart_cut_for_a_moment(scene: Scene) -> None:
    scene.line.cut(scene.chance.choice((0.15, 0.35, 0.6, 2.0)))


def _noise(share: float) -> Do:
    return lambda scene: setattr(scene.line, "noise_share", share)


fault("uart noise", _noise(0.0))(_noise(0.25))


@fault("uart garbage")
def uart_garbage(scene: Scene) -> None:
    for number in range(20):
        later(0.03 * number, scene.world.mcu.noise, scene.chance.randbytes(scene.chance.randint(1, 64)))


fault("uart late", lambda scene: setattr(scene.line, "delay_s", 0.0))(
    lambda scene: setattr(scene.line, "delay_s", scene.chance.choice((0.08, 0.3, 0.7)))
)


# -- the safety controller and what is wired to it


@fault("controller resets")
def controller_resets(scene: Scene) -> None:
    scene.world.mcu.reset_line(False)
    later(0.05, scene.world.mcu.reset_line, True)


@fault("controller dark", lambda scene: setattr(scene, "controller_dark", False))
def controller_dark(scene: Scene) -> None:
    scene.controller_dark = True


@fault("controller reports an error")
def controller_reports_an_error(scene: Scene) -> None:
    module, reason = scene.chance.choice((("APP_SYSTEM", 5), ("APP_TEMP", 2), ("APP_COMM", 0), ("MW_ADC", 3)))
    scene.world.mcu.report_error(module, reason)
    later(3.0, scene.world.mcu.report_error, module, reason, False)


def _hardware(change: Callable[[Hardware], None]) -> Do:
    def do(scene: Scene) -> None:
        change(scene.hardware)
        scene.world.mcu.inputs_changed()

    return do


def _set(name: str, value: Any) -> Do:
    return _hardware(lambda hardware: setattr(hardware, name, value))


def _contactor(name: str, value: Any) -> Do:
    return _hardware(lambda hardware: setattr(hardware.contactors[0], name, value))


fault("parameters of another version", _set("parameter_mismatch", False))(_set("parameter_mismatch", True))
fault("emergency stop", _hardware(lambda hardware: hardware.estops.__setitem__(0, EstopState.NOT_TRIPPED)))(
    _hardware(lambda hardware: hardware.estops.__setitem__(0, EstopState.TRIPPED))
)


def release_contactor(scene: Scene) -> None:
    """Repair a welded contactor: it opens unless it is ordered to be closed."""
    contactor = scene.hardware.contactors[0]
    if contactor.welded:
        contactor.welded = False
        contactor.closed = scene.world.mcu.mcu.life.ordered[0]
        scene.pilot.contactors_closed = scene.hardware.phases_connected > 0
        scene.world.mcu.inputs_changed()


fault("contactor welded", release_contactor)(_contactor("welded", True))


@fault("contactor closed without order", release_contactor)
def contactor_closed_without_order(scene: Scene) -> None:
    contactor = scene.hardware.contactors[0]
    contactor.welded = contactor.closed = True
    scene.pilot.contactors_closed = True
    scene.world.mcu.inputs_changed()


fault("contactor stuck open", _contactor("stuck_open", False))(_contactor("stuck_open", True))
fault("contactor feedback inverted", _contactor("denies", False))(_contactor("denies", True))


def _temperature(name: str, value: Any) -> Do:
    return _hardware(lambda hardware: setattr(hardware.temperatures[0], name, value))


fault("over temperature", _temperature("value_C", 25.0))(_temperature("value_C", 120.0))
fault("temperature sensor broken", _temperature("broken", False))(_temperature("broken", True))
fault("residual current self test", _set("rcm_self_test_fails", False))(_set("rcm_self_test_fails", True))


def _pilot(name: str, value: Any) -> Do:
    return lambda scene: setattr(scene.pilot, name, value)


fault("residual current", _pilot("residual_current_mA", 0.0))(_pilot("residual_current_mA", 30.0))
fault("pilot short", _pilot("cp_short", False))(_pilot("cp_short", True))
fault("diode bridged", _pilot("diode_fault", False))(_pilot("diode_fault", True))


@fault("pilot open for a moment")
def pilot_open_for_a_moment(scene: Scene) -> None:
    pilot, before = scene.pilot, scene.pilot.car_state
    number = scene.number
    pilot.car_state = "A"

    def join() -> None:
        if scene.number == number and pilot.car_state == "A" and scene.plugged_by_script:
            pilot.car_state = before

    # Less than a second: by then the car itself has given up and pulled its plug, which must not be joined again.
    later(scene.chance.choice((0.05, 0.3, 0.8)), join)


def _proximity(code: int | None) -> Do:
    def do(scene: Scene) -> None:
        scene.forced_pp = code
        scene.pilot.pp_code = code if code is not None else 3 * scene.pilot.plugged

    return do


fault("proximity open", _proximity(None))(_proximity(0))
fault("proximity invalid", _proximity(None))(_proximity(7))

# -- the power supply


def _book(module_id: str, implementation: str, error: str, severity: Severity) -> None:
    def raised(scene: Scene) -> None:
        scene.implementation(module_id, implementation).faults.raise_fault(error, "injected", severity=severity)

    def cleared(scene: Scene) -> None:
        if scene.assembly is not None:
            scene.implementation(module_id, implementation).faults.clear(error)

    fault(_NAMES[module_id, error], cleared)(raised)


_NAMES = {
    ("powersupply_dc", "power_supply_DC/UnderVoltageAC"): "supply fault",
    ("powersupply_dc", "power_supply_DC/OverTemperature"): "supply over temperature",
    ("powersupply_dc", "powermeter/CommunicationFault"): "meter fault",
    ("imd", "isolation_monitor/DeviceFault"): "insulation monitor fault",
}
_book("powersupply_dc", "main", "power_supply_DC/UnderVoltageAC", Severity.High)
_book("powersupply_dc", "main", "power_supply_DC/OverTemperature", Severity.Medium)
_book("powersupply_dc", "powermeter", "powermeter/CommunicationFault", Severity.Medium)
_book("imd", "main", "isolation_monitor/DeviceFault", Severity.High)


def _gate(module_id: str, change: Callable[[Any], Any]) -> tuple[Do, Do]:
    """Let the effects of a simulated device pass through `change` (None: it is not published)."""

    def inject(scene: Scene) -> None:
        module = scene.module(module_id)

        def act(effect: Any) -> None:
            effect = change(effect)
            if effect is not None:
                module._act(effect)

        module.pump._act = act

    def clear(scene: Scene) -> None:
        if scene.assembly is not None:
            module = scene.module(module_id)
            module.pump._act = module._act

    return inject, clear


def _gated(name: str, module_id: str, change: Callable[[Any], Any]) -> None:
    inject, clear = _gate(module_id, change)
    fault(name, clear)(inject)


def _volts(voltage_V: float) -> Callable[[Any], Any]:
    return lambda effect: Output(voltage_V, effect.current_A) if isinstance(effect, Output) else effect


_gated(
    "supply silent",
    "powersupply_dc",
    lambda effect: None if isinstance(effect, Output | Reading) else effect,
)
_gated("supply without voltage", "powersupply_dc", _volts(0.0))
_gated("supply with too much voltage", "powersupply_dc", _volts(1200.0))
_gated("meter silent", "powersupply_dc", lambda effect: None if isinstance(effect, Reading) else effect)
_gated(
    "meter runs backwards",
    "powersupply_dc",
    lambda effect: Reading(effect.voltage_V, effect.current_A, 0.0, 0.0) if isinstance(effect, Reading) else effect,
)
_gated("insulation monitor silent", "imd", lambda effect: None)
_gated("insulation bad", "imd", lambda effect: Measured(20_000.0) if isinstance(effect, Measured) else effect)
_gated(
    "insulation self test fails", "imd", lambda effect: SelfTested(False) if isinstance(effect, SelfTested) else effect
)


def _replace_command(module_id: str, name: str, command: Any) -> Do:
    return lambda scene: setattr(scene.implementation(module_id), name, command)


def _restore_commands(module_id: str, *names: str) -> Do:
    def do(scene: Scene) -> None:
        if scene.assembly is not None:
            for name in names:
                vars(scene.implementation(module_id)).pop(name, None)

    return do


def _answers_late_no_more(scene: Scene) -> None:
    scene.supply_is_late.set()
    _restore_commands("powersupply_dc", "setMode", "setExportVoltageCurrent")(scene)


@fault("supply answers late", _answers_late_no_more)
def supply_answers_late(scene: Scene) -> None:
    supply = scene.implementation("powersupply_dc")
    kind, delay_s = type(supply), scene.chance.choice((0.5, 5.0, 45.0))
    mended = scene.supply_is_late = asyncio.Event()

    async def set_mode(mode: Any, phase: Any) -> None:
        # What still waits when the supply is mended is done then, in its order.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await mended.wait()
        await kind.setMode(supply, mode, phase)

    supply.setMode = set_mode
    scene.supply_obeys_from_s = float("inf")


@fault("supply refuses", _restore_commands("powersupply_dc", "setMode", "setExportVoltageCurrent"))
def supply_refuses(scene: Scene) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise CommandError("HandlerException", "injected")

    supply = scene.implementation("powersupply_dc")
    supply.setMode = supply.setExportVoltageCurrent = refuse
    scene.supply_obeys_from_s = float("inf")


@fault("supply has no power to give", lambda scene: _capabilities(scene, restore=True))
def supply_has_no_power_to_give(scene: Scene) -> None:
    _capabilities(scene, restore=False)


def _capabilities(scene: Scene, *, restore: bool) -> None:
    if scene.assembly is None:
        return
    variable = scene.implementation("powersupply_dc").capabilities
    if not restore and variable.value is not None:
        # Injected twice, it keeps what the supply said before the first time.
        scene.capabilities = scene.capabilities or variable.value
        import msgspec

        variable.publish(msgspec.structs.replace(variable.value, max_export_power_W=0.0, max_export_current_A=0.0))
    elif restore and scene.capabilities is not None:
        variable.publish(scene.capabilities)
        scene.capabilities = None


# -- rectifier modules on CAN


def _can_is_back(scene: Scene) -> None:
    scene.can.plug.cut = False
    scene.supply_obeys_from_s = max(scene.supply_obeys_from_s, asyncio.get_running_loop().time())


fault("CAN lost", _can_is_back)(lambda scene: setattr(scene.can.plug, "cut", True))


@fault("CAN garbage")
def can_garbage(scene: Scene) -> None:
    for number in range(30):
        frame = CanFrame(scene.chance.getrandbits(29), scene.chance.randbytes(8))
        later(0.02 * number, scene.can.peer.send, frame.encode())


def _modules(change: Callable[[Any], None]) -> Do:
    def do(scene: Scene) -> None:
        for module in scene.world.power_modules.modules:
            change(module)

    return do


def _dark(module: Any) -> None:
    module.powered = False
    module.restart()


fault("module alarm", _modules(lambda module: module.alarms.clear()))(
    lambda scene: scene.world.power_modules.modules[0].alarms.add(scene.chance.choice(infypower.ALARMS))
)
fault("modules without power", _modules(lambda module: setattr(module, "powered", True)))(_modules(_dark))


@fault("modules refuse", _modules(lambda module: module.refuses.clear()))
def modules_refuse(scene: Scene) -> None:
    for module in scene.world.power_modules.modules:
        module.refuses[infypower.SWITCH] = 3
    # They refuse to be switched off as well.
    scene.supply_obeys_from_s = float("inf")


# -- modules without which a car charges


@fault("cloud fails")
def cloud_fails(scene: Scene) -> None:
    """Every module that may fail alone does, at once: API, RpcApi, the error history and the stores."""
    if scene.assembly is None:
        return
    for module_id in scene.assembly.failures:
        module = scene.assembly.modules[module_id]
        if not module.failed.done():
            module.crash(Unavailable(INJECTED))


# -- the power line and ISO 15118


def _loss(share: float) -> Do:
    return lambda scene: setattr(scene.world.modems.line.options, "loss", share)


fault("frames lost", _loss(0.0))(_loss(0.35))


@fault("line dead", lambda scene: _line_dead(scene, False))
def line_dead(scene: Scene) -> None:
    _line_dead(scene, True)


def _line_dead(scene: Scene, dead: bool) -> None:
    scene.world.modems.line.options.loss = float(dead)
    scene.net.dead = dead


def _modem(name: str, powered: bool) -> Do:
    return lambda scene: scene.world.modems.power(name, powered)


@fault("charger's modem resets")
def charger_modem_resets(scene: Scene) -> None:
    scene.world.modems.power("charger", False)
    later(scene.chance.choice((0.3, 2.0, 8.0)), scene.world.modems.power, "charger", True)


fault("charger's modem dark", _modem("charger", True))(_modem("charger", False))
fault("car's modem dark", _modem("car", True))(_modem("car", False))


@fault("hostile SLAC frames")
def hostile_slac_frames(scene: Scene) -> None:
    port = scene.world.modems._ports["charger"]
    for number in range(30):
        mme = scene.chance.choice((0x6064, 0x606E, 0x6076, 0x607C, 0x6009, 0xA038, 0xA009, 0x6086))
        body = scene.chance.randbytes(scene.chance.choice((0, 1, 20, 60, 200)))
        header = scene.chance.choice((b"\x02\0\0\0\0\x01", b"\xff" * 6)) + scene.chance.randbytes(6) + b"\x88\xe1"
        frame = header + bytes([scene.chance.choice((0, 1, 1))]) + mme.to_bytes(2, "little") + body
        later(0.05 * number, port.send, frame)


def _net(name: str, value: Any) -> Do:
    return lambda scene: setattr(scene.garbled, name, value)


fault("SDP lost", _net("sdp_lost", False))(_net("sdp_lost", True))
fault("SDP garbage", _net("sdp_garbage", False))(_net("sdp_garbage", True))
fault("EXI garbage", _net("exi_share", 0.0))(_net("exi_share", 0.2))


@fault("TCP reset")
def tcp_reset(scene: Scene) -> None:
    scene.garbled.reset()


class _Foreign:
    """A connection of somebody who is no car."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.line: Any = None

    def connected(self) -> None:
        self.line.send(self.data)

    def received(self, data: bytes) -> None:
        """Not looked at."""

    def disconnected(self, reason: str) -> None:
        """Not looked at."""


@fault("foreign TCP connections", lambda scene: _close_foreign(scene))
def foreign_tcp_connections(scene: Scene) -> None:
    from chargebyte_fw.modules.v2g.link import TCP_PORT

    peer = scene.foreign_net._host.peer
    assert peer is not None
    scene.foreign_net.open(lambda data: None)
    for _ in range(scene.chance.choice((1, 3, 12))):
        length = scene.chance.choice((4, 40, 70_000))
        header = scene.chance.choice((b"\x01\xfe\x80\x01" + length.to_bytes(4, "big"), b"GET / HTTP/1.1\r\n\r\n", b""))
        who = _Foreign(header + scene.chance.randbytes(scene.chance.choice((0, 30, 900))))
        who.line = scene.foreign_net.connect(peer.address, TCP_PORT, who)
        scene.foreign_lines.append(who.line)
        scene.foreign_net.send_sdp(scene.chance.randbytes(scene.chance.choice((1, 10, 2000))))


def _close_foreign(scene: Scene) -> None:
    lines, scene.foreign_lines = scene.foreign_lines, []
    for line in lines:
        line.close()
    scene.foreign_net.close()


# -- energy, files, time, authorization


def limit(value_A: float) -> Do:
    """Limit the current over the API."""
    return lambda scene: scene.command("set_limit_amps", str(value_A))


fault("energy limit 0", limit(63.0))(limit(0.0))
fault("energy limit low", limit(63.0))(limit(4.0))


@fault("energy management silent", lambda scene: _energy_silent(scene, False))
def energy_management_silent(scene: Scene) -> None:
    _energy_silent(scene, True)


def _energy_silent(scene: Scene, silent: bool) -> None:
    if scene.assembly is None:
        return
    leaf = scene.implementation("connector", "energy_grid")
    if silent:

        async def ignore(*_: Any, **__: Any) -> None:
            return None

        leaf.enforce_limits = ignore
    else:
        vars(leaf).pop("enforce_limits", None)


def _file_size(limit_bytes: int) -> Do:
    def do(scene: Scene) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))

    return do


fault("disk full", _file_size(resource.RLIM_INFINITY))(_file_size(0))


@fault("store damaged")
def store_damaged(scene: Scene) -> None:
    for path in sorted(scene.state.rglob("*.db")):
        with contextlib.suppress(OSError):  # a full disk takes no damage either
            path.write_bytes(scene.chance.randbytes(4096))


def _wall_clock(jump: timedelta) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ClockLoop)
    loop._started_at += jump


def _wall_clock_back(scene: Scene) -> None:
    _wall_clock(-scene.wall_jump)
    scene.wall_jump = timedelta()


def _jumps(*days: float) -> Do:
    def do(scene: Scene) -> None:
        jump = timedelta(days=scene.chance.choice(days))
        scene.wall_jump += jump
        _wall_clock(jump)

    return do


fault("wall clock ahead", _wall_clock_back)(_jumps(0.02, 1.0, 3650.0))
fault("wall clock back", _wall_clock_back)(_jumps(-0.02, -1.0, -18_000.0))


@fault("token refused", _restore_commands("token_validator", "validate_token"))
def token_refused(scene: Scene) -> None:
    async def refuse(*_: Any, **__: Any) -> ValidationResult:
        return ValidationResult(authorization_status=AuthorizationStatus.Blocked, tariff_messages=[])

    scene.implementation("token_validator").validate_token = refuse


@fault("token validation late", _restore_commands("token_validator", "validate_token"))
def token_validation_late(scene: Scene) -> None:
    validator = scene.implementation("token_validator")
    kind, delay_s = type(validator), scene.chance.choice((8.0, 40.0))

    async def validate(provided_token: Any) -> Any:
        await asyncio.sleep(delay_s)
        return await kind.validate_token(validator, provided_token)

    validator.validate_token = validate


fault("charger restarts")(nothing)
