"""The core: the safety controller's link, pilot, contactors, GPIO; the module CbChargeSOMDriver."""
