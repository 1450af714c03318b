"""OCPP 1.6J, 2.0.1 and 2.1: the charging station's side, one core for every version."""
