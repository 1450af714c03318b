"""The service console's screen: the controller's whole state at once, in the words that `ra-raw` made known."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from chargebyte_fw.board.flash.programmer import Running
from chargebyte_fw.board.link.messages.charge_som import (
    ChargeControl,
    ChargeState,
    ErrorMessage,
    InletState,
    Pt1000State,
)
from chargebyte_fw.board.link.messages.declaration import Message, OpenEnum
from chargebyte_fw.board.link.messages.framing import Frame
from chargebyte_fw.board.link.messages.generations import Generation
from chargebyte_fw.board.link.messages.mcs import ChargeControl2, ChargeState2
from chargebyte_fw.kernel.text import text_lines

NOTES = 4
CLEAR = "\x1b[H\x1b[J"
_SHOWN_AS_A_WHOLE = (ChargeState, ChargeState2, Pt1000State)


class Screen:
    """The latest frame of each kind, and the last few lines."""

    def __init__(self, running: Running, generation: Generation, keys: str) -> None:
        self._running, self._generation, self._keys = running, generation, keys
        self._latest: dict[type[Message], Message] = {}
        self._times: dict[str, str] = {}
        self._notes: deque[str] = deque(maxlen=NOTES)

    def take(self, frame: Frame, at: str) -> None:
        """Keep a frame of the controller that came at this time of day."""
        message = self._generation.decode(frame)
        if message is not None:
            self._latest[type(message)] = message
            self._times[type(message).__name__] = at

    def note(self, text: str) -> None:
        """Keep a line that is no state: orders, answers, errors."""
        if not text.startswith(tuple(kind.__name__ for kind in _SHOWN_AS_A_WHOLE)):
            self._notes.extend(text_lines(text))

    def text(self, control: ChargeControl | ChargeControl2, *, automatic: bool) -> str:
        """Lay out everything; `control` is what is asked for."""
        *blocks, (_, notes) = self.blocks(control, automatic=automatic)
        return "\n".join(["\n\n".join("\n".join(lines) for _, lines in blocks), *notes])

    def blocks(self, control: ChargeControl | ChargeControl2, *, automatic: bool) -> list[tuple[int, list[str]]]:
        """Return the parts in their order, the notes last, each with its rank: the greatest is the least important."""
        state = self._latest.get(ChargeState) or ChargeState()
        mcs = self._latest.get(ChargeState2) or ChargeState2()
        if isinstance(control, ChargeControl2):
            assert isinstance(mcs, ChargeState2)
            parts = [(0, _megawatt(mcs, control))]
        else:
            assert isinstance(state, ChargeState)
            parts = [(0, _various(state)), (0, _pwm(state, control)), (0, _contactors(state, control))]
        temperatures = self._latest.get(Pt1000State)
        parts.append((3, _temperatures(temperatures if isinstance(temperatures, Pt1000State) else None)))
        parts += [(4, self._info()), (1, self._error()), (5, ["== Timestamps ==", *_rows(self._times)])]
        sending = f"{type(control).__name__} is sent {'by itself' if automatic else 'only on c'}"
        return [*parts, (0, [sending, *text_lines(self._keys)]), (2, list(self._notes))]

    def _info(self) -> list[str]:
        running, firmware = self._running, self._running.firmware
        version = ".".join(str(number) for number in firmware.version)
        kind = f"{firmware.platform.text}, {firmware.application.text}, Parameter Version: {firmware.parameter_version}"
        chip = "unknown" if running.chip_version is None else str(running.chip_version)
        return [
            "== Controller Info / Firmware Info ==",
            f"MCU Version: {chip:<8} Part Number: {running.part_number or 'unknown'}",
            f"Firmware Version: {version} ({kind})",
            f"Git Hash: {running.git_hash.text if running.git_hash is not None else 'unknown'}",
        ]

    def _error(self) -> list[str]:
        error = self._latest.get(ErrorMessage)
        if not isinstance(error, ErrorMessage):
            return ["== Latest Error Message ==", "None"]
        module, reason = self._generation.error_text(error)
        data = ["none" if value is None else f"0x{value:04x}" for value in (error.data_1, error.data_2)]
        return [
            "== Latest Error Message ==",
            f"Active: {_yes(error.active):<8} Module: {module:<15} Reason: {reason}",
            f"Additional Data: {' '.join(data)}",
        ]


def _various(state: ChargeState) -> list[str]:
    stops = [f"ESTOP{number}={_word(stop):<11}" for number, stop in enumerate(_stops(state), 1)]
    lines = [
        "== Various ==",
        f"Control Pilot:   {_word(state.cp_state)} ({_flags(_pilot_flags(state))})",
        f"Proximity Pilot: {_word(state.pp_state)}",
        f"Emergency Stop Tripped: {'  '.join(stops)}".rstrip(),
        f"HV Ready: {int(state.hv_ready)}                    RCM State: {_word(state.rcm)}",
        f"Safe State Active: {_word(state.safe_state_active):<11} Reason: {state.safe_state_reason.text}",
    ]
    if state.inlet is not InletState.UNDEFINED:
        lines.append(f"Plug Lock:       {_word(state.inlet)}")
    return lines


def _stops(state: ChargeState) -> tuple[OpenEnum, ...]:
    return (state.estop_1, state.estop_2, state.estop_3)


def _pilot_flags(state: ChargeState) -> Iterator[str]:
    if state.diode_fault:
        yield "diode fault"
    if state.cp_short_circuit:
        yield "short circuit"


def _pwm(state: ChargeState, control: ChargeControl) -> list[str]:
    return [
        "== PWM ==",
        f"Enable:               {_yes(control.pwm_active):<3}      Is Enabled:         {_yes(state.pwm_active)}",
        f"Requested Duty Cycle: {control.duty_percent:5.1f}%   Current Duty Cycle: {state.duty_percent:5.1f}%",
    ]


def _contactors(state: ChargeState, control: ChargeControl) -> list[str]:
    wanted = (control.contactor_1_close, control.contactor_2_close, control.contactor_3_close)
    return [
        "== Contactor ==",
        *(
            f"Contactor {number}: requested={'CLOSE' if close else 'open':<5}   actual={_word(actual)}"
            for number, (close, actual) in enumerate(zip(wanted, state.contactors, strict=True), 1)
        ),
    ]


def _megawatt(state: ChargeState2, control: ChargeControl2) -> list[str]:
    return [
        "== MCS ==",
        f"ID State: {_word(state.id_state)}",
        f"CE State: {_word(state.ce_state)}",
        f"Safe State Active: {_word(state.safe_state_active):<11} Reason: {_word(state.safe_state_reason)}",
        "",
        f"CCS Ready: {_word(control.ccs_ready)}",
    ]


def _temperatures(state: Pt1000State | None) -> list[str]:
    lines = ["== Temperatures =="]
    for number, (temperature_C, failed, stops) in enumerate((state or Pt1000State()).channels, 1):
        shown = "-n/a-" if temperature_C is None else f"{temperature_C:5.1f}"
        words = [word for word, there in (("selftest failed", failed), ("charging stop cause", stops)) if there]
        enabled = _yes(temperature_C is not None)
        lines.append(f"Channel {number}: enabled={enabled:<3} temperature={shown} °C ({_flags(iter(words))})")
    return lines


def _flags(words: Iterator[str]) -> str:
    return ", ".join(words) or "-no flags set-"


def _rows(times: dict[str, str]) -> list[str]:
    return [f"{name:<29}: {at}" for name, at in sorted(times.items())]


def _word(value: OpenEnum) -> str:
    return value.name if len(value.name) == 1 else value.name.lower().replace("_", " ")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
