"""EnergyManager: shares out the grid connection among the EVSEs of the energy tree."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.energy import Energy
from chargebyte_fw.contracts.interfaces.energy_manager import EnergyManager as EnergyManagerContract
from chargebyte_fw.contracts.types import energy
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.command_queue import CommandQueue
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.lasting_condition import LastingConditions
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.energy.machine import VALID_INTERVALS, Enforce, Optimizer, Requested, Rules, Silent, WallSet
from chargebyte_fw.modules.energy.phases import PhaseRules, Stickiness, SwitchingMode


class EnergyManager(Module):
    """Shares out what the trunk of the energy tree can carry, and repeats the limits before they expire."""

    class Config(ModuleConfig):
        """Configuration of the optimiser."""

        nominal_ac_voltage: Annotated[
            float, Meta(gt=0, description="Nominal voltage between phase and neutral, in V.")
        ] = 230.0
        update_interval: Annotated[
            int, Meta(ge=1, le=3600, description="Time between two runs, in s; limits hold ten times as long.")
        ] = 1
        schedule_interval_duration: Annotated[
            int, Meta(ge=1, description="Length of one slot of the schedules sent out, in min.")
        ] = 60
        schedule_total_duration: Annotated[
            int, Meta(ge=1, le=168, description="How far schedules reach ahead, in h.")
        ] = 1
        slice_ampere: Annotated[
            float, Meta(ge=0.01, description="What an alternating-current leaf takes in one turn, in A.")
        ] = 0.5
        slice_watt: Annotated[float, Meta(ge=1, description="What a direct-current leaf takes in one turn, in W.")] = (
            500.0
        )
        debug: Annotated[bool, Meta(description="Log the limits of every run, not only those that changed.")] = False
        switch_3ph1ph_while_charging_mode: Annotated[
            SwitchingMode, Meta(description="Whether to change between one and three phases, and back again.")
        ] = SwitchingMode.Never
        switch_3ph1ph_max_nr_of_switches_per_session: Annotated[
            int, Meta(ge=0, description="How often one session may change its phases; 0 is unlimited.")
        ] = 0
        switch_3ph1ph_switch_limit_stickyness: Annotated[
            Stickiness, Meta(description="What to stay with when a session has used up its changes.")
        ] = Stickiness.DontChange
        switch_3ph1ph_power_hysteresis_W: Annotated[
            int, Meta(ge=0, description="Power beyond the three-phase minimum before going back to it, in W.")
        ] = 200
        switch_3ph1ph_time_hysteresis_s: Annotated[
            int, Meta(ge=0, description="Time for which three phases must be the better choice, in s.")
        ] = 600

    config: Config
    main = provides(EnergyManagerContract, description="The manager of the tree.")
    energy_trunk = requires(Energy)

    async def init(self) -> None:
        """Listen to the trunk."""
        self._pump = Pump(Optimizer(self._rules()), self._act, self.crash)
        self._logged: dict[str, energy.LimitsRes] = {}
        self._queues: dict[str, CommandQueue] = {}
        self._unreached = LastingConditions(self.log)
        self.energy_trunk.energy_flow_request.subscribe(self._on_request)
        self.on_wall_set(lambda: self._pump.feed(WallSet(utc_now())))

    async def stop(self) -> None:
        """Share out no more; what was granted runs out."""
        self._pump.close()
        for queue in self._queues.values():
            queue.close()
        self._unreached.close()

    def _rules(self) -> Rules:
        config = self.config
        return Rules(
            voltage_V=config.nominal_ac_voltage,
            update_interval_s=config.update_interval,
            interval=timedelta(minutes=config.schedule_interval_duration),
            total=timedelta(hours=config.schedule_total_duration),
            slice_A=config.slice_ampere,
            slice_W=config.slice_watt,
            switching=PhaseRules(
                mode=config.switch_3ph1ph_while_charging_mode,
                max_switches=config.switch_3ph1ph_max_nr_of_switches_per_session,
                stickiness=config.switch_3ph1ph_switch_limit_stickyness,
                power_hysteresis_W=config.switch_3ph1ph_power_hysteresis_W,
                time_hysteresis_s=config.switch_3ph1ph_time_hysteresis_s,
            ),
        )

    def _on_request(self, request: energy.EnergyFlowRequest) -> None:
        self._pump.feed(Requested(request, utc_now()))

    def _act(self, effect: Any) -> None:
        match effect:
            case Enforce(limits):
                self._log_limits(limits)
                self._queue(limits.uuid).send("enforce_limits", (limits,), latest=True)
            case Silent():
                self.log.warning(
                    "%s has asked for nothing for %d s: its limits run out",
                    self.energy_trunk.module_id,
                    VALID_INTERVALS * self.config.update_interval,
                )
            case Unexpected(state, event):
                self.log.debug("%s does not expect %r", state, event)

    def _queue(self, uuid: str) -> CommandQueue:
        """Return the queue of one leaf: a leaf that is slow to take its limits keeps no other waiting."""
        if uuid not in self._queues:
            report = partial(self._report, uuid)
            self._queues[uuid] = CommandQueue(f"enforce {uuid}", self.energy_trunk, self, report)
        return self._queues[uuid]

    def _report(self, uuid: str, _command: str, error: CommandError | None) -> None:
        if error is None:
            self._unreached.set(uuid, False, f"{uuid} gets its limits again")
        elif error.kind != "Shutdown":
            self._unreached.set(uuid, True, f"{uuid} did not get its limits: {error}")

    def _log_limits(self, limits: energy.EnforcedLimits) -> None:
        granted = limits.limits_root_side
        if self._logged.get(limits.uuid) == granted and not self.config.debug:
            return
        self._logged[limits.uuid] = granted
        log = self.log.every if self.config.debug else self.log.info
        log("%s may draw %s", limits.uuid, described(granted))


def described(granted: energy.LimitsRes) -> str:
    """Write limits for a reader: `16 A on 3 phases, 11040 W (grid_connection_point/module_config)`."""
    current, power, phases = granted.ac_max_current_A, granted.total_power_W, granted.ac_max_phase_count
    parts = []
    if current is not None:
        parts.append(f"{current.value:.2f} A" + (f" on {phases.value} phases" if phases is not None else ""))
    if power is not None:
        parts.append(f"{power.value:.0f} W")
    source = current or power
    return f"{', '.join(parts) or 'nothing'} ({source.source if source is not None else 'no limit is known'})"
