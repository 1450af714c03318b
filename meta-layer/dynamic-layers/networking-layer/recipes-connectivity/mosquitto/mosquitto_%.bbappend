# The broker's own file says nothing of ours; what a charger wants of it comes from conf.d (chargebyte-fw, and users).
# nooelint: oelint.func.specific - conf/machine/include/charge-som.inc makes this override
do_install:append:charge-som() {
    install -d ${D}${sysconfdir}/mosquitto/conf.d
    printf '\ninclude_dir %s/mosquitto/conf.d\n' "${sysconfdir}" >> ${D}${sysconfdir}/mosquitto/mosquitto.conf
}
