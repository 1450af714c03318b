"""TLS between car and charger, sans-IO: OpenSSL on buffers in memory, so that it runs on any wire and any clock.

The server reads the ClientHello itself (`client_hello.py`) and chooses version, chain, group and whether the car must
show a certificate (`choice.py`, with the rules of `policy.py`) before OpenSSL gets the first byte. `openssl_end.py` is
the one file that knows OpenSSL's connection, `contexts.py` its settings, `bindings.py` what pyOpenSSL does not wrap.
`connection.py` are the machines of both sides; `server.py` and `client.py` put them on a carrier. `credentials.py` is
what the certificate store has, `certificates.py` follows the store.

OpenSSL and cryptography are imported where there is a chain or a key, not before: a charger without certificates does
not pay for them (`tests/v2g/tls/test_memory.py`).
"""
