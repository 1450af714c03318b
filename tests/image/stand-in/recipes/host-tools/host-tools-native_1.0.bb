SUMMARY = "Names the tools that the host has"
DESCRIPTION = "Stands for the native recipes that the classes of a Python package and a service ask for."
HOMEPAGE = "https://github.com/chargebyte"
SECTION = "devel"
LICENSE = "CLOSED"

INHIBIT_DEFAULT_DEPS = "1"

inherit native

TOOLS = "\
    dpkg dwarfsrcfiles file opkg-utils patch patch-replacement pigz pseudo virtual/fakeroot quilt rpm \
    python3 python3-build python3-flit-core python3-hatchling python3-installer python3-poetry-core python3-setuptools \
    python3-wheel systemd-systemctl tar-replacement xz zstd \
"
PROVIDES += "${@' '.join(name + '-native' for name in d.getVar('TOOLS').split())} binutils-cross-aarch64"

deltask do_fetch
deltask do_unpack
deltask do_patch
deltask do_recipe_qa
deltask do_create_spdx
do_populate_lic[noexec] = "1"
do_configure[noexec] = "1"
do_compile[noexec] = "1"
do_prepare_recipe_sysroot[noexec] = "1"

do_install[file-checksums] += "${THISDIR}/files/nativepython3:True ${THISDIR}/files/pyproject-build:True"
do_install() {
    install -d ${D}${bindir}/python3-native
    install -m 0755 ${THISDIR}/files/nativepython3 ${D}${bindir}/python3-native/nativepython3
    install -m 0755 ${THISDIR}/files/pyproject-build ${D}${bindir}/pyproject-build
}
