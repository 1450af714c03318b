"""Whether the EV at the connector is the session's: the plug, and what an EV proves after the pilot hid it.

What belongs to one plug-in ends with it, also where the unplug cannot be seen.
"""

from __future__ import annotations

from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.events import Charging, EvIdentified
from chargebyte_fw.modules.evse.machine.facts import Doubt, EvCondition
from chargebyte_fw.modules.evse.machine.orders import ChargingOrders
from chargebyte_fw.modules.evse.machine.signals import EvProven, PlugUnwatched, PlugWatched


class EvIdentityRows(ChargingOrders):
    """Rows and rules of the plug that is hidden, and of the EV's proof afterwards."""

    @on(event=PlugUnwatched)
    def unwatched(self, _: PlugUnwatched, now: float) -> None:
        """The plug is hidden."""
        self.facts.hardware.plug_hidden_s = now

    @on(event=PlugWatched)
    def watched(self, event: PlugWatched, now: float) -> None:
        """The pilot shows the plug again: another EV may be plugged in."""
        facts = self.facts
        plug_in, doubt = facts.plug_in, facts.session.doubt
        facts.hardware.plug_hidden_s = None
        if facts.session.begun and (event.doubt or plug_in.plugged):
            # After a state F of our own the EV need not name itself again, but if it does, by the same name.
            doubt.raised = doubt.raised or event.doubt
            doubt.names_before, plug_in.names = doubt.names_before | plug_in.names, {}

    @on(event=EvIdentified)
    def identified(self, event: EvIdentified, now: float) -> None:
        """Keep how the EV names itself, and compare it with before."""
        plug_in, doubt = self.facts.plug_in, self.facts.session.doubt
        if not plug_in.plugged:
            # The name of an EV that has left is not the next one's.
            return
        plug_in.names[event.by] = event.mac
        self.facts.link.answered = self.with_ev
        if event.by not in doubt.names_before:
            return
        if doubt.prove_until_s is not None or doubt.names_before[event.by] != event.mac:
            doubt.raised = True

    def judge_doubt(self, now: float) -> None:
        """Once nothing blocks any more: an EV with a data link has to name itself, any other session ends."""
        facts = self.facts
        session, doubt, names = facts.session, facts.session.doubt, facts.plug_in.names
        if not doubt.raised or facts.fatal or not facts.hardware.plug_watched or session.left_s is not None:
            return
        if session.ev is not EvCondition.Sound or now < facts.hardware.fault.over_s:
            return
        doubt.raised = False
        known = names.keys() & doubt.names_before.keys()
        if not doubt.names_before or not (facts.hardware.dc or session.five_percent):
            self.leave(now, "the plug was not watched for a while")
        elif any(names[by] != doubt.names_before[by] for by in known):
            self.leave(now, "another EV is plugged in")
        elif known:
            session.doubt = Doubt()
            self.emit(EvProven())
        elif doubt.prove_until_s is None:
            doubt.prove_until_s = now + timing.EV_PROOF_S

    def end_doubt(self, now: float) -> None:
        """End the session whose plug stays hidden, or whose EV does not prove that it is the same, for too long."""
        facts = self.facts
        hidden_s, doubt = facts.hardware.plug_hidden_s, facts.session.doubt
        if hidden_s is not None and now >= hidden_s + timing.PLUG_UNWATCHED_S and facts.plug_in.plugged:
            self.leave(now, f"the pilot has not shown the plug for {timing.PLUG_UNWATCHED_S:g} s")
        if doubt.prove_until_s is None:
            return
        if self.state is Charging.ChargingPausedEVSE:
            # A pause of ours does not let the EV communicate; nothing flows meanwhile.
            doubt.prove_until_s = now + timing.EV_PROOF_S
        elif now >= doubt.prove_until_s:
            self.leave(now, "the EV does not prove that it is still the same one")

    def await_proof(self, now: float) -> None:
        """Look again when a hidden plug, a proof or a fault that hid the plug is over."""
        facts = self.facts
        session, doubt, hidden_s = facts.session, facts.session.doubt, facts.hardware.plug_hidden_s
        if not session.begun or session.left_s is not None:
            return
        if facts.plug_in.plugged and hidden_s is not None:
            self.look_again(hidden_s + timing.PLUG_UNWATCHED_S)
        if doubt.prove_until_s is not None and self.state is not Charging.ChargingPausedEVSE:
            self.look_again(doubt.prove_until_s)
        if doubt.raised and now < facts.hardware.fault.over_s:
            self.look_again(facts.hardware.fault.over_s)
