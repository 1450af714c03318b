"""When monitors trigger, and the events that they cause (N07, N08)."""

from __future__ import annotations

from collections.abc import Iterable

from chargebyte_fw.modules.ocpp.messages.v2 import monitoring as v2
from chargebyte_fw.modules.ocpp.monitoring import monitor as kinds
from chargebyte_fw.modules.ocpp.monitoring.monitor import Monitor, Trigger
from chargebyte_fw.modules.ocpp.monitoring.monitors import TABLE, Monitors
from chargebyte_fw.modules.ocpp.monitoring.sender import TABLE as OFFLINE_EVENTS
from chargebyte_fw.modules.ocpp.monitoring.sender import EventSender
from chargebyte_fw.modules.ocpp.monitoring.streams import Streams
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, WentOffline
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded
from chargebyte_fw.modules.ocpp.variables.declaration import Mutability
from chargebyte_fw.modules.ocpp.variables.model import Change, Entry
from chargebyte_fw.modules.ocpp.variables.standard import station as declared
from chargebyte_fw.modules.ocpp.version import Version


class MonitorEvaluation(Block):
    """The monitors of the station at work; `block.Monitoring` has the messages of the CSMS in addition."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.sender = EventSender(station)
        self.streams = Streams(station)
        self.monitors = Monitors(station.variables, lambda key, value: station.save(TABLE, key, value))
        self._due: dict[int, float] = {}
        """When each periodic monitor is due, in monotonic s."""
        self._transactions: dict[int, str] = {}
        """Session of the transaction of each EVSE."""
        station.variables.on_any_change(self._changed)
        station.variables.on_change(declared.MONITORING_ENABLED, self._enabled)

    # Life.

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take the monitors of the configuration, and those that were set."""
        self.sender.load(event.tables.get(OFFLINE_EVENTS, {}))
        self.monitors.configure()
        base = self.station.variables.get(declared.ACTIVE_MONITORING_BASE)
        self.monitors.restore(event.tables.get(TABLE, {}), base)
        # N07.FR.14: a value that came back within its threshold meanwhile is reported so.
        self.evaluate(self.monitors)
        self.arm()

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Send what has waited, and open the streams."""
        if not self.sender.online:
            self._came_online()

    @receives(BackOnline)
    def back_online(self, event: BackOnline) -> None:
        """Send what has waited, and open the streams anew."""
        self._came_online()

    def _came_online(self) -> None:
        self.sender.came_online()
        for monitor in self.monitors:
            self.open_stream(monitor)

    def open_stream(self, monitor: Monitor) -> None:
        """Ask the CSMS for the stream of a monitor that wants one."""
        wanted = monitor.stream is not None and self.station.version == Version.V21
        if wanted and self.sender.online and not self.streams.has(monitor.id):
            self.streams.open(monitor)

    @receives(WentOffline)
    def went_offline(self, event: WentOffline) -> None:
        """Keep events from now on; streams end with the connection."""
        self.sender.went_offline()
        self.streams.forget_all()

    @receives(events.WallClockSet)
    def wall_clock_set(self, event: events.WallClockSet) -> None:
        """Align the clock-aligned monitors anew."""
        for monitor in self.monitors:
            if monitor.type == kinds.CLOCK_ALIGNED:
                self._due.pop(monitor.id, None)
        self.arm()

    @receives(TransactionBegan)
    def transaction_began(self, event: TransactionBegan) -> None:
        """Monitors of transactions are active."""
        self._transactions[event.evse_id] = event.session_id
        self.evaluate(one for one in self.monitors if one.transaction)

    @receives(TransactionEnded)
    def transaction_ended(self, event: TransactionEnded) -> None:
        """Monitors of transactions rest."""
        self._transactions.pop(event.evse_id, None)

    # Triggers.

    def _enabled(self, enabled: bool) -> None:
        self.evaluate(self.monitors)
        self.arm()

    def _changed(self, change: Change) -> None:
        monitors = self.monitors.on(change.entry.id)
        if monitors and change.attribute in ("Actual", "Target"):
            self.evaluate(monitors, change.entry)

    def _is_active(self, monitor: Monitor) -> bool:
        if not self.station.variables.get(declared.MONITORING_ENABLED):
            return False
        return not monitor.transaction or self._session_of(monitor) is not None

    def _session_of(self, monitor: Monitor) -> str | None:
        """Return the session of the transaction that a monitor belongs to, None where there is none."""
        if monitor.evse:
            return self._transactions.get(monitor.evse)
        return next(iter(self._transactions.values()), None)

    def evaluate(self, monitors: Iterable[Monitor], entry: Entry | None = None) -> None:
        """Look at the present values, all of one variable where `entry` is given, and send what they trigger."""
        found = []
        for monitor in monitors:
            one = self.station.variables.entry(monitor.place) if entry is None else entry
            if one is None or not self._is_active(monitor):
                continue
            before = monitor.exceeded
            trigger = kinds.evaluate(monitor, one)
            if trigger is not None:
                found += self._event(monitor, one, trigger)
                if monitor.exceeded != before:
                    self.monitors.keep(monitor)
        self.sender.send(found)

    def _event(self, monitor: Monitor, entry: Entry, trigger: Trigger) -> list[tuple[int, v2.EventDataType]]:
        """Return the event of a monitor; none where its severity is beyond the level (N05.FR.03, N07.FR.15)."""
        if monitor.severity > self.station.variables.get(declared.ACTIVE_MONITORING_LEVEL):
            return []
        session = self._session_of(monitor) if monitor.transaction or monitor.evse else None
        event = self.sender.event(
            entry.id,
            shown(entry),
            trigger.name,
            v2.EventNotificationEnumType(monitor.origin),
            monitor.severity,
            cleared=True if trigger.cleared else None,
            variable_monitoring_id=monitor.id,
            transaction_id=session,
        )
        return [event]

    # Periodic monitors.

    def arm(self) -> None:
        """Start the timer for the periodic monitor that is due first."""
        now = self.station.now
        enabled = self.station.variables.get(declared.MONITORING_ENABLED)
        active = {one.id: one for one in self.monitors if enabled and one.type in kinds.PERIODICS}
        self._due = {number: at for number, at in self._due.items() if number in active}
        for number, monitor in active.items():
            if number not in self._due:
                self._due[number] = self._next_due(monitor, now)
        if self._due:
            self.station.start("monitors", min(self._due.values()), self._periods_over)
        else:
            self.station.stop("monitors")

    def _next_due(self, monitor: Monitor, since: float) -> float:
        if monitor.type == kinds.PERIODIC:
            return since + monitor.value
        # Intervals are counted from midnight UTC, which is a multiple of every divisor of a day.
        wall_s = self.station.utc.timestamp() - self.station.now + since
        day_s = wall_s % kinds.DAY_S
        return since + min((day_s // monitor.value + 1) * monitor.value, kinds.DAY_S) - day_s

    def _periods_over(self) -> None:
        now = self.station.now
        found = []
        for number in [number for number, at in self._due.items() if at <= now]:
            monitor = self.monitors.find(number)
            at = self._due.pop(number)
            if monitor is None:
                continue
            due = self._next_due(monitor, at)
            # After a clock that stood still the missed ones are not made up for.
            self._due[number] = due if due > now else self._next_due(monitor, now)
            entry = self.station.variables.entry(monitor.place)
            if entry is None or not self._is_active(monitor):
                continue
            if not self.streams.add(number, shown(entry)):
                found += self._event(monitor, entry, Trigger("Periodic"))
        self.sender.send(found)
        self.arm()

    def begin_anew(self, monitor: Monitor) -> None:
        """Count the interval of a periodic monitor from now on."""
        self._due.pop(monitor.id, None)


def shown(entry: Entry) -> str:
    """Return the value of an event: empty for a variable that is write only (N07.FR.10)."""
    attribute = entry.attributes.get("Actual")
    hidden = attribute is None or attribute.mutability is Mutability.WRITE_ONLY
    return "" if hidden else entry.text() or ""
