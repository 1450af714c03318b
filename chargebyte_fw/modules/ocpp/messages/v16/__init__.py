"""Messages of OCPP 1.6 (edition 2) and of its security whitepaper (edition 3), a file a profile."""
