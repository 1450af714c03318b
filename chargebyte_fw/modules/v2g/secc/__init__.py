"""The charger's side of a V2G session: pure machines fed with bytes, facts and time."""
