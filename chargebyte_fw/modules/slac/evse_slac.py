"""EvseSlac: the charger's side of SLAC (ISO 15118-3) on the interface of a HomePlug Green PHY modem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.module import Claim, Module, ModuleConfig, provides
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.trace import Tape
from chargebyte_fw.modules.slac.keys import new_nmk
from chargebyte_fw.modules.slac.link import SlacLink
from chargebyte_fw.modules.slac.machine.events import (
    DlinkReady,
    EnterBcd,
    EvMac,
    Ignored,
    KeyRefused,
    LeaveBcd,
    LinkDown,
    LinkUp,
    ModemAnswers,
    Report,
    RequestErrorRoutine,
    Reset,
    Send,
    StateIs,
)
from chargebyte_fw.modules.slac.machine.evse import EvseSlac as Matching
from chargebyte_fw.modules.slac.machine.modem import EvseOptions
from chargebyte_fw.modules.slac.messages import Frame, mac_text

COMMUNICATION_FAULT = "generic/CommunicationFault"
VENDOR_WARNING = "generic/VendorWarning"
MODEM_SILENT = "ModemSilent"
KEY_REFUSED = "KeyRefused"


class SlacConfig(ModuleConfig):
    """Configuration of the match, with EVerest's names and defaults."""

    device: Annotated[str, Meta(description="Network interface of the modem.")] = "eth1"
    number_of_sounds: Annotated[
        int, Meta(ge=1, le=255, description="Sounds that a car is asked for (C_EV_match_MNBC).")
    ] = 10
    ac_mode_five_percent: Annotated[
        bool, Meta(description="Ask for the error routine (E/F, then another match) when a match failed.")
    ] = True
    set_key_timeout_ms: Annotated[
        int, Meta(ge=1, description="How long the modem may take to confirm a key before it is sent again, in ms.")
    ] = 1000
    sounding_attenuation_adjustment: Annotated[
        int, Meta(ge=-255, le=255, description="Added to each measured attenuation, in dB.")
    ] = 0
    publish_mac_on_match_cnf: Annotated[bool, Meta(description="Publish the car's MAC address when it is matched.")] = (
        True
    )
    publish_mac_on_first_parm_req: Annotated[
        bool, Meta(description="Publish the car's MAC address when it first asks to match.")
    ] = False
    do_chip_reset: Annotated[bool, Meta(description="Reset the modem after each new key.")] = False
    chip_reset_delay_ms: Annotated[
        int, Meta(ge=0, description="Between the confirmed key and the modem's reset, in ms.")
    ] = 100
    chip_reset_timeout_ms: Annotated[
        int, Meta(ge=0, description="How long the modem may take to confirm its reset, in ms.")
    ] = 500
    link_status_detection: Annotated[
        bool, Meta(description="Be matched only when the modem reports the link, and look at it every second.")
    ] = False
    link_status_retry_ms: Annotated[
        int, Meta(ge=1, description="Between two questions for the link after a match, in ms.")
    ] = 100
    link_status_timeout_ms: Annotated[
        int, Meta(ge=1, description="How long the link may take after a match, in ms.")
    ] = 10000
    debug_simulate_failed_matching: Annotated[
        bool, Meta(description="Give the car a wrong key, so that no link comes (for tests).")
    ] = False
    reset_instead_of_fail: Annotated[
        bool, Meta(description="Let a car whose match failed try once more before the error routine is asked for.")
    ] = True
    startup_delay_ms: Annotated[int, Meta(ge=0, description="Wait before the modem is first used, in ms.")] = 0
    slac_init_timeout_ms: Annotated[
        int, Meta(ge=10000, le=50000, description="How long a car may take to ask (TT_EVSE_SLAC_init), in ms.")
    ] = 40000
    hack_disable_regenerate_key_on_reset: Annotated[
        bool, Meta(description="Keep the network key of the start, for modems that wear out when it changes.")
    ] = False


def options_from_config(config: SlacConfig) -> EvseOptions:
    """Return the machine's options, in its units, from the configuration."""
    return EvseOptions(
        number_of_sounds=config.number_of_sounds,
        ac_mode_five_percent=config.ac_mode_five_percent,
        set_key_timeout_s=config.set_key_timeout_ms / 1000,
        attenuation_adjustment_dB=config.sounding_attenuation_adjustment,
        publish_mac_on_match_cnf=config.publish_mac_on_match_cnf,
        publish_mac_on_first_parm_req=config.publish_mac_on_first_parm_req,
        do_chip_reset=config.do_chip_reset,
        chip_reset_delay_s=config.chip_reset_delay_ms / 1000,
        chip_reset_timeout_s=config.chip_reset_timeout_ms / 1000,
        link_status_detection=config.link_status_detection,
        link_status_retry_s=config.link_status_retry_ms / 1000,
        link_status_timeout_s=config.link_status_timeout_ms / 1000,
        simulate_failed_matching=config.debug_simulate_failed_matching,
        reset_instead_of_fail=config.reset_instead_of_fail,
        slac_init_timeout_s=config.slac_init_timeout_ms / 1000,
        regenerate_key_on_reset=not config.hack_disable_regenerate_key_on_reset,
    )


class Evse(Slac):
    """Implementation of `slac` for the charger's side of a match."""

    module: EvseSlac
    config: SlacConfig

    async def reset(self, enable: bool) -> None:
        """Leave the network and begin anew; as in EVerest only when `enable` is false."""
        if not enable:
            self.module.pump.feed(Reset())

    async def enter_bcd(self) -> None:
        """Begin a match: the pilot is in B, C or D."""
        self.module.mark(car_comes=True)
        self.module.pump.feed(EnterBcd())

    async def leave_bcd(self) -> None:
        """End a match: the pilot is in A, E or F."""
        self.module.pump.feed(LeaveBcd())

    async def dlink_terminate(self) -> None:
        """Leave the network."""
        self.module.pump.feed(Reset())

    async def dlink_error(self) -> None:
        """Leave the network; the charging logic begins another match."""
        self.module.pump.feed(Reset())

    async def dlink_pause(self) -> None:
        """Stay matched: the link is what the car wakes up on."""
        self.module.log.debug("pause: the link stays")


class EvseSlac(Module):
    """Finds the car at the other end of this very cable and shares a powerline network with it (ISO 15118-3 SLAC)."""

    main = provides(Evse, config=SlacConfig, description="The charger's side of SLAC.")

    machine: Matching
    pump: Pump
    link: SlacLink

    @classmethod
    def claims(cls, config: Any, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """The modem."""
        yield Claim("interface for SLAC", implementations["main"].device, "device")

    async def init(self) -> None:
        """Build the machine from its configuration."""
        config: SlacConfig = self.main.config
        # The runtime's chance is the system's (fit for keys) outside of a seeded simulation.
        self.machine = Matching(options_from_config(config), partial(new_nmk, self.runtime.random))
        self.pump = Pump(self.machine, self._act, self.crash, Tape(self.runtime.trace, self.id))
        self.link = SlacLink(
            config.device,
            self.runtime,
            self.log,
            up=self._link_up,
            received=self._received,
            down=self._link_down,
            after=self.after,
        )

    async def ready(self) -> None:
        """Open the interface, after the configured delay."""
        self.link.open(self.main.config.startup_delay_ms / 1000)

    async def stop(self) -> None:
        """Close the interface."""
        self.runtime.trace.record("port", self.id, {"down": "the charger stops"})
        self.pump.feed(LinkDown())
        self.pump.close()
        self.link.close()

    def mark(self, *, car_comes: bool = False) -> None:
        """Record the state of the machine: replay can begin here (docs/trace.md)."""
        m = self.machine
        standing = {"state": m.state.name, "vendor": m.vendor.name, "mac": m.mac, "options": m.options}
        standing["modem"] = m.modem.mac
        device = self.main.config.device
        self.runtime.trace.record("start", self.id, {**standing, "device": device, "car_comes": car_comes})

    def _link_up(self, mac: bytes) -> None:
        self.main.faults.clear(COMMUNICATION_FAULT)
        self.mark()
        self.runtime.trace.record("port", self.id, {"up": mac})
        self.pump.feed(LinkUp(mac))

    def _link_down(self, error: Unavailable) -> None:
        self.runtime.trace.record("port", self.id, {"down": str(error)})
        self.pump.feed(LinkDown())
        self.main.faults.clear(VENDOR_WARNING, MODEM_SILENT)
        self.main.faults.clear(VENDOR_WARNING, KEY_REFUSED)
        self.main.faults.raise_fault(COMMUNICATION_FAULT, str(error))

    def _received(self, frame: Frame) -> None:
        self.pump.feed(frame)

    def _act(self, effect: Any) -> None:
        match effect:
            case Send(frame):
                self.link.send(frame)
            case StateIs(state):
                self.log.debug("state %s", state)
                self.main.state.publish(state)
            case DlinkReady(up):
                self.log.info("data link is %s", "up" if up else "down")
                self.main.dlink_ready.publish(up)
            case EvMac(mac):
                self.main.ev_mac_address.publish(mac_text(mac))
            case RequestErrorRoutine():
                self.main.request_error_routine.publish(None)
            case ModemAnswers(answers):
                self._modem_answers(answers)
            case KeyRefused(result):
                self._key_refused(result)
            case Ignored(text):
                self.link.complain(text)
            case Report(level, text):
                self.log.log(level, text)
            case Unexpected(state, event):
                self.log.debug("%s passed over: %s", getattr(event, "title", type(event).__name__), state.value)

    def _modem_answers(self, answers: bool) -> None:
        if answers:
            self.log.info("the modem answers again")
            self.main.faults.clear(VENDOR_WARNING, MODEM_SILENT)
        else:
            text = "the modem does not confirm its key (has it power, does its driver run?)"
            self.log.error("%s, trying on", text)
            self.main.faults.raise_fault(VENDOR_WARNING, text, sub_type=MODEM_SILENT)

    def _key_refused(self, result: int | None) -> None:
        if result is None:
            self.log.info("the modem takes its key again")
            self.main.faults.clear(VENDOR_WARNING, KEY_REFUSED)
            return
        text = f"the modem refuses its key (result {result} in CM_SET_KEY.CNF)"
        self.log.error("%s, trying again", text)
        self.main.faults.raise_fault(VENDOR_WARNING, text, sub_type=KEY_REFUSED)
