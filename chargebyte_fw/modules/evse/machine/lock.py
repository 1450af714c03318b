"""The connector's lock: locked while the EV may draw power, unlocked for whoever may take the plug."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.events import ASKING, CONNECTED, Contactor, Cp, ForceUnlock
from chargebyte_fw.modules.evse.machine.signals import LockAuthorized, PilotStateChanged

Effects = list[Any]


class Lock(Enum):
    """What was ordered last."""

    Unknown = "unknown"
    """Nothing yet in the life of this process."""
    Unlocked = "unlocked"
    Locked = "locked"


class LockMachine(Machine):
    """Locks in state C and D, in B as configured, and always while the contactors are closed."""

    initial = Lock.Unknown

    def __init__(self, config: EvseConfig) -> None:
        super().__init__()
        self._in_b = config.lock_connector_in_state_b
        self._only_authorized = config.unlock_when_deauthorized
        self._pilot = Cp.Off
        self._contactors_closed = False
        self._authorized = False
        self._force_unlocked = False

    @on(*Lock, event=PilotStateChanged, to=(Lock.Locked, Lock.Unlocked))
    def pilot(self, event: PilotStateChanged, now: float) -> Effects:
        """Follow the pilot's state."""
        self._pilot = event.state
        if event.state is Cp.F:
            # The EV is lost; whoever pulls the plug gets it after a while.
            if self.state is Lock.Locked:
                self.start("unlock", now + timing.UNLOCK_AFTER_F_S)
        else:
            self.stop("unlock")
            self._force_unlocked = self._force_unlocked and event.state in CONNECTED
        return self._look()

    @on(*Lock, event=Contactor, to=(Lock.Locked, Lock.Unlocked))
    def contactor(self, event: Contactor, now: float) -> Effects:
        """Under power the connector stays locked (IEC 61851-1)."""
        self._contactors_closed = event.closed
        return self._look()

    @on(*Lock, event=LockAuthorized, to=(Lock.Locked, Lock.Unlocked))
    def authorized(self, event: LockAuthorized, now: float) -> Effects:
        """Where so configured, an EV in state B is locked only while authorized."""
        self._authorized = event.authorized
        return self._look() if self._pilot is not Cp.Off else []

    @on(*Lock, event=ForceUnlock, to=Lock.Unlocked)
    def force_unlock(self, _: ForceUnlock, now: float) -> Effects:
        """Unlock now, or as soon as the contactors are open; it holds until the unplug."""
        self._force_unlocked = self._pilot in CONNECTED
        if self._contactors_closed:
            return []
        return self.enter(Lock.Unlocked, call(ConnectorLock.unlock))

    @on(Lock.Locked, timer="unlock", to=Lock.Unlocked)
    def unlock_after_f(self, now: float) -> Effects:
        """State F has lasted: the EV is not served any more."""
        return self._look()

    def _should(self) -> bool:
        match self._pilot:
            case Cp.B:
                return self._in_b and (self._authorized or not self._only_authorized)
            case Cp.F:
                return self.due("unlock") is not None
        return self._pilot in ASKING

    def _look(self) -> Effects:
        locked = self._contactors_closed or (self._should() and not self._force_unlocked)
        wanted = Lock.Locked if locked else Lock.Unlocked
        if wanted is self.state:
            return []
        return self.enter(wanted, call(ConnectorLock.lock if locked else ConnectorLock.unlock))
