SUMMARY = "The firmware of a Charge SOM class board, with tools for development"
DESCRIPTION = "The image that is shipped, and beside it what one looks inside with: captures, buses, the virtual board \
and car, an editor. Root logs in without a password: never for a charger that stands outside."

require chargebyte-image.inc

IMAGE_FEATURES += "${@bb.utils.contains('LAYERSERIES_CORENAMES', 'scarthgap', 'debug-tweaks', \
    'allow-empty-password empty-root-password allow-root-login post-install-logging', d)}"
IMAGE_INSTALL += "packagegroup-chargebyte-tools"
