SUMMARY = "Example of a module in an image: a list of guests who may charge"
DESCRIPTION = "In process, as a Python package with an entry point; the image chargebyte-image with \
CHARGEBYTE_CONFIG = 'guests' and this package in IMAGE_INSTALL starts it."
HOMEPAGE = "https://github.com/chargebyte"
SECTION = "console/network"
LICENSE = "Apache-2.0"
# nooelint: oelint.var.licenseremotefile - an example of a few lines
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "\
    file://guest_list;subdir=${BP} \
    file://config/guests.yaml;subdir=${BP} \
    file://pyproject.toml;subdir=${BP} \
"

inherit chargebyte-module python_setuptools_build_meta
