SUMMARY = "What a charger of the Charge SOM class needs"
SUMMARY:${PN}-tools = "What one looks inside a charger with"
DESCRIPTION = "The charging stack with every house that the shipped configurations use, broker and update; beside it the \
tools of a development image. A bare board image installs chargebyte-fw alone."
HOMEPAGE = "https://github.com/chargebyte"
SECTION = "base"
LICENSE = "Apache-2.0"
PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit packagegroup

PACKAGES = "${PN} ${PN}-tools"

RDEPENDS:${PN} = "\
    ca-certificates \
    chargebyte-fw \
    chargebyte-fw-api \
    chargebyte-fw-auth \
    chargebyte-fw-energy \
    chargebyte-fw-evse \
    chargebyte-fw-power \
    chargebyte-fw-security \
    chargebyte-fw-slac \
    chargebyte-fw-system \
    chargebyte-fw-v2g \
    chargebyte-fw-www \
    e2fsprogs-dumpe2fs \
    e2fsprogs-mke2fs \
    e2fsprogs-tune2fs \
    iproute2-ip \
    mosquitto \
    tzdata \
    util-linux-blkid \
"

RDEPENDS:${PN}:append = " \
    ${@bb.utils.contains('DISTRO_FEATURES', 'polkit', 'polkit', '', d)} \
    ${@bb.utils.contains('DISTRO_FEATURES', 'rauc', 'chargebyte-update', '', d)} \
"

RDEPENDS:${PN}-tools = "\
    can-utils \
    chargebyte-fw-doc \
    chargebyte-fw-sim \
    chargebyte-fw-tools \
    ethtool \
    less \
    libgpiod-tools \
    mosquitto-clients \
    tcpdump \
"
