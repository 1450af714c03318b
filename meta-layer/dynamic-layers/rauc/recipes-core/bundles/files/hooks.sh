#!/bin/sh
# The hooks of the bundle. RAUC calls it with the name of the hook; what it must refuse it refuses with a sentence and 10.
set -eu
case ${1:-} in
install-check)
    if [ "${RAUC_MF_COMPATIBLE:-}" != "${RAUC_SYSTEM_COMPATIBLE:-}" ]; then
        echo "This bundle is for '${RAUC_MF_COMPATIBLE:-}', this board is '${RAUC_SYSTEM_COMPATIBLE:-}'" >&2
        exit 10
    fi
    ;;
slot-pre-install | slot-post-install)
    steps=$RAUC_SLOT_MOUNT_POINT/usr/lib/rauc/${1#slot-}.d
    [ -d "$steps" ] || exit 0
    for step in "$steps"/*; do
        [ -x "$step" ] || continue
        "$step" "$RAUC_SLOT_CLASS" "$RAUC_SLOT_MOUNT_POINT" "${RAUC_BUNDLE_MOUNT_POINT:-}"
    done
    ;;
*)
    echo "hook ${1:-} is not known" >&2
    exit 1
    ;;
esac
