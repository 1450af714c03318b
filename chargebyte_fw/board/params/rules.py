"""Rules between values of a parameter block, and what is lost in a version that does not have them."""

from __future__ import annotations

from collections.abc import Iterator

from chargebyte_fw.board.params import layout
from chargebyte_fw.board.params.layout import GROUPS, Field, Group, Parameters
from chargebyte_fw.board.params.value_types import NORMALLY_OPEN
from chargebyte_fw.kernel.errors import Finding

_LOCK_WITHOUT_FEEDBACK, _LOCK_WITH_FEEDBACK = 1, 2


def check(parameters: Parameters, name: str, group_places: dict[str, str]) -> list[Finding]:
    """Return where the values contradict each other; `group_places`: where a group begins, `name`: the file."""
    found = []
    for number, rule in (("C307", _residual_current), ("C308", _plug_lock), ("C309", _voltages)):
        for what, hint, one in rule(parameters):
            place = parameters.given.get((one, 0)) or group_places.get(one.group) or name
            found.append(Finding(place, f"{one.group}: {what}", hint, number=number))
    return found


def _residual_current(p: Parameters) -> Iterator[tuple[str, str, Field]]:
    fault, test = p.get(layout.RCM_FAULT), p.get(layout.RCM_TEST)
    if bool(fault) is not bool(test):
        lone = layout.RCM_FAULT if fault else layout.RCM_TEST
        yield "fault-polarity and test-polarity belong together", "give both, or write `rcm: disabled`", lone
    elif fault:
        for one in layout.RCM_TIMES:
            if (one, 0) not in p.given:
                yield f"{one.key} is missing", "a monitor needs all three times", layout.RCM_FAULT
            elif not p.get(one):
                yield f"{one.key} must not be 0 ms", "the least is 20 ms", one


def _plug_lock(p: Parameters) -> Iterator[tuple[str, str, Field]]:
    kind = p.get(layout.LOCK_TYPE)
    if (layout.LOCK_TYPE, 0) not in p.given:
        others = (*layout.LOCK_TIMES, *layout.LOCK_VOLTAGES)
        given = next((one for one in others if (one, 0) in p.given), None)
        if given is not None:
            yield "type is missing", "none, without-feedback or with-feedback", given
        return
    if kind in (_LOCK_WITHOUT_FEEDBACK, _LOCK_WITH_FEEDBACK):
        for one in layout.LOCK_TIMES:
            if (one, 0) not in p.given:
                yield f"{one.key} is missing", "", layout.LOCK_TYPE
    if kind == _LOCK_WITH_FEEDBACK:
        for one in layout.LOCK_VOLTAGES:
            if (one, 0) not in p.given:
                yield f"{one.key} is missing", "a lock with feedback needs all four voltages", layout.LOCK_TYPE


def _voltages(p: Parameters) -> Iterator[tuple[str, str, Field]]:
    if p.get(layout.LOCK_TYPE) != _LOCK_WITH_FEEDBACK or any((one, 0) not in p.given for one in layout.LOCK_VOLTAGES):
        return
    open_min, open_max, closed_min, closed_max = (p.get(one) for one in layout.LOCK_VOLTAGES)
    if open_min > open_max:
        yield "feedback-open-voltage-min is above its max", "", layout.LOCK_VOLTAGES[0]
    if closed_min > closed_max:
        yield "feedback-closed-voltage-min is above its max", "", layout.LOCK_VOLTAGES[2]
    if open_min <= closed_max and closed_min <= open_max:
        what = "the voltages of open and closed overlap"
        yield what, "the controller would refuse the block", layout.LOCK_VOLTAGES[0]


def fit(parameters: Parameters, version: int, name: str, *, leave_out: bool = True) -> list[Finding]:
    """Return what a block of `version` cannot hold: errors for what would be changed, warnings for what is left out.

    Without `leave_out` what would be left out is an error as well.
    """
    found = []
    for group in GROUPS:
        for one in group.fields:
            kept = layout.count_in(group, one, version)
            for index in range(group.items):
                place = parameters.given.get((one, index))
                raw = parameters.get(one, index)
                if (
                    place is None
                    or (raw == one.kind.default and index >= kept)
                    or (one.kind.off(raw) and index >= kept)
                ):
                    continue
                where = place if place and not place.startswith("byte ") else name
                what = f"{one.name(index if group.count else None)} ({one.kind.show(raw)})"
                if index >= kept:
                    found.append(_loss(group, one, index, version, where, what, leave_out))
                elif version == 0 and one is layout.CONTACTOR_TYPE and raw == NORMALLY_OPEN:
                    hint = "use version 1 or newer"
                    what += ": an unversioned block can only say normally closed"
                    found.append(Finding(where, what, hint, number="C311"))
    return found


def _loss(group: Group, one: Field, index: int, version: int, where: str, what: str, leave_out: bool) -> Finding:
    block = f"a block of version {version}" if version else "an unversioned block"
    if leave_out:
        return Finding(where, f"{what} is left out: {block} does not have it", "", "warning", "C312")
    holding = [f"version {other}" for other in layout.SIZES if index < layout.count_in(group, one, other)]
    hint = f"it is in {' and '.join(holding)}; " if holding else ""
    what = f"{what} would be lost: {block} does not have it"
    return Finding(where, what, f"{hint}--leave-out drops it", number="C312")
