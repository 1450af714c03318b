"""Where cars find the charger: link, SDP answers, and whether a car may connect now.

One module of a charger listens: the one that speaks with the cars (`engine.py`), or the multiplexer before several of
those (`iso_mux.py`).
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from logging import INFO
from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.module import Claim, Module
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.kernel.trace import Tape
from chargebyte_fw.modules.v2g import sdp, timing
from chargebyte_fw.modules.v2g.link import Endpoint, V2gLink
from chargebyte_fw.modules.v2g.secc.access import (
    Access,
    AccessState,
    CarConnected,
    CarGone,
    CarSpoke,
    CloseConnection,
    DataLink,
    HandshakeFailed,
    SdpAnswered,
)
from chargebyte_fw.modules.v2g.secc.effects import Log
from chargebyte_fw.modules.v2g.transport import Accept, Transport

FAULT = "generic/CommunicationFault"


def claims_of(device: str, ports: Iterable[int], *, with_sdp: bool) -> Iterable[Claim]:
    """Yield what a module needs for itself: the interface with SDP, else its ports alone."""
    if with_sdp:
        yield Claim("interface for V2G", device, "device")
    else:
        for port in dict.fromkeys(ports):
            yield Claim("TCP port for V2G", f"{port} on {device}", "device")


class Listener:
    """Lets one car at a time connect on behalf of a module, which provides `charger`.

    `accept` takes a connection that may be used, in place of one without a request, and calls `connected`; `spoke` and
    `gone` have to follow. `end` is called with the reason where the connection has to end at once.
    """

    def __init__(
        self,
        module: Module,
        charger: Iso15118Charger,
        accept: Accept,
        end: Callable[[str], None],
        device: str,
        *,
        endpoints: Sequence[Endpoint],
        with_sdp: bool = True,
    ) -> None:
        self.where = ""
        """Address and ports of the link."""
        self.link = V2gLink(
            device,
            module.runtime.wires,
            self.admit,
            accept,
            self._offer,
            failed=self._handshake_failed,
            endpoints=endpoints,
            with_sdp=with_sdp,
        )
        self._module = module
        self._log = module.log
        self._charger = charger
        self._end = end
        self._trace = trace = module.runtime.trace
        self._access = Access()
        self._pump = Pump(self._access, self._act, module.crash, Tape(trace, f"{module.id}.access"))
        self._refusals = RateLimitedLog(module.log, "%d more connections were refused within %g s", level=INFO)
        self._silences = RateLimitedLog(module.log, "%d more SDP requests were not answered within %g s")

    def open(self) -> None:
        """Open the link, and keep it open."""
        self._module.spawn(self.link.keep_open(self._opened, self._lost), "link")

    def close(self) -> None:
        """Close the sockets; a connection is its owner's."""
        self._pump.close()
        self.link.close()
        for log in (self._refusals, self._silences):
            log.close()

    def data_link(self, ready: bool) -> None:
        """Open for a car with the data link, close without."""
        self._pump.feed(DataLink(ready))
        if not ready:
            self.link.drop_handshakes("the data link is gone")

    def admit(self, transport: Transport) -> bool:
        """Return whether a car may connect now; log why not. Its handshake has the time that an SDP answer gives."""
        if not self._access.open:
            taken = self._access.state is AccessState.CONNECTED
            busy = "another car is connected" if taken else "the data link is not ready"
            self._refusals.write("refused %s: %s", transport.peer, busy)
            return False
        self._pump.feed(SdpAnswered())
        return True

    def connected(self) -> None:
        """Admit no other car, but for one whose connection takes the place of one without a request."""
        self._pump.feed(CarConnected())

    def spoke(self) -> None:
        """Admit no other car from now on: the one that is connected has sent a request."""
        self._pump.feed(CarSpoke())

    def gone(self) -> None:
        """Admit the next car."""
        self._pump.feed(CarGone())

    def _handshake_failed(self) -> None:
        self._pump.feed(HandshakeFailed())

    # -- link

    def _opened(self, where: str) -> None:
        self.where = where
        self._charger.faults.clear(FAULT)
        self._log.info("waiting for cars at %s", where)

    def _lost(self, why: str) -> None:
        self._log.warning("no V2G communication: %s", why)
        self._charger.faults.raise_fault(FAULT, why, severity=Severity.High)
        self._end(why)

    # -- SDP

    def _offer(self, data: bytes, address: ipaddress.IPv6Address, send: Callable[[bytes], None]) -> None:
        """Answer an SDP request while a car may come; what TLS needs is looked at again before."""
        self._trace.record("sdp", f"{self._module.id}.car", data)
        if not self._access.open:
            return
        try:
            request = sdp.parse_request(data)
        except PeerError as error:
            self._log.debug("no SDP request: %s", error)
            return

        def answer() -> None:
            self._answer(request.security, address, send)

        endpoints = self.link.endpoints
        wanted = [one for one in endpoints if one.security == request.security] or list(endpoints)
        renewals = [task for one in wanted if one.layer is not None and (task := one.layer.renew()) is not None]
        if renewals:
            self._module.spawn(self._answer_after(renewals, answer), "sdp")
        else:
            answer()

    async def _answer_after(self, renewals: Sequence[asyncio.Task[None]], answer: Callable[[], None]) -> None:
        """Answer once it is known what can be offered, or when a car would ask again anyway."""
        await asyncio.wait(renewals, timeout=timing.SDP_RETRY_S)
        answer()

    def _answer(self, security: int, address: ipaddress.IPv6Address, send: Callable[[bytes], None]) -> None:
        """Send a car to an endpoint as it wants, or to the first one that can be offered; be silent without one."""
        offered = [one for one in self.link.endpoints if one.offered()]
        if not self._access.open:
            return
        if not offered:
            missing = ", ".join(one.layer.missing for one in self.link.endpoints if one.layer is not None)
            self._silences.write("an SDP request is not answered: there is TLS alone, and none now (%s)", missing)
            return
        chosen = next((one for one in offered if one.security == security), offered[0])
        response = sdp.Response(address, chosen.port, chosen.security).to_bytes()
        self._trace.record("sdp", f"{self._module.id}.charger", response)
        self._pump.feed(SdpAnswered())
        send(response)

    # -- effects

    def _act(self, effect: Any) -> None:
        match effect:
            case Publish(_, variable, value):
                getattr(self._charger, variable).publish(value)
            case Log(text):
                self._log.info("%s", text)
            case CloseConnection(reason):
                self._end(reason)
