"""DataTransfer: messages of vendors in both directions (functional block P; OCPP 1.6 §4.3, §5.6)."""
