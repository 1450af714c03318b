"""Display messages of OCPP 2.x (use cases O01 to O06): the module that provides `display_message` keeps them."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.display_message import DisplayMessage
from chargebyte_fw.contracts.types import display_message as display
from chargebyte_fw.contracts.types import text_message
from chargebyte_fw.kernel.clock import read_at, rfc3339
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.messages.v2.display_message import (
    ClearDisplayMessageRequest,
    ClearDisplayMessageResponse,
    ClearMessageStatusEnumType,
    DisplayMessageStatusEnumType,
    GetDisplayMessagesRequest,
    GetDisplayMessagesResponse,
    GetDisplayMessagesStatusEnumType,
    MessageInfoType,
    MessagePriorityEnumType,
    MessageStateEnumType,
    NotifyDisplayMessagesRequest,
    SetDisplayMessageRequest,
    SetDisplayMessageResponse,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.message_content import MessageContentType, MessageFormatEnumType
from chargebyte_fw.modules.ocpp.station import Block, Deferred, answers
from chargebyte_fw.modules.ocpp.station.named import named
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.standard.station import (
    DISPLAY_LANGUAGE,
    DISPLAY_SUPPORTED_FORMATS,
    DISPLAY_SUPPORTED_PRIORITIES,
    DISPLAY_SUPPORTED_STATES,
)
from chargebyte_fw.modules.ocpp.version import Version

MESSAGES_PER_NOTIFICATION = 4
"""So that a notification of long texts fits into a frame."""
Status = DisplayMessageStatusEnumType
_STATES = {"Suspended": "Suspending"}
"""Word of EVerest for a state of 2.1."""


class Display2(Block):
    """Shows, lists and removes messages of the CSMS."""

    @answers(SetDisplayMessageRequest)
    def set_message(self, request: SetDisplayMessageRequest) -> SetDisplayMessageResponse | Deferred:
        """Show a message, where the display can."""
        refused = self._refused(request.message)
        if refused is not None:
            return SetDisplayMessageResponse(status=refused)
        deferred = self.station.defer()
        wanted = [_to_stack(request.message)]
        self.station.command(call(DisplayMessage.set_display_message, wanted), partial(self._set, deferred))
        return deferred

    def _refused(self, message: MessageInfoType) -> DisplayMessageStatusEnumType | None:
        get = self.station.variables.get
        formats, priorities, states = (
            get(DISPLAY_SUPPORTED_FORMATS),
            get(DISPLAY_SUPPORTED_PRIORITIES),
            get(DISPLAY_SUPPORTED_STATES),
        )
        if (
            message.transaction_id is not None
            and self.station.block(Transactions2).of_id(message.transaction_id) is None
        ):
            return Status.UnknownTransaction
        if message.message.format.value not in formats:
            return Status.NotSupportedMessageFormat
        if message.priority.value not in priorities:
            return Status.NotSupportedPriority
        if message.state is not None and message.state.value not in states:
            return Status.NotSupportedState
        return self._language_refused(message) if self.station.version == Version.V21 else None

    def _language_refused(self, message: MessageInfoType) -> DisplayMessageStatusEnumType | None:
        """Return why the languages of a message are refused: those of the display are the values of its `Language`."""
        known = self.station.variables.entry(DISPLAY_LANGUAGE.id)
        more = message.message_extra or []
        if known is None:
            return Status.Rejected if more else None
        languages = {_tag(one) for one in known.values}
        wanted = [one.language for one in (message.message, *more) if one.language]
        return Status.LanguageNotSupported if any(_tag(one) not in languages for one in wanted) else None

    def _set(self, deferred: Deferred, result: Any) -> None:
        status = Status.Rejected
        if isinstance(result, display.SetDisplayMessageResponse):
            status = named(Status, result.status, Status.Rejected)
        self.station.answer(deferred, SetDisplayMessageResponse(status=status))

    @answers(GetDisplayMessagesRequest)
    def get_messages(self, request: GetDisplayMessagesRequest) -> Deferred:
        """List the messages that fit the request, in notifications that follow (O03, O04)."""
        deferred = self.station.defer()
        wanted = display.GetDisplayMessageRequest(
            id=request.id,
            priority=None if request.priority is None else display.MessagePriorityEnum(request.priority.value),
            state=_state(request.state),
        )
        then = partial(self._found, deferred, request.request_id)
        self.station.command(call(DisplayMessage.get_display_messages, wanted), then)
        return deferred

    def _found(self, deferred: Deferred, request_id: int, result: Any) -> None:
        messages = (result.messages or []) if isinstance(result, display.GetDisplayMessageResponse) else []
        found = [one for one in (_to_wire(message) for message in messages) if one is not None]
        statuses = GetDisplayMessagesStatusEnumType
        status = statuses.Accepted if found else statuses.Unknown
        self.station.answer(deferred, GetDisplayMessagesResponse(status=status))
        for index in range(0, len(found), MESSAGES_PER_NOTIFICATION):
            self.station.send(
                NotifyDisplayMessagesRequest(
                    request_id=request_id,
                    message_info=found[index : index + MESSAGES_PER_NOTIFICATION],
                    tbc=index + MESSAGES_PER_NOTIFICATION < len(found),
                )
            )

    @answers(ClearDisplayMessageRequest)
    def clear_message(self, request: ClearDisplayMessageRequest) -> Deferred:
        """Remove a message; one that is not there is unknown (O05)."""
        deferred = self.station.defer()
        statuses = ClearMessageStatusEnumType

        def then(result: Any) -> None:
            known = isinstance(result, display.ClearDisplayMessageResponse)
            status = named(statuses, result.status, statuses.Unknown) if known else statuses.Rejected
            self.station.answer(deferred, ClearDisplayMessageResponse(status=status))

        wanted = display.ClearDisplayMessageRequest(id=request.id)
        self.station.command(call(DisplayMessage.clear_display_message, wanted), then)
        return deferred


def _tag(language: str) -> str:
    """Return a language as RFC 5646 compares it; configurations write `en_US`, too."""
    return language.replace("_", "-").casefold()


def _state(state: MessageStateEnumType | None) -> display.MessageStateEnum | None:
    return None if state is None else display.MessageStateEnum(_STATES.get(state.value, state.value))


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


def _to_stack(message: MessageInfoType) -> display.DisplayMessage:
    content = message.message
    return display.DisplayMessage(
        message=text_message.MessageContent(
            content=content.content,
            format=text_message.MessageFormat(content.format.value),
            language=content.language,
        ),
        id=message.id,
        priority=display.MessagePriorityEnum(message.priority.value),
        state=_state(message.state),
        timestamp_from=_time(message.start_date_time),
        timestamp_to=_time(message.end_date_time),
        identifier_id=message.transaction_id,
        # As EVerest has it, also of a message for no transaction: without a type it would be that of a session.
        identifier_type=display.IdentifierType.TransactionId,
    )


def _to_wire(message: display.DisplayMessage) -> MessageInfoType | None:
    """Return a message of the display; one without an id is not of the CSMS."""
    if message.id is None:
        return None
    back = {own: word for word, own in _STATES.items()}
    state = None if message.state is None else back.get(message.state.value, message.state.value)
    content = message.message
    return MessageInfoType(
        id=message.id,
        priority=named(MessagePriorityEnumType, message.priority, MessagePriorityEnumType.NormalCycle),
        message=MessageContentType(
            format=named(MessageFormatEnumType, content.format, MessageFormatEnumType.UTF8),
            content=content.content,
            language=content.language,
        ),
        state=None if state is None else MessageStateEnumType(state),
        start_date_time=None if message.timestamp_from is None else read_at(message.timestamp_from),
        end_date_time=None if message.timestamp_to is None else read_at(message.timestamp_to),
        transaction_id=message.identifier_id
        if message.identifier_type is display.IdentifierType.TransactionId
        else None,
    )
