#!/bin/sh
# A certbot deploy hook that records each obtained certificate. Put it into renewal-hooks/deploy/, or pass it to
# --deploy-hook. certbot runs it for successes only; renew-one.sh records starts and failures too.
#
#   RENEWSCOPE_DB   where to record (or DATABASE_URL, else the file in the user's data directory)
#   RENEWSCOPE      the program, if it is not on the PATH
#   DEVICE, ORG     the names to record; default: the certificate's name and the default organization

# renew-one.sh records the success itself, together with the start.
[ -z "${RENEW_ONE:-}" ] || exit 0

new=$(readlink -f "$RENEWED_LINEAGE/cert.pem")
# certbot keeps cert(N-1).pem, the predecessor of certN.pem. The first certificate has none.
n=${new##*/cert}
n=${n%.pem}
old=${new%/*}/cert$((n - 1)).pem
[ -e "$old" ] || old=

set -- --type renewal_success --device "${DEVICE:-${RENEWED_LINEAGE##*/}}" --new-cert "$new"
[ -z "$old" ] || set -- "$@" --old-cert "$old"
[ -z "${ORG:-}" ] || set -- "$@" --org "$ORG"
"${RENEWSCOPE:-renewscope}" record "$@" >/dev/null
