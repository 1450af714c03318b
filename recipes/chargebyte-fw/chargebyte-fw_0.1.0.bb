SUMMARY = "EVerest's charging stack in Python: the firmware of a Linux charge controller"
DESCRIPTION = "The application with its modules, one package a house; configuration, services and rules of the board. \
A bare board image takes the core alone; packagegroup-chargebyte names what a charger needs."
HOMEPAGE = "https://github.com/chargebyte"
BUGTRACKER = "https://github.com/chargebyte"
SECTION = "console/network"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

# The source is this very repository: what is checked out is what is built, without network.
# nooelint: oelint.vars.fileextrapaths,oelint.vars.outofcontext - the recipe lies in the repository that it builds
FILESEXTRAPATHS:prepend := "${THISDIR}/../..:"
SRC_URI = "\
    file://chargebyte_fw;subdir=${BP} \
    file://etc;subdir=${BP} \
    file://usr;subdir=${BP} \
    file://script/install-root;subdir=${BP} \
    file://setup.cfg;subdir=${BP} \
    file://pyproject.toml;subdir=${BP} \
    file://README.md;subdir=${BP} \
    file://LICENSE;subdir=${BP} \
"

inherit python_setuptools_build_meta systemd features_check

REQUIRED_DISTRO_FEATURES = "systemd usrmerge"
# Names of the board are in the services and rules.
PACKAGE_ARCH = "${MACHINE_ARCH}"

FILES:${PN} += "\
    ${sysconfdir}/everest \
    ${sysconfdir}/mosquitto/conf.d \
    ${sysconfdir}/sysusers.d \
    ${datadir}/bash-completion \
    ${datadir}/fish \
    ${datadir}/secc \
    ${datadir}/zsh \
    ${datadir}/polkit-1/rules.d \
    ${libexecdir}/chargebyte \
    ${libexecdir}/everest \
    ${nonarch_libdir}/chargebyte \
    ${nonarch_libdir}/systemd \
    ${nonarch_libdir}/tmpfiles.d \
    ${nonarch_libdir}/udev/rules.d \
"

# nooelint: oelint.file.requirenotfound - the layer is beside the recipes, and BBPATH has it
require conf/chargebyte-defaults.inc
require chargebyte-fw-packages.inc

# There may be no page yet; an image names the package all the same.
ALLOW_EMPTY:${PN}-www = "1"

# Nothing here is compiled for the target, so nothing needs to know how the target's Python was.
setup_target_config() {
    :
}

# What is installed beside the wheel is laid out by one script, which the tests run, too.
do_install:append() {
    nativepython3 ${S}/script/install-root files ${D} \
        --site ${PYTHON_SITEPACKAGES_DIR} \
        --version "${CHARGEBYTE_VERSION}" \
        --plc-interface "${CHARGEBYTE_PLC_INTERFACE}" \
        --plc-driver "${CHARGEBYTE_PLC_DRIVER}" \
        --can-interface "${CHARGEBYTE_CAN_INTERFACE}" \
        --mcu-uart "${CHARGEBYTE_MCU_UART}" \
        --mcu-reset-gpio "${CHARGEBYTE_MCU_RESET_GPIO}" \
        --mcu-bootmode-gpio "${CHARGEBYTE_MCU_BOOTMODE_GPIO}" \
        --disk "${CHARGEBYTE_DISK}"
}

SYSTEMD_SERVICE:${PN} = "\
    everest.service \
    chargebyte-data.service \
    chargebyte-first-boot.service \
    chargebyte-mcu-update.service \
    chargebyte-plc.service \
    srv.mount \
"

# What a person changes on the unit; everything else belongs to the image.
CONFFILES:${PN} = "${sysconfdir}/everest/charger_info.yaml"
