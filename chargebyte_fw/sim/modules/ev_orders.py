"""What a car's script asks for, as commands of EVerest's interfaces: its board, its modem, its V2G stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.interfaces.ev_board_support import EvBoardSupport
from chargebyte_fw.contracts.interfaces.ev_slac import EvSlac
from chargebyte_fw.contracts.interfaces.iso15118_ev import Iso15118Ev
from chargebyte_fw.contracts.types.ev_board_support import EvCpState
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode, PaymentOption, SelectedPaymentOption
from chargebyte_fw.kernel.command_queue import CommandQueue
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.sim import car_events as car
from chargebyte_fw.sim.modules.ev_config import EvConfig

_PAYMENTS = {"externalpayment": PaymentOption.ExternalPayment, "contract": PaymentOption.Contract}


class Orders:
    """One queue for each module that is connected; what goes to one that is not is lost."""

    def __init__(
        self,
        module: Module,
        config: EvConfig,
        board: EvBoardSupport,
        slac: EvSlac | None,
        ev: Iso15118Ev | None,
        plugged: Callable[[bool], None],
    ) -> None:
        self._log = module.log
        self._config = config
        self._plugged = plugged
        self._board = CommandQueue("the car's board", board, module)
        self._slac = None if slac is None else CommandQueue("the car's modem", slac, module)
        self._ev = None if ev is None else CommandQueue("the car's V2G stack", ev, module)
        self._in_session = self._in_network = False
        self._hung = "A"
        self._diode_ok = True
        self._wanted = car.Power(0.0)
        self._limit_A: float | None = None
        """What the charger allows by V2G; None: there is no session."""
        self._direct = False
        """The V2G session is one of DC."""
        self._sent = (False, config.max_current, config.three_phases)
        """Whether the car draws, its current in AC, whether it uses three phases: as ordered."""

    def begin(self) -> None:
        """Enable the car's board: nothing is plugged in, nothing is drawn."""
        config = self._config
        self._board.send("enable", (True,))
        self._board.send("allow_power_on", (False,))
        self._board.send("set_ac_max_current", (config.max_current,))
        self._board.send("set_three_phases", (config.three_phases,))
        self._sent = (False, config.max_current, config.three_phases)

    def end(self) -> None:
        """Disable the car's board."""
        self.act(car.Hang("A"))
        self._board.send("enable", (False,))

    def close(self) -> None:
        """Send nothing more."""
        for queue in (self._board, self._slac, self._ev):
            if queue is not None:
                queue.close()

    def limit(self, current_A: float | None) -> None:
        """Take what the charger allows by V2G."""
        self._limit_A = current_A
        self._draw()

    def soc(self, percent: float) -> None:
        """Give the state of charge to the V2G stack."""
        if self._ev is not None:
            self._ev.send("update_soc", (percent,), latest=True)

    def act(self, effect: Any) -> None:
        """Carry out an effect of the script."""
        match effect:
            case car.Hang(cp_state, diode_ok):
                self._hang(cp_state, diode_ok)
            case car.Power():
                self._wanted = effect
                self._draw()
            case car.Leak(current_mA):
                self._board.send("set_rcd_error", (current_mA,))
            case car.Match():
                self._in_network = True
                self._to(self._slac, "trigger_matching")
            case car.StartV2g():
                self._start_v2g(effect)
            case car.StopV2g(pause):
                self._to(self._ev, "pause_charging" if pause else "stop_charging")
            case car.DropV2g():
                self._leave()
            case car.Log(text):
                self._log.info("%s", text)
            case car.Renegotiate() | car.Standby() | car.Discharge() | car.Misbehave():
                self._log.warning("%s: interface ISO15118_ev has no command for that", type(effect).__name__.lower())

    def _leave(self) -> None:
        """The plug is out: end the session and leave the network. Other cars may share both."""
        self._limit_A, self._direct = None, False
        if self._in_session:
            self._to(self._ev, "stop_charging")
        if self._in_network:
            self._to(self._slac, "reset")
        self._in_session = self._in_network = False

    def _to(self, queue: CommandQueue | None, command: str, args: tuple[Any, ...] = ()) -> None:
        if queue is None:
            self._log.warning("%s: no module is connected for that", command)
        else:
            queue.send(command, args)

    def _hang(self, cp_state: str, diode_ok: bool) -> None:
        if diode_ok is not self._diode_ok:
            self._diode_ok = diode_ok
            self._board.send("diode_fail", (not diode_ok,))
        if cp_state != self._hung:
            self._hung = cp_state
            self._board.send("set_cp_state", (EvCpState(cp_state),))
            if cp_state in ("A", "B"):
                self._plugged(cp_state == "B")

    def _draw(self) -> None:
        """Order what the car draws; in DC its board draws nothing, but has to connect the battery."""
        wanted, before = self._wanted, self._sent
        draws, current_A, three = before
        if wanted.current_A > 0:
            limit_A = 0.0 if self._direct else self._limit_A
            current_A = wanted.current_A if limit_A is None else min(wanted.current_A, limit_A)
            three = wanted.phases == 3
        draws = wanted.current_A > 0
        self._sent = (draws, current_A, three)
        if current_A != before[1]:
            self._board.send("set_ac_max_current", (current_A,))
        if three is not before[2]:
            self._board.send("set_three_phases", (three,))
        if draws is not before[0]:
            self._board.send("allow_power_on", (draws,))

    def _start_v2g(self, start: car.StartV2g) -> None:
        config = self._config
        self._limit_A, self._direct, self._in_session = None, start.mode == "dc", True
        if start.mode == "ac":
            three = config.three_phases
            mode = EnergyTransferMode.AC_three_phase_core if three else EnergyTransferMode.AC_single_phase_core
        else:
            mode = EnergyTransferMode.DC_extended
            self._to(self._ev, "set_dc_params", (config.dc_parameters(),))
            if config.support_sae_j2847:
                self._to(self._ev, "enable_sae_j2847_v2g_v2h")
            self._to(self._ev, "set_bpt_dc_params", (config.dc_bpt_parameters(),))
        payment = SelectedPaymentOption(
            payment_option=_PAYMENTS.get(start.payment), enforce_payment_option=config.force_payment_option
        )
        self._to(self._ev, "start_charging", (mode, payment, start.departure_s, start.energy_Wh / 1000))
