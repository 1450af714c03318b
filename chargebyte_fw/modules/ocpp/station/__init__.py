"""The station: functional blocks that take requests of the CSMS and facts of the stack, and return effects. Pure.

A block is a class with rows::

    class Reset(Block):
        @answers(ResetRequest)
        def reset(self, request: ResetRequest) -> ResetResponse:
            self.station.after_answer(self.begin)
            return ResetResponse(status=ResetStatus.Accepted)

        @receives(SessionEventReceived)
        def session(self, event: SessionEventReceived) -> None: ...

        @answered(HeartbeatRequest)
        def heartbeat_answered(self, request: HeartbeatRequest, response: HeartbeatResponse) -> None: ...

`Station` finds the rows, runs them, and collects what they ask for with `send`, `command`, `publish` and `save`.
"""

from chargebyte_fw.modules.ocpp.station import effects, events
from chargebyte_fw.modules.ocpp.station.block import Block, answered, answers, failed, receives, serves
from chargebyte_fw.modules.ocpp.station.station import CallFailure, Deferred, RequestRefused, Station, Unanswered

__all__ = [
    "Block",
    "CallFailure",
    "Deferred",
    "RequestRefused",
    "Station",
    "Unanswered",
    "answered",
    "answers",
    "effects",
    "events",
    "failed",
    "receives",
    "serves",
]
