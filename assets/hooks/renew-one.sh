#!/bin/sh
# Renews one certificate with certbot and records what happened: a start, and a success or the failure with its text.
# certbot's own hooks do not run at all when the authority is away; this does not depend on them.
#
#   renew-one.sh CERT-NAME [OPTIONS OF certbot renew]
#
#   RENEWSCOPE_DB   where to record (or DATABASE_URL, or the user's own file)
#   RENEWSCOPE      the program, if it is not on the PATH
#   DEVICE, ORG     the names to record; without them CERT-NAME and the default organisation
#   SPOOL           a file that keeps events while the database is away, for 'renewscope ingest'
#   CONFIG_DIR      certbot's, when it is not /etc/letsencrypt
#
# Nothing is recorded when the certificate is not due. Ends with certbot's exit code.

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
# Not every date knows fractions; then the start is at the beginning of its second.
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
    # What the authority said about each challenge, and the error. All of the output where there is neither, as when
    # certbot was killed.
    text=$(sed -n -E -e 's/^ *((Domain|Type|Detail): .*)/\1/p' \
        -e 's/^Failed to renew certificate .* with error: //p' "$out")
    [ -n "$text" ] || text=$(cat "$out")
    printf '%s' "${text:-certbot ended with exit code $code and said nothing}" |
        record --type renewal_failed --error-file -
fi
exit "$code"
