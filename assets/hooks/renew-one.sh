#!/bin/sh
# Renews one certificate with certbot and records the result: a start, and a success or a failure with its error text.
# It does not use certbot's hooks, because certbot runs none of them if the authority is unreachable.
#
#   renew-one.sh CERT-NAME [OPTIONS OF certbot renew]
#
#   RENEWSCOPE_DB   where to record (or DATABASE_URL, else the file in the user's data directory)
#   RENEWSCOPE      the program, if it is not on the PATH
#   DEVICE, ORG     the names to record; default: CERT-NAME and the default organization
#   SPOOL           a file for events if the database is unreachable, for 'renewscope ingest' to read later
#   CONFIG_DIR      certbot's configuration directory; default: /etc/letsencrypt
#
# Records nothing if the certificate is not due. The exit code is that of certbot.

name=${1:?usage: renew-one.sh CERT-NAME [certbot options]}
shift
config=${CONFIG_DIR:-/etc/letsencrypt}
link=$config/live/$name/cert.pem

out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

old=$(readlink -f "$link")
reason=proactive
[ -e "$old" ] && ! openssl x509 -in "$old" -noout -checkend 0 >/dev/null 2>&1 && reason=expired
started=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
# Some versions of date have no %N. Then the start is truncated to the second.
case $started in *N*) started=$(date -u +%Y-%m-%dT%H:%M:%SZ) ;; esac

RENEW_ONE=1 certbot renew --config-dir "$config" --cert-name "$name" --no-random-sleep-on-renew "$@" >"$out" 2>&1
code=$?

new=$(readlink -f "$link")
[ "$code" -ne 0 ] || [ "$new" != "$old" ] || exit 0

record() {
    set -- --device "${DEVICE:-$name}" --reason "$reason" --old-cert "$old" "$@"
    [ -z "${ORG:-}" ] || set -- --org "$ORG" "$@"
    [ -z "${SPOOL:-}" ] || set -- --spool "$SPOOL" "$@"
    "${RENEWSCOPE:-renewscope}" record "$@" || echo "renew-one.sh: '$name': the event was not recorded" >&2
}

record --type renewal_start --at "$started"
if [ "$code" -eq 0 ]; then
    record --type renewal_success --new-cert "$new"
else
    # The authority's report on each challenge, and certbot's error. Without either, as when certbot was killed, the whole
    # output.
    text=$(sed -n -E -e 's/^ *((Domain|Type|Detail): .*)/\1/p' \
        -e 's/^Failed to renew certificate .* with error: //p' "$out")
    [ -n "$text" ] || text=$(cat "$out")
    printf '%s' "${text:-certbot failed with exit code $code and no output}" |
        record --type renewal_failed --error-file -
fi
exit "$code"
