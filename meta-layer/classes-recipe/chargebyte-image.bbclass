# An image with chargebyte_fw in it: once its packages are installed, the root is baked by the script that the tests run,
# too: the image's configuration and identity, EVerest's manifests, the index of modules. A configuration that does not
# fit what is installed ends the build with its findings.
#
#   inherit core-image chargebyte-image
#   CHARGEBYTE_CONFIG = "bsp-only-ac"

require conf/chargebyte-defaults.inc

# The development key's certificate is made on demand (script/rauc-key); a release names its own.
CHARGEBYTE_RAUC_KEYRING ??= ""

inherit python3-dir python3native

# The product runs during the build, with the build machine's copies of the libraries that it needs for that.
DEPENDS += "python3-msgspec-native python3-pyyaml-native"

# The user and groups that services and rules name; numbers as in etc/sysusers.d.
inherit extrausers
EXTRA_USERS_PARAMS:append = "\
    groupadd -r -g 870 everest; \
    groupadd -r -g 871 gpio; \
    useradd -r -u 870 -g everest -G dialout,gpio -d ${localstatedir}/lib/everest -M -s /sbin/nologin everest; \
"

# Marking a slot good is the self check's business.
BAD_RECOMMENDATIONS += "rauc-mark-good"

# The whole disk has the boot loader in it (conf/machine/include/charge-som.inc).
# nooelint: oelint.vars.mispell.unknown - a task of OpenEmbedded-Core
do_image_wic[depends] += "${@d.getVar('CHARGEBYTE_BOOT_IMAGE') + ':do_deploy' if d.getVar('CHARGEBYTE_BOOT_IMAGE') else ''}"

chargebyte_bake() {
    nativepython3 ${CHARGEBYTE_FW_DIR}/script/install-root bake ${IMAGE_ROOTFS} \
        --site ${PYTHON_SITEPACKAGES_DIR} \
        --config "${CHARGEBYTE_CONFIG}" \
        --vendor "${CHARGER_VENDOR}" \
        --model "${CHARGER_MODEL}" \
        --authorized-keys "${CHARGEBYTE_AUTHORIZED_KEYS}" \
        ${@bb.utils.contains('DISTRO_FEATURES', 'rauc', '--keyring "${CHARGEBYTE_RAUC_KEYRING}"', '', d)} \
        || bbfatal "The root file system cannot be baked (see above)"
}
ROOTFS_POSTPROCESS_COMMAND += "chargebyte_bake"
do_rootfs[vardeps] += "CHARGEBYTE_CONFIG CHARGER_VENDOR CHARGER_MODEL CHARGEBYTE_RAUC_KEYRING CHARGEBYTE_AUTHORIZED_KEYS"
chargebyte_bake[vardepsexclude] += "CHARGEBYTE_FW_DIR"
do_rootfs[file-checksums] += "${CHARGEBYTE_FW_DIR}/script/install-root:True"
do_rootfs[file-checksums] += "${@d.getVar('CHARGEBYTE_RAUC_KEYRING') + ':True' if d.getVar('CHARGEBYTE_RAUC_KEYRING') else ''}"
do_rootfs[file-checksums] += "${@d.getVar('CHARGEBYTE_AUTHORIZED_KEYS') + ':True' if d.getVar('CHARGEBYTE_AUTHORIZED_KEYS') else ''}"
