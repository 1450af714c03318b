"""One place to connect for the cars of several back ends, each of which speaks some of the protocols.

`selection.py` chooses the back end by the handshake's first frame, `machine.py` keeps one connection until its back end
has it, or passes bytes on to one in another process; both are pure. `multiplexer.py` composes them, `relay_link.py` has
the sockets of back ends elsewhere, `forwarding.py` the contracts.
"""
