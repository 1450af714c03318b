"""A group of Infypower modules: found, switched off, asked for its limits, then commanded and watched, without end.

A group that does not answer, or loses a module, is a CommunicationFault and begins anew: the wishes are kept, the
modules are switched off first, and the fault is cleared when they do again what is wanted.
"""

from __future__ import annotations

import logging
from typing import Any

from chargebyte_fw.kernel.can_bus import CanFrame
from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.base import Answered, Refused, refusal_text
from chargebyte_fw.modules.power.infypower.facts import description
from chargebyte_fw.modules.power.infypower.limits import LimitsAre, add_up
from chargebyte_fw.modules.power.infypower.running import RunningGroup
from chargebyte_fw.modules.power.infypower.states import ABSENT, RESTARTS, STARTING, State
from chargebyte_fw.modules.power.messages import SetExport, SetImport, SetMode

_S = State


class InfypowerGroup(RunningGroup):
    """The rules. Commands of the module are SetMode, SetExport and SetImport."""

    # The bus.

    @on(*State, event=m.BusUp, to=_S.COUNTING)
    def bus_up(self, _event: m.BusUp, now: float) -> list[Any]:
        """Look for the group."""
        if self._start_up_until is None:
            self._start_up_until = now + self.times.start_up_s
        return self._begin(now)

    @on(*State, event=m.BusDown, to=_S.NO_BUS)
    def bus_down(self, event: m.BusDown, now: float) -> list[Any]:
        """Without a bus there is no group."""
        return self.enter(_S.NO_BUS, *self._lost(event.why))

    @on(_S.WAITING, timer="again", to=_S.COUNTING)
    def try_again(self, now: float) -> list[Any]:
        """Look for the group again."""
        return self._begin(now)

    # Commands of the module.

    @on(*STARTING, *ABSENT, event=SetMode)
    def keep_mode(self, event: SetMode, now: float) -> list[Any]:
        """Keep the wish."""
        return self._keep_mode(event)

    @on(*STARTING, *ABSENT, event=SetExport)
    def keep_export(self, event: SetExport, now: float) -> None:
        """Keep a set point towards the car."""
        self.wishes.export = (event.voltage_V, event.current_A)

    @on(*STARTING, *ABSENT, event=SetImport)
    def keep_import(self, event: SetImport, now: float) -> None:
        """Keep a set point from the car."""
        self.wishes.import_ = (event.voltage_V, event.current_A)

    # Frames.

    @on(*ABSENT, event=CanFrame)
    def frame_without_group(self, frame: CanFrame, now: float) -> list[Any]:
        """Notice another owner of an address; answers are late."""
        _, effects = self._for_us(frame, now)
        return effects

    @on(*STARTING, event=CanFrame, to=(*STARTING, _S.RUNNING, _S.WAITING))
    def frame_while_starting(self, frame: CanFrame, now: float) -> list[Any]:
        """Take an answer to the question."""
        answer, effects = self._for_us(frame, now)
        if answer is None:
            return effects
        self._group.members.answering.add(answer.source)
        return self._take(answer, now)

    # One question after the other.

    @on(_S.COUNTING, event=Answered, to=(_S.SWITCHING_OFF, _S.WAITING))
    def counted(self, event: Answered, now: float) -> list[Any]:
        """Switch the modules off."""
        group = self._group
        group.members.master, group.count = next((one, int(count)) for one, count in event.question.answers.items())
        if group.count:
            self.enter(_S.SWITCHING_OFF)
            return self._ask(m.SWITCH, m.OFF, group.count, now)
        why = "the group has no modules"
        return self._log_waiting(why) + self._wait(now) if self._starts_up(now) else self._lose(why, now)

    @on(_S.SWITCHING_OFF, event=Answered, to=_S.LIMITS)
    def switched_off(self, _event: Answered, now: float) -> list[Any]:
        """Ask for the limits."""
        self._group.confirmed.take(m.SWITCH, m.OFF)
        self.enter(_S.LIMITS)
        return self._ask(m.LIMITS[0], 0, self._group.count, now)

    @on(_S.LIMITS, event=Answered, to=(_S.RUNNING, *RESTARTS))
    def limit_reported(self, event: Answered, now: float) -> list[Any]:
        """Ask for the next limit; run when all are known."""
        group = self._group
        group.reported[event.question.item] = event.question.answers
        if len(group.reported) < len(m.LIMITS):
            return self._ask(m.LIMITS[len(group.reported)], 0, group.count, now)
        return self._run(now)

    @on(*STARTING, event=Refused, to=_S.WAITING)
    def refused_at_start(self, event: Refused, now: float) -> list[Any]:
        """Begin anew."""
        return self._lose(refusal_text(event), now)

    @on(_S.COUNTING, timer="answer", to=_S.WAITING)
    def no_module_answers(self, now: float) -> list[Any]:
        """Ask again; modules that have just got their power are given time to boot."""
        return self._ask_again(now) or self._give_up("no power module answers", now)

    @on(_S.SWITCHING_OFF, timer="answer", to=_S.WAITING)
    def not_switched_off(self, now: float) -> list[Any]:
        """Ask again, or begin anew."""
        return self._ask_again(now) or self._give_up(self._unanswered(), now)

    @on(_S.LIMITS, timer="answer", to=(_S.RUNNING, *RESTARTS))
    def limit_not_reported(self, now: float) -> list[Any]:
        """Ask again, take what some of the modules reported, or begin anew."""
        question = self._question
        if (asked := self._ask_again(now)) or question is None or not question.answers:
            return asked or self._give_up(self._unanswered(), now)
        text = f"{len(question.answers)} of {question.expected} modules answer to {question.item.name}"
        return [m.Report(logging.WARNING, text), *self._complete(question, now)]

    def _run(self, now: float) -> list[Any]:
        group = self._group
        if len(group.members.answering) > group.count or self._watch.conflict:
            return self._too_many(now)
        reported = add_up(group.reported)
        if not reported.make_sense:
            return self._lose(f"the modules tell impossible limits: {reported}", now)
        self.limits, refused = reported.narrowed(self.options.override_max_current_A, self.options.override_max_power_W)
        self.enter(_S.RUNNING)
        group.measured_s = group.poll_s = now
        group.members.status_s = dict.fromkeys(group.reported[m.MAX_CURRENT], now)
        lines = description(group.count, self.limits, refused)
        return [*lines, LimitsAre(self.limits), *self._publish_mode(), *self._go_on(now)]

    def _too_many(self, now: float) -> list[Any]:
        """Believe no limits while others than the group's modules answer, too."""
        answering, group = len(self._group.members.answering), self._group
        why = f"{answering} modules answer to address {self.options.source}, but group "
        why = f"{why}{self.options.destination} has {group.count}"
        effects = self._shared(why, now, at_once=False) if answering > group.count else []
        return effects + self._wait(now)
