#!/bin/sh
# Tells RAUC who this unit is (for hawkBit and the log).
serial=$(sed -n 's/^chargepoint_serial: *"\{0,1\}\([^"]*\)"\{0,1\} *$/\1/p' /etc/everest/charger_info.yaml 2>/dev/null)
echo "RAUC_SYSTEM_SERIAL=$serial"
