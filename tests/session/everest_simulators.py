"""EVerest's simulators as far as a test of ours needs them: the interfaces and keys that its configurations name."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.ac_rcd import AcRcd
from chargebyte_fw.contracts.interfaces.car_simulator import CarSimulator
from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.contracts.interfaces.ev_board_support import EvBoardSupport
from chargebyte_fw.contracts.interfaces.ev_manager import EvManager as EvManagerContract
from chargebyte_fw.contracts.interfaces.ev_slac import EvSlac
from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.iso15118_ev import Iso15118Ev
from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.board_support_common import BspEvent, BspEventEvent
from chargebyte_fw.contracts.types.evse_board_support import (
    HardwareCapabilities,
    HardwareCapabilitiesConnectorType,
    PowerOnOff,
)
from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires
from chargebyte_fw.sim.idle import idle


class BoardSupport(idle(EvseBoardSupport)):  # type: ignore[misc]
    """A board whose contactors follow their permission in state C."""

    cp = BspEventEvent.A
    closed = False
    permitted = False
    duty_percent = 100.0

    def becomes(self, cp: BspEventEvent) -> None:
        """Publish a state of the control pilot."""
        self.cp = cp
        self.event.publish(BspEvent(event=cp))
        self._switch()

    def _switch(self) -> None:
        closed = self.permitted and self.cp is BspEventEvent.C
        if closed != self.closed:
            self.closed = closed
            self.event.publish(BspEvent(event=BspEventEvent.PowerOn if closed else BspEventEvent.PowerOff))

    async def pwm_on(self, value: float) -> None:
        self.duty_percent = value

    async def cp_state_X1(self) -> None:
        self.duty_percent = 100.0

    async def allow_power_on(self, value: PowerOnOff) -> None:
        self.permitted = value.allow_power_on
        self._switch()


class OneConnector(ModuleConfig):
    connector_id: int = 1


class YetiSimulator(Module):
    """A board."""

    Config = OneConnector
    board_support = provides(BoardSupport)
    ev_board_support = provides(idle(EvBoardSupport))
    powermeter = provides(idle(Powermeter))
    rcd = provides(idle(AcRcd))
    connector_lock = provides(idle(ConnectorLock))

    async def ready(self) -> None:
        self.board_support.capabilities.publish(
            HardwareCapabilities(
                max_current_A_import=32.0,
                min_current_A_import=6.0,
                max_phase_count_import=3,
                min_phase_count_import=1,
                max_current_A_export=16.0,
                min_current_A_export=0.0,
                max_phase_count_export=3,
                min_phase_count_export=1,
                supports_changing_phases_during_charging=False,
                supports_cp_state_E=False,
                connector_type=HardwareCapabilitiesConnectorType.IEC62196Type2Cable,
            )
        )
        self.board_support.becomes(BspEventEvent.A)


class EvseSlacOf(idle(Slac)):  # type: ignore[misc]
    """Matches as soon as a car is there."""

    def _becomes(self, state: State) -> None:
        self.state.publish(state)
        self.dlink_ready.publish(state is State.MATCHED)

    async def enter_bcd(self) -> None:
        self._becomes(State.MATCHED)

    async def leave_bcd(self) -> None:
        self._becomes(State.UNMATCHED)

    async def dlink_terminate(self) -> None:
        self._becomes(State.UNMATCHED)

    async def dlink_error(self) -> None:
        self._becomes(State.UNMATCHED)


class SlacSimulator(Module):
    """Both modems."""

    evse = provides(EvseSlacOf)
    ev = provides(idle(EvSlac))


class CarConfig(ModuleConfig):
    device: str = "eth0"
    supported_DIN70121: bool = False
    supported_ISO15118_2: bool = False
    supported_ISO15118_20_DC: bool = False
    tls_active: bool = False
    enforce_tls: bool = False


class PyEvJosev(Module):
    """The car's V2G stack: the test has its own."""

    Config = CarConfig
    ev = provides(idle(Iso15118Ev))


class EvManagerConfig(OneConnector):
    auto_enable: bool = False
    auto_exec: bool = False
    auto_exec_commands: str = ""
    dc_target_current: int = 5
    dc_target_voltage: int = 200


class EvManager(Module):
    """The car's script: the test has its own."""

    Config = EvManagerConfig
    main = provides(idle(CarSimulator))
    ev_manager = provides(idle(EvManagerContract))
    ev_board_support: Any = requires(EvBoardSupport)
    ev: Any = requires(Iso15118Ev)
    slac: Any = requires(EvSlac)


class EvAPI(Module):
    """The car's API."""

    ev_manager: Any = requires(EvManagerContract)
