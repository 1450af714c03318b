SUMMARY = "Signed update of a Charge SOM class board"
DESCRIPTION = "The image as a bundle that RAUC writes into the slot that is not running. The key is named by \
RAUC_KEY_FILE and RAUC_CERT_FILE; script/rauc-key makes a pair for development."
HOMEPAGE = "https://github.com/chargebyte"
SECTION = "base"
LICENSE = "Apache-2.0"
# nooelint: oelint.var.licenseremotefile - there is nothing in a bundle but an image
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

inherit bundle

require conf/chargebyte-defaults.inc

SRC_URI += "file://hooks.sh"

RAUC_BUNDLE_COMPATIBLE = "${CHARGEBYTE_RAUC_COMPATIBLE}"
RAUC_BUNDLE_VERSION = "${CHARGEBYTE_VERSION}"
RAUC_BUNDLE_BUILD = "${CHARGEBYTE_VERSION}"
RAUC_BUNDLE_FORMAT = "verity"
RAUC_BUNDLE_HOOKS[file] = "hooks.sh"
RAUC_BUNDLE_HOOKS[hooks] = "install-check"

RAUC_BUNDLE_SLOTS = "rootfs"
RAUC_SLOT_rootfs = "chargebyte-image"
RAUC_SLOT_rootfs[fstype] = "ext4"
RAUC_SLOT_rootfs[hooks] = "post-install"

BUNDLE_BASENAME = "chargebyte-firmware"
BUNDLE_NAME = "${BUNDLE_BASENAME}_${MACHINE}_${CHARGEBYTE_VERSION}"
BUNDLE_EXTENSION = ".image"
