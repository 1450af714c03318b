SUMMARY = "Update by signed bundle: slots, what is carried over, self check"
DESCRIPTION = "RAUC's system configuration for two slots, the keyring that bundles must lead to, the steps after an \
installation, the service that marks a slot good once the charging stack was ready and its self check passed, and the \
one that installs what a USB stick brings."
HOMEPAGE = "https://github.com/chargebyte"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

# nooelint: oelint.vars.fileextrapaths,oelint.vars.outofcontext - the recipe lies in the repository that it builds
FILESEXTRAPATHS:prepend := "${THISDIR}/../../../../..:"
SRC_URI = "\
    file://etc;subdir=${BP} \
    file://usr;subdir=${BP} \
    file://script/install-root;subdir=${BP} \
    file://LICENSE;subdir=${BP} \
"

inherit systemd features_check python3native

REQUIRED_DISTRO_FEATURES = "systemd usrmerge rauc"
PACKAGE_ARCH = "${MACHINE_ARCH}"
INHIBIT_DEFAULT_DEPS = "1"

require conf/chargebyte-defaults.inc

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    nativepython3 ${S}/script/install-root update ${D} \
        --disk "${CHARGEBYTE_DISK}" \
        --compatible "${CHARGEBYTE_RAUC_COMPATIBLE}"
}

SYSTEMD_SERVICE:${PN} = "chargebyte-mark-good.service"

FILES:${PN} += "\
    ${libexecdir}/chargebyte \
    ${nonarch_libdir}/rauc \
    ${nonarch_libdir}/systemd \
    ${nonarch_libdir}/udev/rules.d \
"
RDEPENDS:${PN} += "chargebyte-fw rauc"
RPROVIDES:${PN} += "virtual-rauc-conf"
RCONFLICTS:${PN} = "rauc-conf"
