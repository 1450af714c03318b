SUMMARY = "Empty packages under the names that ours depend on"
DESCRIPTION = "The names of tests/image/recipes-per-series.txt, which a test holds against what the recipes say."
HOMEPAGE = "https://github.com/chargebyte"
SECTION = "devel"
LICENSE = "CLOSED"

INHIBIT_DEFAULT_DEPS = "1"

TABLE = "${THISDIR}/../../../recipes-per-series.txt"
PACKAGES = "${@' '.join(line.split()[0] for line in open(d.getVar('TABLE')) if line.strip() and line[0] != '#')}"

python () {
    for name in d.getVar('PACKAGES').split():
        d.setVar('ALLOW_EMPTY:' + name, '1')
        d.setVar('FILES:' + name, '')
}

do_configure[noexec] = "1"
do_compile[noexec] = "1"
do_install[noexec] = "1"
