SUMMARY = "Typed data, JSON and validation, fast"
DESCRIPTION = "Serialization and validation of typed structures in C: JSON, MessagePack, YAML and TOML."
HOMEPAGE = "https://jcristharif.com/msgspec/"
SECTION = "devel/python"
LICENSE = "BSD-3-Clause"
LIC_FILES_CHKSUM = "file://LICENSE;md5=c21402f8022478021f697044388b97c4"

SRC_URI[sha256sum] = "0a13624a4969159fe35d8c2a3d377b2b61bbd8585e327440d5e52725affcce38"

inherit pypi python_setuptools_build_meta

DEPENDS += "python3-setuptools-scm-native"

# The setuptools of scarthgap (69) is older than the form in which the licence is written; the code does not care.
do_configure:prepend() {
    sed -i -e 's/"setuptools>=[0-9.]*"/"setuptools"/' \
        -e 's/^license = "BSD-3-Clause"$/license = { text = "BSD-3-Clause" }/' \
        -e '/^license-files = \[/,/^\]/d' ${S}/pyproject.toml
}

RDEPENDS:${PN} += "\
    python3-datetime \
    python3-netclient \
    python3-numbers \
"

BBCLASSEXTEND = "native nativesdk"
