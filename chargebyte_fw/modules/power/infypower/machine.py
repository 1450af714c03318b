"""A group of Infypower modules: found, switched off, asked for its limits, then commanded and watched, for ever.

A group that does not answer, or loses a module, is a CommunicationFault and begins anew: the wishes are kept, the
modules are switched off first, and the fault is cleared when they do again what is wanted.
"""

from __future__ import annotations

import logging
from typing import Any

from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.kernel.can_bus import CanFrame
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.limits import Limits, LimitsAre, Options, add_up
from chargebyte_fw.modules.power.infypower.sharing import AddressWatch, Members
from chargebyte_fw.modules.power.infypower.states import ASKING, RESTARTS, State
from chargebyte_fw.modules.power.infypower.timing import AGAIN_S, Times
from chargebyte_fw.modules.power.infypower.wishes import Confirmed, Question, Wishes
from chargebyte_fw.modules.power.messages import ModeIs, Output, SetExport, SetImport, SetMode

SAFE_CURRENT_A = 2.0
"""Contactors may open below this current: the modules' own tolerance."""
TRIES = 2
ROUNDING = 0.0015
SETTLED_S = 3.0
"""After it was switched on, a module's status may still be off for this long."""
LOST = ("CommunicationFault", "")
REFUSED = "VendorError"
SHARED = ("VendorError", "Address Conflict")


class InfypowerGroup(Machine):
    """The rules. Commands of the module file come as SetMode, SetExport, SetImport and Halt."""

    initial = State.NO_BUS

    def __init__(self, options: Options | None = None, times: Times | None = None) -> None:
        super().__init__()
        self.options = options or Options()
        self.times = times or Times()
        self.wishes = Wishes(self.options.bidirectional, self.options.override_cutoff_V)
        self.limits: Limits | None = None
        self.voltage_V = 0.0
        self.current_A: float | None = None
        self.strangers = 0
        """Frames that are none of this protocol, or not for us."""
        self._confirmed = Confirmed()
        self._question: Question | None = None
        self._reported: dict[m.Item, dict[int, float]] = {}
        self._count = 0
        self._polls = 0
        self._poll_s = self._measured_s = self._again_s = self._settled_s = 0.0
        self._alarms: dict[int, int] = {}
        self._raised: set[tuple[str, str]] = set()
        self._mode: Mode | None = None
        self._start_up_until: float | None = None
        self._waiting_logged = False
        self._watch = AddressWatch()
        self._members = Members()

    @property
    def at_rest(self) -> bool:
        """Whether contactors may be switched: output off and without current, or no module there."""
        if self.state is not State.RUNNING:
            return self.state is not State.SWITCHING_OFF
        return not self._confirmed.on and self.current_A is not None and abs(self.current_A) <= SAFE_CURRENT_A

    @on(*State, event=m.BusUp, to=State.COUNTING)
    def bus_up(self, _event: m.BusUp, now: float) -> list[Any]:
        """Look for the group."""
        if self._start_up_until is None:
            self._start_up_until = now + self.times.start_up_s
        return self._begin(now)

    @on(*State, event=m.BusDown, to=(State.NO_BUS, State.WAITING))
    def bus_down(self, event: m.BusDown, now: float) -> list[Any]:
        """Without a bus there is no group."""
        effects = self._lose(event.why, now)
        return self.enter(State.NO_BUS, *effects)

    @on(*State, event=SetMode, to=RESTARTS)
    def set_mode(self, event: SetMode, now: float) -> list[Any]:
        """Take a wish; a fresh one is tried even when its like was refused. Off waits for no other command's answer."""
        self._confirmed.refused.clear()
        effects: list[Any] = []
        if not self.wishes.set_mode(event.mode):
            effects.append(m.Report(logging.WARNING, "asked to import, but the modules cannot: switching off"))
        question = self._question
        ending = self.wishes.mode not in (Mode.Export, Mode.Import)
        if self.state is State.RUNNING and ending and question is not None and not question.is_off:
            self._question = None
        return effects + self._go_on(now)

    @on(*State, event=SetExport, to=RESTARTS)
    def set_export(self, event: SetExport, now: float) -> list[Any]:
        """Take a set point towards the car."""
        self.wishes.export = (event.voltage_V, event.current_A)
        return self._go_on(now)

    @on(*State, event=SetImport, to=RESTARTS)
    def set_import(self, event: SetImport, now: float) -> list[Any]:
        """Take a set point from the car."""
        self.wishes.import_ = (event.voltage_V, event.current_A)
        return self._go_on(now)

    @on(*State, event=CanFrame, to=(State.COUNTING, State.SWITCHING_OFF, State.LIMITS, State.RUNNING, State.WAITING))
    def frame_arrives(self, frame: CanFrame, now: float) -> list[Any]:
        """Take an answer to this controller; everything else on the bus is between others."""
        try:
            answer = m.read(frame)
        except PeerError as error:
            return [m.Report(logging.DEBUG, str(error))]
        if answer is None:
            self.strangers += 1
            return []
        if why := self._watch.other_command(answer, self.options.source, self.options.destination):
            return self._shared(why, now, at_once=answer.item.command is m.Command.WRITE)
        if answer.destination != self.options.source:
            self.strangers += 1
            return []
        if answer.error == m.Outcome.STARTING or self.state in (State.NO_BUS, State.WAITING):
            return []
        self._members.answering.add(answer.source)
        if self.state is State.RUNNING and answer.source not in self._members:
            return self._outsider(answer, now)
        effects: list[Any] = []
        if self.state is State.RUNNING and answer.item in m.POLLED and answer.error == m.Outcome.NORMAL:
            effects = self._measure(answer, now)
        question = self._question
        if question is None or answer.item is not question.item:
            return effects + self._go_on(now)
        if answer.error != m.Outcome.NORMAL:
            return effects + self._refused(question, answer, now)
        if question.item.kind is m.Kind.WORD and answer.value != question.value:
            # Perhaps late for the command before: only a missing answer counts as a failure.
            question.otherwise = f", module {answer.source} says {int(answer.value):#x} to {int(question.value):#x}"
            return effects + self._go_on(now)
        question.answers[answer.source] = answer.value
        if len(question.answers) >= question.expected:
            return effects + self._answered(question, now)
        return effects + self._go_on(now)

    @on(State.WAITING, timer="again", to=State.COUNTING)
    def try_again(self, now: float) -> list[Any]:
        """Look for the group again."""
        return self._begin(now)

    @on(*ASKING, timer="answer", to=(State.COUNTING, State.RUNNING, State.WAITING))
    def no_answer(self, now: float) -> list[Any]:
        """Ask again, or give up."""
        question = self._question
        return self._go_on(now) if question is None else self._unanswered(question, now)

    @on(State.RUNNING, timer="poll", to=RESTARTS)
    def poll(self, now: float) -> list[Any]:
        """Ask for the next value; notice a group that has become silent."""
        return self._go_on(now)

    def _begin(self, now: float) -> list[Any]:
        effects = self._clear(*SHARED) if self._watch.over(now) else []
        self._confirmed, self._question, self._reported = Confirmed(), None, {}
        self._members, self.current_A = Members(), None
        self.enter(State.COUNTING)
        return effects + self._ask(m.COUNT, 0, 1, now)

    # -- who is one of the group, and who else is on the bus

    def _outsider(self, answer: m.Message, now: float) -> list[Any]:
        """Take no value from a module that is none of the group; it may be one that has just come."""
        if answer.source in self._members.newcomers:
            return self._take_in(now)
        self._members.outsiders.add(answer.source)
        why = f"module {answer.source} answers to address {self.options.source}, but is none of group "
        return self._shared(f"{why}{self.options.destination}", now, at_once=False)

    def _counted(self, count: int, now: float) -> list[Any]:
        """Believe that outsiders are newcomers when the group has grown."""
        if self._members.grow(count):
            self._watch.explained()
            return self._take_in(now)
        return self._go_on(now)

    def _take_in(self, now: float) -> list[Any]:
        if self.wishes.mode is not Mode.Off or self._question is not None:
            return self._go_on(now)
        names = ", ".join(map(str, sorted(self._members.newcomers)))
        return [m.Report(logging.INFO, f"module {names} has come to the group"), *self._begin(now)]

    def _shared(self, why: str, now: float, *, at_once: bool) -> list[Any]:
        """Note another owner of an address. With two of them the output is switched off and stays off."""
        if not self._watch.seen(why, now, at_once=at_once):
            return self._go_on(now)
        effects = self._raise(*SHARED, f"{why}: no power before each has its own")
        if self._question is not None and not self._question.is_off and self.state is State.RUNNING:
            self._question = None
        return [*effects, *self._publish_mode(), *self._go_on(now)]

    def _ask(self, item: m.Item, value: float, expected: int, now: float, tries: int = 1) -> list[Any]:
        self._question = Question(item, value, expected, now + self.times.answer_s, tries)
        if item.command is m.Command.WRITE:
            self._confirmed.values.pop(item, None)  # unknown from now on
        self._set_timers()
        return [self._send(item, value)]

    def _send(self, item: m.Item, value: float = 0) -> m.Transmit:
        return m.Transmit(m.Message(item, value, self.options.source, self.options.destination).frame())

    def _answered(self, question: Question, now: float) -> list[Any]:
        self._question = None
        values = question.answers
        match self.state:
            case State.COUNTING:
                self._members.master, self._count = next((source, int(count)) for source, count in values.items())
                if self._count == 0:
                    why = "the group has no modules"
                    if self._starts_up(now):
                        return self._log_waiting(why) + self._wait(now)
                    return self._lose(why, now)
                self.enter(State.SWITCHING_OFF)
                return self._ask(m.SWITCH, m.OFF, self._count, now)
            case State.SWITCHING_OFF:
                self._confirmed.take(m.SWITCH, m.OFF)
                self.enter(State.LIMITS)
                return self._ask(m.LIMITS[0], 0, self._count, now)
            case State.LIMITS:
                self._reported[question.item] = values
                if len(self._reported) < len(m.LIMITS):
                    return self._ask(m.LIMITS[len(self._reported)], 0, self._count, now)
                return self._run(now)
        return self._take(question, now)

    def _run(self, now: float) -> list[Any]:
        if len(self._members.answering) > self._count or self._watch.conflict:
            return self._too_many(now)
        reported = add_up(self._reported)
        if not reported.make_sense:
            return self._lose(f"the modules tell impossible limits: {reported}", now)
        self.limits, refused = reported.narrowed(self.options.override_max_current_A, self.options.override_max_power_W)
        self.enter(State.RUNNING)
        self._measured_s = self._poll_s = now
        self._members.status_s, self._alarms = dict.fromkeys(self._reported[m.MAX_CURRENT], now), {}
        limits = self.limits
        text = (
            f"{self._count} module{'s' if self._count > 1 else ''} on the bus: {limits.min_voltage_V:g} to "
            f"{limits.max_voltage_V:g} V, {limits.max_current_A:g} A, {limits.max_power_W / 1000:g} kW"
        )
        reports = [m.Report(logging.WARNING, f"not applied: {words}") for words in refused]
        return [m.Report(logging.INFO, text), *reports, LimitsAre(limits), *self._publish_mode(), *self._go_on(now)]

    def _too_many(self, now: float) -> list[Any]:
        """Believe no limits while others than the group's modules answer, too."""
        why = f"{len(self._members.answering)} modules answer to address {self.options.source}, but group "
        why = f"{why}{self.options.destination} has {self._count}"
        effects = self._shared(why, now, at_once=False) if len(self._members.answering) > self._count else []
        self._question = None
        return effects + self._wait(now)

    def _take(self, question: Question, now: float) -> list[Any]:
        """Compare the modules' answers with what was asked for."""
        item, wanted = question.item, question.value
        if item is m.COUNT:
            return self._counted(int(next(iter(question.answers.values()))), now)
        other = [value for value in question.answers.values() if abs(value - wanted) > ROUNDING]
        effects: list[Any] = []
        if other:
            text = f"{item.name} {wanted:g} {item.unit}: the modules took {other[0]:g} {item.unit}"
            effects.append(m.Report(logging.WARNING, text))
        self._confirmed.take(item, wanted)
        if item is m.SWITCH:
            self._settled_s = now + SETTLED_S
        if (REFUSED, item.name) in self._raised:
            effects += self._clear(REFUSED, item.name)
        return [*effects, *self._publish_mode(), *self._go_on(now)]

    def _refused(self, question: Question, answer: m.Message, now: float) -> list[Any]:
        why = {m.Outcome.COMMAND_INVALID: "invalid command", m.Outcome.DATA_INVALID: "invalid data"}
        text = f"module {answer.source} refuses {question.item.name} {question.value:g} {question.item.unit}".rstrip()
        text = f"{text}: {why.get(answer.error, f'error {answer.error}')}"  # type: ignore[call-overload]
        if self.state is not State.RUNNING:
            return self._lose(text, now)
        return self._refuse(question, text, now)

    def _refuse(self, question: Question, text: str, now: float) -> list[Any]:
        self._question = None
        self._confirmed.refuse(question.item, question.value)
        self._again_s = now + AGAIN_S
        return [*self._raise(REFUSED, question.item.name, text), *self._go_on(now)]

    def _unanswered(self, question: Question, now: float) -> list[Any]:
        if question.tries < TRIES:
            kept = question.answers
            effects = self._ask(question.item, question.value, question.expected, now, question.tries + 1)
            assert self._question is not None
            self._question.answers = kept
            return effects
        if self.state is State.LIMITS and question.answers:
            text = f"{len(question.answers)} of {question.expected} modules answer to {question.item.name}"
            return [m.Report(logging.WARNING, text), *self._answered(question, now)]
        if question.item is m.COUNT and self.state is State.RUNNING:
            self._question = None
            return self._go_on(now)
        if self.state is State.COUNTING:
            why = "no power module answers"
        else:
            answered = f"{len(question.answers)} of {question.expected} modules"
            why = f"{answered} answer to {question.item.name}{question.otherwise}"
        if self._starts_up(now):
            return self._log_waiting(why) + self._ask(question.item, question.value, question.expected, now)
        return self._lose(why, now)

    def _starts_up(self, now: float) -> bool:
        """Whether silence is no fault yet: no module has ever answered, and some may still be booting."""
        return self.limits is None and self._start_up_until is not None and now < self._start_up_until

    def _log_waiting(self, why: str) -> list[Any]:
        if self._waiting_logged:
            return []
        self._waiting_logged = True
        text = f"{why}: waiting up to {self.times.start_up_s:g} s for modules that are still starting"
        return [m.Report(logging.INFO, text)]

    def _lose(self, why: str, now: float) -> list[Any]:
        """Begin anew after a pause; the fault stays until the group does again what is wanted."""
        self._question, self.current_A = None, None
        effects = self._raise(*LOST, why)
        if self._mode is not None and self._mode is not Mode.Fault:
            self._mode = Mode.Fault
            effects.append(ModeIs(Mode.Fault))
        return effects + self._wait(now)

    def _wait(self, now: float) -> list[Any]:
        self.start("again", now + AGAIN_S)
        return self.enter(State.WAITING)

    def _measure(self, answer: m.Message, now: float) -> list[Any]:
        self._measured_s = now
        if answer.item is m.STATUS:
            return self._status(answer, now)
        if answer.item is m.VOLTAGE:
            self.voltage_V = abs(answer.value)
        else:
            sign = -1.0 if self._confirmed.values.get(m.DIRECTION) == m.IMPORT else 1.0
            self.current_A = abs(answer.value) * sign
        return [] if self.current_A is None else [Output(self.voltage_V, self.current_A)]

    def _status(self, answer: m.Message, now: float) -> list[Any]:
        bits = int(answer.value)
        if answer.source in self._members.status_s:
            self._members.status_s[answer.source] = now
        self._alarms[answer.source] = bits
        effects: list[Any] = []
        together = 0
        for alarms in self._alarms.values():
            together |= alarms
        for alarm in m.ALARMS:
            known = (alarm.error, alarm.sub_type) in self._raised
            if together & alarm.mask and not known:
                effects += self._raise(alarm.error, alarm.sub_type, f"module {answer.source}: {alarm.text}")
            elif known and not together & alarm.mask:
                effects += self._clear(alarm.error, alarm.sub_type)
        if self._watch.conflict and not bits & m.STATUS_OFF and self._question is None and now >= self._settled_s:
            # The other owner has switched it on: off again.
            self._confirmed.values.pop(m.SWITCH, None)
        on = self._question is None and self._confirmed.values.get(m.SWITCH) == m.ON
        if bits & m.STATUS_OFF and on and now >= self._settled_s:
            # It restarted, or protected itself: its settings are lost.
            self._confirmed = Confirmed(refused=self._confirmed.refused)
            self._again_s = now + AGAIN_S
            effects.append(m.Report(logging.WARNING, f"module {answer.source} went off by itself: telling it again"))
        return effects

    def _go_on(self, now: float) -> list[Any]:
        """Do what is next: watch, ask, command."""
        effects: list[Any] = []
        if self.state in (State.NO_BUS, State.WAITING):
            return effects
        if self.state is State.RUNNING:
            if self._watch.is_over(now):
                return self._begin(now)
            if now - self._measured_s > self.times.receive_timeout_s:
                return self._lose(f"no answer for {self.times.receive_timeout_s:g} s", now)
            for source, at in self._members.status_s.items():
                if now - at > self.times.module_silent_s:
                    return self._lose(f"module {source} of the group is silent", now)
            if now >= self._poll_s:
                effects.append(self._send(m.POLLED[self._polls % len(m.POLLED)]))
                self._polls += 1
                self._poll_s = now + self.times.poll_s
            effects += self._command(now)
        self._set_timers()
        return effects

    def _command(self, now: float) -> list[Any]:
        if self._question is not None or self.limits is None:
            return []
        if self._watch.conflict:
            return self._ask(m.SWITCH, m.OFF, self._count, now) if self._confirmed.on else []
        command = self._confirmed.next(self.wishes.wanted(self.limits))
        if command is None:
            if self._members.outsiders and now >= self._members.recount_s:
                self._members.recount_s = now + AGAIN_S
                return self._ask(m.COUNT, 0, 1, now)
            # Everything is as it is wanted, or was refused: the group is back.
            return self._clear(*LOST) if LOST in self._raised else []
        refused_off = self._confirmed.refused.get(m.SWITCH) == m.OFF
        if command[0] is m.SWITCH and (command[1] == m.ON or refused_off) and now < self._again_s:
            return []
        return self._ask(*command, self._count if command[0].everyone else 1, now)

    def _set_timers(self) -> None:
        if self._question is None:
            self.stop("answer")
        else:
            self.start("answer", self._question.until)
        if self.state is State.RUNNING:
            self.start("poll", self._poll_s)

    def _publish_mode(self) -> list[Any]:
        off = self._confirmed.values.get(m.SWITCH) != m.ON
        importing = self._confirmed.values.get(m.DIRECTION) == m.IMPORT
        mode = Mode.Off if off else Mode.Import if importing else Mode.Export
        if self._watch.conflict:
            mode = Mode.Fault
        if mode is self._mode:
            return []
        self._mode = mode
        return [ModeIs(mode)]

    def _raise(self, error: str, sub_type: str, text: str) -> list[Any]:
        if (error, sub_type) in self._raised:
            return []
        self._raised.add((error, sub_type))
        return [m.Raise(error, sub_type, text)]

    def _clear(self, error: str, sub_type: str) -> list[Any]:
        self._raised.discard((error, sub_type))
        return [m.Clear(error, sub_type)]
