"""A group of Infypower modules that runs: measured in turn, commanded one difference after the other, watched."""

from __future__ import annotations

import logging
from typing import Any

from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.kernel.can_bus import CanFrame
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.base import ROUNDING, SETTLED_S, Answered, GroupBase, Refused, refusal_text
from chargebyte_fw.modules.power.infypower.faults import LOST, SHARED
from chargebyte_fw.modules.power.infypower.states import RESTARTS, State
from chargebyte_fw.modules.power.infypower.timing import AGAIN_S
from chargebyte_fw.modules.power.infypower.wishes import Confirmed
from chargebyte_fw.modules.power.messages import Output, SetExport, SetImport, SetMode

_S = State


class RunningGroup(GroupBase):
    """The rows of a group that runs, and of what else is on its bus."""

    # Commands of the module.

    @on(_S.RUNNING, event=SetMode, to=RESTARTS)
    def set_mode(self, event: SetMode, now: float) -> list[Any]:
        """Command the wish. Off does not wait for another command's answer."""
        effects = self._keep_mode(event)
        if self.wishes.mode not in (Mode.Export, Mode.Import):
            self._drop_unless_off()
        return effects + self._go_on(now)

    def _keep_mode(self, event: SetMode) -> list[Any]:
        """Keep a wish; a fresh one is tried even when its like was refused."""
        self._group.confirmed.refused.clear()
        if self.wishes.set_mode(event.mode):
            return []
        return [m.Report(logging.WARNING, "asked to import, but the modules cannot: switching off")]

    @on(_S.RUNNING, event=SetExport, to=RESTARTS)
    def set_export(self, event: SetExport, now: float) -> list[Any]:
        """Command a set point towards the car."""
        self.wishes.export = (event.voltage_V, event.current_A)
        return self._go_on(now)

    @on(_S.RUNNING, event=SetImport, to=RESTARTS)
    def set_import(self, event: SetImport, now: float) -> list[Any]:
        """Command a set point from the car."""
        self.wishes.import_ = (event.voltage_V, event.current_A)
        return self._go_on(now)

    # Frames.

    @on(_S.RUNNING, event=CanFrame, to=RESTARTS)
    def frame_while_running(self, frame: CanFrame, now: float) -> list[Any]:
        """Take a measurement, or an answer to the question, of a module of the group."""
        answer, effects = self._for_us(frame, now)
        if answer is None:
            return effects
        self._group.members.answering.add(answer.source)
        if answer.source not in self._group.members:
            return self._outsider(answer, now)
        if answer.item in m.POLLED and answer.error == m.Outcome.NORMAL:
            effects = self._measure(answer, now)
        return effects + self._take(answer, now)

    def _for_us(self, frame: CanFrame, now: float) -> tuple[m.Message | None, list[Any]]:
        """Return an answer to this controller, or None with what else the frame means; the rest is between others."""
        try:
            answer = m.read(frame)
        except PeerError as error:
            return None, [m.Report(logging.DEBUG, str(error))]
        if answer is None:
            self.strangers += 1
            return None, []
        if why := self._watch.other_command(answer, self.options.source, self.options.destination):
            return None, self._shared(why, now, at_once=answer.item.command is m.Command.WRITE)
        if answer.destination != self.options.source:
            self.strangers += 1
            return None, []
        return (None if answer.error == m.Outcome.STARTING else answer), []

    def _take(self, answer: m.Message, now: float) -> list[Any]:
        """Take what concerns the question; go on with the rest."""
        question = self._question
        if question is None or answer.item is not question.item:
            return self._go_on(now)
        if answer.error != m.Outcome.NORMAL:
            return self.feed(Refused(question, answer), now)
        if question.item.kind is m.Kind.WORD and answer.value != question.value:
            # Perhaps late for the command before: only a missing answer counts as a failure.
            question.otherwise = f", module {answer.source} says {int(answer.value):#x} to {int(question.value):#x}"
            return self._go_on(now)
        question.answers[answer.source] = answer.value
        if len(question.answers) >= question.expected:
            return self._complete(question, now)
        return self._go_on(now)

    # Answers.

    @on(_S.RUNNING, event=Answered, to=RESTARTS)
    def confirmed(self, event: Answered, now: float) -> list[Any]:
        """Compare the modules' answers with what was asked for."""
        item, wanted, answers = event.question.item, event.question.value, event.question.answers
        if item is m.COUNT:
            return self._counted_again(int(next(iter(answers.values()))), now)
        effects: list[Any] = []
        if other := [value for value in answers.values() if abs(value - wanted) > ROUNDING]:
            text = f"{item.name} {wanted:g} {item.unit}: the modules took {other[0]:g} {item.unit}"
            effects.append(m.Report(logging.WARNING, text))
        self._group.confirmed.take(item, wanted)
        if item is m.SWITCH:
            self._settled_s = now + SETTLED_S
        effects += self._faults.accept(item.name)
        return [*effects, *self._publish_mode(), *self._go_on(now)]

    @on(_S.RUNNING, event=Refused, to=RESTARTS)
    def refused(self, event: Refused, now: float) -> list[Any]:
        """Raise the fault; the same is not asked for again."""
        item = event.question.item
        self._drop()
        self._group.confirmed.refuse(item, event.question.value)
        self._switch_s = now + AGAIN_S
        return [*self._faults.refuse(item.name, refusal_text(event)), *self._go_on(now)]

    @on(_S.RUNNING, timer="answer", to=RESTARTS)
    def not_confirmed(self, now: float) -> list[Any]:
        """Ask again, or begin anew; a count that is not answered is none."""
        if asked := self._ask_again(now):
            return asked
        if self._question is not None and self._question.item is m.COUNT:
            self._drop()
            return self._go_on(now)
        return self._give_up(self._unanswered(), now)

    # Who is one of the group, and who else is on the bus.

    def _outsider(self, answer: m.Message, now: float) -> list[Any]:
        """Take no value from a module that is none of the group; it may be one that has just come."""
        if answer.source in self._group.members.newcomers:
            return self._take_in(now)
        self._group.members.outsiders.add(answer.source)
        why = f"module {answer.source} answers to address {self.options.source}, but is none of group "
        return self._shared(f"{why}{self.options.destination}", now, at_once=False)

    def _counted_again(self, count: int, now: float) -> list[Any]:
        """Believe that outsiders are newcomers when the group has grown."""
        if self._group.members.grow(count):
            self._watch.explained()
            return self._take_in(now)
        return self._go_on(now)

    def _take_in(self, now: float) -> list[Any]:
        if self.wishes.mode is not Mode.Off or self._question is not None:
            return self._go_on(now)
        names = ", ".join(map(str, sorted(self._group.members.newcomers)))
        return [m.Report(logging.INFO, f"module {names} has come to the group"), *self._begin(now)]

    def _shared(self, why: str, now: float, *, at_once: bool) -> list[Any]:
        """Note another owner of an address. With two of them the output is switched off and stays off."""
        if not self._watch.seen(why, now, at_once=at_once):
            return self._go_on(now)
        effects = self._faults.raise_(*SHARED, f"{why}: no power before each has its own")
        if self.state is _S.RUNNING:
            self._drop_unless_off()
        return [*effects, *self._publish_mode(), *self._go_on(now)]

    # What is next.

    @on(_S.RUNNING, timer="poll", to=RESTARTS)
    def poll(self, now: float) -> list[Any]:
        """Ask for the next value; notice a group that has become silent."""
        return self._go_on(now)

    def _go_on(self, now: float) -> list[Any]:
        """Do what is next of a group that runs: watch, ask, command."""
        if self.state is not _S.RUNNING:
            return []
        if self._watch.is_over(now):
            return self._begin(now)
        group, times = self._group, self.times
        if now - group.measured_s > times.receive_timeout_s:
            return self._lose(f"no answer for {times.receive_timeout_s:g} s", now)
        if (source := group.silent_module(now, times.module_silent_s)) is not None:
            return self._lose(f"module {source} of the group is silent", now)
        effects: list[Any] = []
        if now >= group.poll_s:
            effects.append(self._send(m.POLLED[self._polls % len(m.POLLED)]))
            self._polls += 1
            group.poll_s = now + times.poll_s
        self.start("poll", group.poll_s)
        return effects + self._command(now)

    def _command(self, now: float) -> list[Any]:
        group = self._group
        if self._question is not None or self.limits is None:
            return []
        if self._watch.conflict:
            return self._ask(m.SWITCH, m.OFF, group.count, now) if group.confirmed.on else []
        command = group.confirmed.next(self.wishes.wanted(self.limits))
        if command is None:
            if group.members.outsiders and now >= group.members.recount_s:
                group.members.recount_s = now + AGAIN_S
                return self._ask(m.COUNT, 0, 1, now)
            # Everything is as it is wanted, or was refused: the group is back.
            off = not group.confirmed.on and self.wishes.mode not in (Mode.Export, Mode.Import)
            return [*(self._faults.forget_refusals() if off else ()), *self._faults.clear(*LOST)]
        refused_off = group.confirmed.refused.get(m.SWITCH) == m.OFF
        if command[0] is m.SWITCH and (command[1] == m.ON or refused_off) and now < self._switch_s:
            return []
        return self._ask(*command, group.count if command[0].everyone else 1, now)

    def _measure(self, answer: m.Message, now: float) -> list[Any]:
        group = self._group
        group.measured_s = now
        if answer.item is m.STATUS:
            return self._status(answer, now)
        if answer.item is m.VOLTAGE:
            self.voltage_V = abs(answer.value)
        else:
            sign = -1.0 if group.confirmed.values.get(m.DIRECTION) == m.IMPORT else 1.0
            group.current_A = abs(answer.value) * sign
        return [] if group.current_A is None else [Output(self.voltage_V, group.current_A)]

    def _status(self, answer: m.Message, now: float) -> list[Any]:
        group, bits = self._group, int(answer.value)
        if answer.source in group.members.status_s:
            group.members.status_s[answer.source] = now
        group.status[answer.source] = bits
        effects = self._faults.follow(group.status, answer.source)
        if self._question is not None or now < self._settled_s:
            return effects
        if self._watch.conflict and not bits & m.STATUS_OFF:
            # The other owner has switched it on: off again.
            group.confirmed.values.pop(m.SWITCH, None)
        if bits & m.STATUS_OFF and group.confirmed.values.get(m.SWITCH) == m.ON:
            # It restarted, or protected itself: its settings are lost.
            group.confirmed = Confirmed(refused=group.confirmed.refused)
            self._switch_s = now + AGAIN_S
            effects.append(m.Report(logging.WARNING, f"module {answer.source} went off by itself: telling it again"))
        return effects
