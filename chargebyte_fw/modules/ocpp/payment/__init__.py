"""Ad hoc payment of OCPP 2.1 (use cases C18 to C25), as far as a station without a payment terminal has part in it."""
