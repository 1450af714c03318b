"""What the rules of an Infypower group have in common: states, questions, faults, the next try."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.facts import GroupFacts
from chargebyte_fw.modules.power.infypower.faults import LOST, SHARED, GroupFaults
from chargebyte_fw.modules.power.infypower.limits import Limits, Options
from chargebyte_fw.modules.power.infypower.sharing import AddressWatch
from chargebyte_fw.modules.power.infypower.states import State
from chargebyte_fw.modules.power.infypower.timing import AGAIN_S, Times
from chargebyte_fw.modules.power.infypower.wishes import Question, Wishes
from chargebyte_fw.modules.power.messages import ModeIs

SAFE_CURRENT_A = 2.0
"""Contactors may open below this current: the modules' own tolerance."""
TRIES = 2
ROUNDING = 0.0015
SETTLED_S = 3.0
"""After it was switched on, a module's status may still be off for this long."""
_REFUSALS = {m.Outcome.COMMAND_INVALID: "invalid command", m.Outcome.DATA_INVALID: "invalid data"}


_S = State


@dataclass(frozen=True, slots=True)
class Answered:
    """Event of the machine itself: every module that was to answer the question has done so."""

    question: Question


@dataclass(frozen=True, slots=True)
class Refused:
    """Event of the machine itself: a module has refused the question."""

    question: Question
    answer: m.Message


class GroupBase(Machine):
    """A group with its question, its wishes and its faults."""

    initial = State.NO_BUS

    def __init__(self, options: Options | None = None, times: Times | None = None) -> None:
        super().__init__()
        self.options = options or Options()
        self.times = times or Times()
        self.wishes = Wishes(self.options.bidirectional, self.options.override_cutoff_V)
        self.limits: Limits | None = None
        self.voltage_V = 0.0
        self.strangers = 0
        """Frames that are none of this protocol, or not for us."""
        self._group = GroupFacts()
        self._question: Question | None = None
        self._faults = GroupFaults()
        self._watch = AddressWatch()
        self._mode: Mode | None = None
        """Published last."""
        self._settled_s = 0.0
        """From when on a status may be compared with what was confirmed."""
        self._switch_s = 0.0
        """From when on the output may be switched on again, whatever was found anew meanwhile."""
        self._polls = 0
        self._start_up_until: float | None = None
        self._waiting_logged = False

    @property
    def current_A(self) -> float | None:
        """Of the whole group, negative from the car; None: not measured yet."""
        return self._group.current_A

    @property
    def at_rest(self) -> bool:
        """Whether contactors may be switched: output off and without current, or no module there."""
        if self.state is not _S.RUNNING:
            return self.state is not _S.SWITCHING_OFF
        current_A = self._group.current_A
        return not self._group.confirmed.on and current_A is not None and abs(current_A) <= SAFE_CURRENT_A

    def _begin(self, now: float) -> list[Any]:
        effects = self._faults.clear(*SHARED) if self._watch.over(now) else []
        self._group = GroupFacts()
        self.enter(_S.COUNTING)
        return effects + self._ask(m.COUNT, 0, 1, now)

    def _ask(self, item: m.Item, value: float, expected: int, now: float, tries: int = 1) -> list[Any]:
        self._question = Question(item, value, expected, tries)
        self.start("answer", now + self.times.answer_s)
        if item.command is m.Command.WRITE:
            self._group.confirmed.values.pop(item, None)  # unknown from now on
        return [self._send(item, value)]

    def _send(self, item: m.Item, value: float = 0) -> m.Transmit:
        return m.Transmit(m.Message(item, value, self.options.source, self.options.destination).frame())

    def _drop(self) -> None:
        self._question = None
        self.stop("answer")

    def _drop_unless_off(self) -> None:
        if self._question is not None and not self._question.is_off:
            self._drop()

    def _complete(self, question: Question, now: float) -> list[Any]:
        self._drop()
        return self.feed(Answered(question), now)

    def _ask_again(self, now: float) -> list[Any]:
        """Ask once more; nothing after TRIES."""
        question = self._question
        if question is None or question.tries >= TRIES:
            return []
        effects = self._ask(question.item, question.value, question.expected, now, question.tries + 1)
        assert self._question is not None
        self._question.answers = question.answers
        return effects

    def _unanswered(self) -> str:
        question = self._question
        assert question is not None
        answered = f"{len(question.answers)} of {question.expected} modules"
        return f"{answered} answer to {question.item.name}{question.otherwise}"

    def _give_up(self, why: str, now: float) -> list[Any]:
        question = self._question
        if question is not None and self._starts_up(now):
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
        return self._lost(why) + self._wait(now)

    def _lost(self, why: str) -> list[Any]:
        self._group.current_A = None
        effects = self._faults.raise_(*LOST, why)
        if self._mode is not None and self._mode is not Mode.Fault:
            self._mode = Mode.Fault
            effects.append(ModeIs(Mode.Fault))
        self._drop()
        return effects

    def _wait(self, now: float) -> list[Any]:
        self._drop()
        self.start("again", now + AGAIN_S)
        return self.enter(_S.WAITING)

    def _publish_mode(self) -> list[Any]:
        values = self._group.confirmed.values
        importing = values.get(m.DIRECTION) == m.IMPORT
        mode = Mode.Off if values.get(m.SWITCH) != m.ON else Mode.Import if importing else Mode.Export
        if self._watch.conflict:
            mode = Mode.Fault
        if mode is self._mode:
            return []
        self._mode = mode
        return [ModeIs(mode)]


def refusal_text(event: Refused) -> str:
    """Return which module refused what, and why."""
    question, error = event.question, event.answer.error
    text = f"module {event.answer.source} refuses {question.item.name} {question.value:g} {question.item.unit}".rstrip()
    return f"{text}: {_REFUSALS.get(error, f'error {error}')}"  # type: ignore[call-overload]
