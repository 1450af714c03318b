SUMMARY = "The firmware of a Charge SOM class board"
DESCRIPTION = "A charger that charges when it is switched on: system, charging stack, broker, update by signed bundle."
HOMEPAGE = "https://github.com/chargebyte"
LICENSE = "Apache-2.0"

inherit core-image chargebyte-image features_check

REQUIRED_DISTRO_FEATURES = "systemd usrmerge"

# No password that all units share: the console and SSH open by keys that somebody puts there.
IMAGE_FEATURES += "ssh-server-openssh"
IMAGE_INSTALL = "packagegroup-core-boot packagegroup-chargebyte ${CORE_IMAGE_EXTRA_INSTALL}"
IMAGE_LINGUAS = ""
