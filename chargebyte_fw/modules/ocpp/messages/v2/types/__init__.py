"""Types that several blocks of OCPP 2.0.1 and 2.1 share."""
