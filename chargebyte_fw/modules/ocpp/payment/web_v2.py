"""Payment by a QR code on the display: the codes, and EVSEs that wait for a payment (use case C25)."""

from __future__ import annotations

from datetime import timedelta

from chargebyte_fw.contracts.interfaces.display_message import DisplayMessage
from chargebyte_fw.contracts.types import display_message as display
from chargebyte_fw.contracts.types import text_message
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.authorization.v2 import Authorization2
from chargebyte_fw.modules.ocpp.messages.v2.payment import (
    NotifyWebPaymentStartedRequest,
    NotifyWebPaymentStartedResponse,
)
from chargebyte_fw.modules.ocpp.payment.totp import interval_of, password_of, url_of
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, WentOffline
from chargebyte_fw.modules.ocpp.station import Block, RequestRefused, Station, answers, receives
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.standard.communication import IDENTITY
from chargebyte_fw.modules.ocpp.variables.standard.cost import (
    WEB_PAYMENTS_ENABLED,
    WEB_PAYMENTS_LENGTH,
    WEB_PAYMENTS_SHARED_SECRET,
    WEB_PAYMENTS_STATION_ID,
    WEB_PAYMENTS_TOTP_VERSION,
    WEB_PAYMENTS_URL_TEMPLATE,
    WEB_PAYMENTS_VALIDITY_TIME,
)
from chargebyte_fw.modules.ocpp.variables.standard.station import EVSE_EVSE_ID
from chargebyte_fw.modules.ocpp.version import Version

LONGEST_WAIT_S = 3600
"""How long a payment may keep an EVSE for its driver."""
TIMER = "qr code"


class WebPayments2(Block):
    """Shows a code for each free EVSE, and keeps an EVSE for a driver who is paying."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._online = False
        self._kept: set[int] = set()
        station.block(Authorization2).kept_evses = lambda: frozenset(self._kept)
        station.variables.on_change(WEB_PAYMENTS_ENABLED, lambda _: self._show_again())
        for variable in (WEB_PAYMENTS_SHARED_SECRET, WEB_PAYMENTS_URL_TEMPLATE):
            station.variables.on_change(variable, lambda _: self._show_again())

    # The code.

    @receives(Registered)
    @receives(BackOnline)
    def went_online(self, event: Registered | BackOnline) -> None:
        """Show codes: the CSMS can begin what is paid for."""
        self._online = True
        self._show()

    @receives(WentOffline)
    def went_offline(self, event: WentOffline) -> None:
        """Show no further codes."""
        self._online = False
        self.station.stop(TIMER)

    @receives(TransactionEnded)
    def ended(self, event: TransactionEnded) -> None:
        """The EVSE is free: show its code."""
        self._show_again()

    def _show_again(self) -> None:
        self.station.start(TIMER, self.station.now, self._show)

    def url(self, evse_id: int) -> str:
        """Return the URL of an EVSE with the password of now; empty where none is configured."""
        get = self.station.variables.get
        template, secret = get(WEB_PAYMENTS_URL_TEMPLATE), get(WEB_PAYMENTS_SHARED_SECRET)
        if not (get(WEB_PAYMENTS_ENABLED) and template and secret):
            return ""
        interval = interval_of(self.station.utc.timestamp(), max(1, get(WEB_PAYMENTS_VALIDITY_TIME)))
        values = {
            "chargingstationid": get(WEB_PAYMENTS_STATION_ID) or get(IDENTITY),
            "roamingevseid": get(EVSE_EVSE_ID.at(evse_id)),
            "evse": str(evse_id),
            "totp": password_of(secret, interval, get(WEB_PAYMENTS_LENGTH)),
            "version": get(WEB_PAYMENTS_TOTP_VERSION),
        }
        return url_of(template, values)

    def _show(self) -> None:
        """Give the display a code of each free EVSE, and the next one when its password changes."""
        if not self._online or self.station.version is not Version.V21:
            return
        transactions = self.station.block(Transactions2)
        validity_s = max(1, self.station.variables.get(WEB_PAYMENTS_VALIDITY_TIME))
        since_s = self.station.utc.timestamp() % validity_s
        until = self.station.utc + timedelta(seconds=validity_s - since_s)
        shown = False
        for evse_id in self.station.layout.evse_ids:
            url = self.url(evse_id)
            shown = shown or bool(url)
            if url and transactions.at(evse_id) is None and evse_id not in self._kept:
                content = text_message.MessageContent(content=url, format=text_message.MessageFormat.QRCODE)
                message = display.DisplayMessage(
                    message=content,
                    state=display.MessageStateEnum.Idle,
                    timestamp_from=rfc3339(self.station.utc),
                    timestamp_to=rfc3339(until),
                    qr_code=url,
                )
                self.station.command(call(DisplayMessage.set_display_message, [message]))
        if shown:
            self.station.start(TIMER, self.station.now + validity_s - since_s, self._show)

    # A payment that has begun.

    @answers(NotifyWebPaymentStartedRequest)
    def payment_started(self, request: NotifyWebPaymentStartedRequest) -> NotifyWebPaymentStartedResponse:
        """Keep an EVSE for the driver who is paying: no one else can begin there ([C25.FR.22], [C25.FR.27])."""
        if request.evse_id not in self.station.layout.evse_ids:
            raise RequestRefused("PropertyConstraintViolation", f"there is no EVSE {request.evse_id}")
        self._release(request.evse_id)
        if request.timeout_s > 0:
            self._kept.add(request.evse_id)
            within_s = min(request.timeout_s, LONGEST_WAIT_S)
            timer = ("web payment", request.evse_id)
            self.station.start(timer, self.station.now + within_s, lambda: self._release(request.evse_id))
        return NotifyWebPaymentStartedResponse()

    @receives(TransactionBegan)
    def began(self, event: TransactionBegan) -> None:
        """The EVSE is in use: it waits for no payment any more."""
        self._release(event.evse_id)

    def _release(self, evse_id: int) -> None:
        self._kept.discard(evse_id)
        self.station.stop(("web payment", evse_id))
