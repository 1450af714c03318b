"""Remote control: start, stop, reset, unlock and triggers by the CSMS (functional block F; OCPP 1.6 §5.11 to §5.18)."""
