#!/bin/sh
# The installation is over; whoever asked for a restart after it gets it.
led=/sys/class/leds/red:boot
if [ -w "$led/trigger" ]; then
    echo heartbeat >"$led/trigger"
fi
if [ -e /run/firmware-update-reboot-requested ]; then
    systemctl reboot
fi
exit 0
