#!/bin/sh
# A certbot deploy hook that records each certificate obtained: put it into renewal-hooks/deploy/, or name it with
# --deploy-hook. It sees successes only; renew-one.sh records starts and failures too.
#
#   RENEWSCOPE_DB   where to record (or DATABASE_URL, or the user's own file)
#   RENEWSCOPE      the program, if it is not on the PATH
#   DEVICE, ORG     the names to record; without them the certificate's name and the default organisation

# Under renew-one.sh the success is recorded there, with its start.
[ -z "${RENEW_ONE:-}" ] || exit 0

new=$(readlink -f "$RENEWED_LINEAGE/cert.pem")
# certN.pem succeeds cert(N-1).pem, which certbot keeps. The first has none.
n=${new##*/cert}
n=${n%.pem}
old=${new%/*}/cert$((n - 1)).pem
[ -e "$old" ] || old=

set -- --type renewal_success --device "${DEVICE:-${RENEWED_LINEAGE##*/}}" --new-cert "$new"
[ -z "$old" ] || set -- "$@" --old-cert "$old"
[ -z "${ORG:-}" ] || set -- "$@" --org "$ORG"
"${RENEWSCOPE:-renewscope}" record "$@" >/dev/null
