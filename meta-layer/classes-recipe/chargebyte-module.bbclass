# A module of one's own in an image. In process, a Python package with an entry point `chargebyte_fw.modules`:
#
#   SUMMARY = "..."
#   LICENSE = "..."
#   SRC_URI = "file://my_module;subdir=${BP} file://pyproject.toml;subdir=${BP}"
#   inherit chargebyte-module python_setuptools_build_meta
#
# Foreign, a program in any language with EVerest's manifest beside it:
#
#   SRC_URI = "file://MyModule;subdir=${BP}"
#   CHARGEBYTE_MODULE = "MyModule"          a folder with manifest.yaml and MyModule, module.py or index.js
#   inherit chargebyte-module
#
# Configurations in a folder `config` beside it go to etc/everest; CHARGEBYTE_CONFIG names the one that an image starts.

CHARGEBYTE_MODULE ??= ""
CHARGEBYTE_MODULE[doc] = "Folders in the source that each hold a foreign module: manifest and program"

RDEPENDS:${PN} += "chargebyte-fw"
FILES:${PN} += "${libexecdir}/everest/modules ${sysconfdir}/everest"

chargebyte_module_install() {
    for module in ${CHARGEBYTE_MODULE}; do
        if [ ! -f "${S}/$module/manifest.yaml" ]; then
            bbfatal "$module has no manifest.yaml: nobody would know what it provides and needs"
        fi
        if [ ! -f "${S}/$module/$module" ] && [ ! -f "${S}/$module/module.py" ] && [ ! -f "${S}/$module/index.js" ] \
            && [ ! -f "${S}/$module/__init__.py" ]; then
            bbfatal "$module holds neither $module nor module.py, index.js or __init__.py"
        fi
        install -d ${D}${libexecdir}/everest/modules
        cp -R --no-dereference --preserve=mode "${S}/$module" ${D}${libexecdir}/everest/modules/
        rm -rf ${D}${libexecdir}/everest/modules/$module/__pycache__
        if [ -f "${S}/$module/$module" ]; then
            chmod 0755 ${D}${libexecdir}/everest/modules/$module/$module
        fi
    done
    if [ -d ${S}/config ]; then
        install -d ${D}${sysconfdir}/everest
        install -m 0644 ${S}/config/*.yaml ${D}${sysconfdir}/everest/
    fi
}
do_install[postfuncs] += "chargebyte_module_install"
