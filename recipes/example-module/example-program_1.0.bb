SUMMARY = "Example of a foreign module in an image: a list of guests"
DESCRIPTION = "A program in any language with EVerest's manifest beside it; it speaks EVerest's protocol over the broker. \
The image chargebyte-image with CHARGEBYTE_CONFIG = 'guests-program' and this package in IMAGE_INSTALL starts it."
HOMEPAGE = "https://github.com/chargebyte"
SECTION = "console/network"
LICENSE = "Apache-2.0"
# nooelint: oelint.var.licenseremotefile - an example of a few lines
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "\
    file://GuestListProgram;subdir=${BP} \
    file://config/guests-program.yaml;subdir=${BP} \
"

CHARGEBYTE_MODULE = "GuestListProgram"
inherit chargebyte-module

RDEPENDS:${PN} += "python3-json python3-paho-mqtt python3-threading"
