SUMMARY = "WebSocket servers and clients"
DESCRIPTION = "An implementation of the WebSocket protocol (RFC 6455). Here because scarthgap has 12.0, whose asyncio \
interface is another one than the product speaks."
HOMEPAGE = "https://github.com/python-websockets/websockets"
SECTION = "devel/python"
LICENSE = "BSD-3-Clause"
LIC_FILES_CHKSUM = "file://LICENSE;md5=51924a6af4495b8cfaee1b1da869b6f4"

SRC_URI[sha256sum] = "5f6261a5e56e8d5c42a4497b364ea24d94d9563e8fbd44e78ac40879c60179b5"

inherit pypi python_setuptools_build_meta

# The setuptools of scarthgap (69) is older than the form in which the licence is written; the code does not care.
do_configure:prepend() {
    sed -i -e 's/^license = "BSD-3-Clause"$/license = { text = "BSD-3-Clause" }/' ${S}/pyproject.toml
}

RDEPENDS:${PN} += "python3-asyncio"

BBCLASSEXTEND = "native nativesdk"
