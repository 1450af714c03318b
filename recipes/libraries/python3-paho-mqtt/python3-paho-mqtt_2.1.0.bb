SUMMARY = "MQTT client"
DESCRIPTION = "MQTT 5.0, 3.1.1 and 3.1 client. Here because scarthgap has 2.0.0, which cannot reach a broker by its \
Unix socket."
HOMEPAGE = "https://eclipse.dev/paho/"
SECTION = "devel/python"
LICENSE = "EPL-2.0 | BSD-3-Clause"
LIC_FILES_CHKSUM = "\
    file://LICENSE.txt;md5=8e5f264c6988aec56808a3a11e77b913 \
    file://edl-v10;md5=c09f121939f063aeb5235972be8c722c \
"

SRC_URI[sha256sum] = "12d6e7511d4137555a3f6ea167ae846af2c7357b10bc6fa4f7c3968fc1723834"

PYPI_PACKAGE = "paho_mqtt"
inherit pypi python_hatchling

RDEPENDS:${PN} += "\
    python3-io \
    python3-logging \
    python3-math \
    python3-netclient \
"

BBCLASSEXTEND = "native nativesdk"
