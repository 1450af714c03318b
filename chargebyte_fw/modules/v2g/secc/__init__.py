"""The charger's side of V2G communication (SECC), pure: machines, sessions and messages, no sockets.

`access.py` decides who may connect, `connection.py` keeps one connection, `negotiation.py` its handshake. They know no
protocol. `protocol.py` is what they ask of one; `din/`, `iso2/` and `iso20/` fulfil it, each with a `protocol.py`
(frames, times, failure reasons), a `session.py` (the rules, a method `on_<Request>` each), a `sequence.py` (which
request may come when) and its energy services (`dc.py`, `ac.py`). `common/` has what DIN SPEC 70121 and ISO 15118-2
share; what every session has is beside it (`session_output.py`, `energy_transfer.py`, `certificate_exchange.py`).

CONTRIBUTING.md has the steps that add a message.

Add a protocol
--------------

1. Declare its messages: `messages/<protocol>.py`, and its name in `exi/__init__.py`.
2. Make a folder here with a `protocol.py` that has a `PROTOCOL`, or `PROTOCOLS` where it has several name spaces. It
   names its V2GTP payload types and the stream of each; requests of one stream are answered in turn, streams do not
   wait for each other. Its sessions make their own session ids and headers, and fulfil `protocol.Session`; `V2gSession`
   is a base for protocols with a `V2G_Message`, no duty.
3. Name it to the engine in a module file, as `evse_v2g.py` does. Its endpoints, plain TCP and TLS, come from
   `transport/tls/endpoints.py`; SDP answers with the endpoint whose security the car wants and can have.
4. Do the same in `evcc/` for the simulated car, and let `capture/reading.py` decode its frames for `secc decode`.

`tests/v2g/secc/test_new_protocol.py` does step 2 and 3 with a protocol of another kind.
"""
