"""What surrounds the virtual safety controller: contactors, emergency inputs, sensors; each can be broken."""

from __future__ import annotations

from dataclasses import dataclass, field

from chargebyte_fw.board.driver.wiring import PhaseWiring
from chargebyte_fw.board.link.messages.charge_som import (
    Application,
    EstopState,
    FirmwareVersion,
    GitHash,
    InletState,
    Platform,
    RcmState,
)

CHARGE_SOM = FirmwareVersion(0, 4, 1, Platform.CHARGE_SOM, Application.FIRMWARE, 1)
PLUG_LOCK_FIRMWARE = FirmwareVersion(0, 5, 0, Platform.CHARGE_SOM, Application.FIRMWARE, 3)
"""Firmware of the generation that moves a plug lock."""
COMMIT = GitHash(bytes.fromhex("7470cd6cb7945af7"))
RCM_TRIP_MA = 6.0
"""Smooth direct residual current at which the monitor trips (IEC 62955)."""


@dataclass
class Contactor:
    """One contactor with feedback. Times in seconds of the clock."""

    configured: bool = True
    closing_s: float = 0.04
    opening_s: float = 0.02
    welded: bool = False
    """Stays closed once it is."""
    stuck_open: bool = False
    """Never closes."""
    closed: bool = False
    """Where it is; without feedback the controller reports its order in place of this."""
    has_feedback: bool = True
    denies: bool = False
    """The feedback is the opposite: the parameter block has the wrong polarity."""


@dataclass
class PlugLockMotor:
    """The motor of a plug lock with feedback. Times in seconds of the clock."""

    position: InletState = InletState.OPEN
    closing_s: float = 0.4
    opening_s: float = 0.4
    jammed: bool = False
    """Does not move."""


@dataclass
class Temperature:
    """One PT1000 channel. `value_C` None: not in use."""

    value_C: float | None = None
    limit_C: float = 90.0
    broken: bool = False
    """The sensor's self-test fails."""


@dataclass
class Hardware:
    """The board around the controller; call `inputs_changed` of its port after a change."""

    firmware: FirmwareVersion = CHARGE_SOM
    git_hash: GitHash = COMMIT
    part_number: bytes = b"R7FA2E1A93CFM   "
    chip_version: int = 1
    contactors: list[Contactor] = field(
        default_factory=lambda: [Contactor(), Contactor(configured=False), Contactor(configured=False)]
    )
    estops: list[EstopState] = field(default_factory=lambda: [EstopState.UNUSED] * 3)
    temperatures: list[Temperature] = field(
        default_factory=lambda: [Temperature(25.0), Temperature(25.0), Temperature(), Temperature()]
    )
    wiring: PhaseWiring = PhaseWiring.none
    """How contactors 1 and 2 lead to the car."""
    plug_lock: PlugLockMotor | None = None
    rcm: RcmState = RcmState.NOT_CONFIGURED
    """NOT_CONFIGURED or MONITORING: whether there is a residual current monitor."""
    rcm_self_test_s: float = 0.5
    rcm_self_test_fails: bool = False
    parameter_mismatch: bool = False
    """The parameter block is of another version than the firmware needs: safe state at once."""
    checks_contactors_at_start: bool = False
    """A contactor whose feedback is closed leads to the safe state after each start, too."""
    error_messages: list[tuple[str, int, int, int]] = field(default_factory=list)
    """Errors that the firmware finds at start-up: module name, reason, two data words."""

    @property
    def phases_connected(self) -> int:
        """How many phases reach the car: 0, 1 or 3."""
        first, second, _ = (contactor.closed for contactor in self.contactors)
        match self.wiring:
            case PhaseWiring.none:
                return 3 if any(contactor.closed for contactor in self.contactors) else 0
            case PhaseWiring.mutual:
                return 3 if first else int(second)
            case _:
                return (3 if second else 1) if first else 0

    @property
    def short_circuit(self) -> bool:
        """Whether two ways to the car are closed that exclude each other."""
        return self.wiring is PhaseWiring.mutual and self.contactors[0].closed and self.contactors[1].closed
