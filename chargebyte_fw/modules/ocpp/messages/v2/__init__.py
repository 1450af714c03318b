"""Messages of OCPP 2.0.1 (edition 3) and 2.1, a file a functional block; what 2.1 added is marked `SINCE_21`."""
