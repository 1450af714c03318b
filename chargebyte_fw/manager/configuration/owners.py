"""Resources with two owners: what only one module may command, open or write, or all users must agree on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chargebyte_fw.kernel.module import Claim
from chargebyte_fw.kernel.yaml_text import Place
from chargebyte_fw.manager.configuration.connections import Loaded
from chargebyte_fw.manager.configuration.entries import Wish, Written
from chargebyte_fw.manager.configuration.probe import PROBE
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.plan import ModulePlan


def check_users(written: Sequence[Written], loaded: Loaded, report: Report) -> None:
    """Report each second user of an implementation whose interface is for one (`Contract.one_user`).

    A test program (`ProbeModule`) may be the second one: it looks on.
    """
    probes = {one.id for one in written if one.module == PROBE}
    users: dict[tuple[str, str], tuple[str, Wish]] = {}
    for one in written:
        module = loaded[one.id]
        for name, (_, wishes) in one.connections.items():
            requirement = module.requirements.get(name) if module is not None else None
            if requirement is None or requirement.only_reads or not requirement.contract.declaration().one_user:
                continue
            for wish in wishes:
                first, its = users.setdefault((wish.module_id, wish.implementation_id), (one.id, wish))
                if its is wish:
                    continue
                end = f"{wish.module_id}.{wish.implementation_id}"
                who = f"{first} uses {end} twice" if first == one.id else f"{first} and {one.id} both use {end}"
                what = f"{who}, but {requirement.interface} is for one user"
                against = requirement.contract.declaration().one_user == "error" and not {first, one.id} & probes
                add = report.error if against else report.warning
                add(
                    wish.place,
                    what,
                    f"give {one.id} one of its own" if first != one.id else "take one out",
                    number="C073",
                )


def check_claims(plans: Sequence[ModulePlan], written: Mapping[str, Written], report: Report) -> None:
    """Report what two plans claim, or do not agree on."""
    held: dict[tuple[str, str], tuple[ModulePlan, Claim]] = {}
    for plan in plans:
        for claim in _claims(plan):
            first, theirs = held.setdefault((claim.kind, claim.name), (plan, claim))
            if theirs is claim or (claim.value == theirs.value and claim.value):
                continue
            place = place_of(claim.about, written[plan.id])
            who = (
                f"{first.id} and {plan.id}" if first.id != plan.id else f"{theirs.about} and {claim.about} of {plan.id}"
            )
            if claim.value:
                what = f"{who} do not agree on the {claim.kind} {claim.name}: {theirs.value} and {claim.value}"
                report.error(place, what, "use one value for both", number="C074")
            else:
                where = place_of(theirs.about, written[first.id])
                what = f"{who} both use the {claim.kind} {claim.name} (the first at line {where.line})"
                usual = "use two different ones" if first.id == plan.id else f"give {plan.id} another one"
                report.error(place, what, claim.hint or usual, number="C075")


def _claims(plan: ModulePlan) -> Iterable[Claim]:
    configs = {
        name: plan.implementation_configs.get(name) or provision.config()
        for name, provision in plan.module.provisions.items()
    }
    return plan.module.claims(plan.config, configs)


def place_of(about: str, written: Written) -> Place:
    """Return the place of a key or a requirement of a module, the module's own place without it."""
    for section in (written.config, *(values for _, values in written.implementation_configs.values())):
        if about in section.entries:
            return section.entries[about].place
    return written.connections[about][0] if about in written.connections else written.place
