#!/usr/bin/env bash
# Records real renewals and compares the result with the certificates. 20 devices get certificates with certbot from pebble
# and renew them at a second pebble; five fail in five ways. The hooks in assets/hooks record everything into one SQLite
# file, eight at a time.
#
# Uses the loopback interface only. Needs root only to install certbot, pebble, openssl or curl. Takes about 90 s.
#
#   RENEWSCOPE   the program to test; default: a new build
#   KEEP=1       keeps the working directory and prints its path
set -euo pipefail
case ${RENEWSCOPE:-} in */*) RENEWSCOPE=$(realpath "$RENEWSCOPE") ;; esac
cd "$(dirname "$0")/.."
hooks=$PWD/assets/hooks

die() { echo "real_input: $*" >&2; exit 1; }

need() {
    local missing=()
    for tool in certbot pebble pebble-challtestsrv openssl curl python3; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [ ${#missing[@]} -eq 0 ] && return
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null ||
        die "missing: ${missing[*]}; install them (Debian: certbot pebble openssl curl python3)"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        certbot pebble openssl curl python3; } >&2 || die "cannot install: ${missing[*]}"
}
need

if [ -z "${RENEWSCOPE:-}" ]; then
    cargo build --quiet
    RENEWSCOPE=$PWD/target/debug/renewscope
fi
export RENEWSCOPE

T=$(mktemp -d)
pids=()
cleanup() {
    local code=$?
    trap - EXIT INT TERM
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    if [ -n "${KEEP:-}" ]; then echo "kept: $T" >&2; else rm -rf "$T"; fi
    exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export RENEWSCOPE_DB=sqlite:$T/events.db
unset DATABASE_URL
SHORT=https://127.0.0.1:14100/dir
LONG=https://127.0.0.1:14000/dir
DNS=http://127.0.0.1:8055

# ---- the authorities ------------------------------------------------------------------------------------------------

authority_tls() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$T/ca.key" -out "$T/CA.pem" \
        -days 2 -subj /CN=test-ca 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$T/leaf.key" -out "$T/leaf.csr" \
        -subj /CN=localhost 2>/dev/null
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$T/san"
    openssl x509 -req -in "$T/leaf.csr" -CA "$T/CA.pem" -CAkey "$T/ca.key" -CAcreateserial -days 2 -extfile "$T/san" \
        -out "$T/leaf.pem" 2>/dev/null
    export REQUESTS_CA_BUNDLE=$T/CA.pem
}

# listen NAME COMMAND…: runs it in the background, its output kept; its id is in $started.
listen() {
    local name=$1
    shift
    "$@" >"$T/$name.log" 2>&1 &
    started=$!
    pids+=("$started")
}

# until_up WHAT COMMAND…: tries up to 15 s, and no longer than the last process started runs.
until_up() {
    local what=$1 tries=0
    shift
    until "$@" >/dev/null 2>&1; do
        kill -0 "$started" 2>/dev/null || die "$what ended: $(tail -3 "$T"/*.log)"
        [ $((tries += 1)) -lt 150 ] || die "$what does not answer"
        sleep 0.1
    done
}

# authority NAME PORT SECONDS [BLOCKED NAME]
authority() {
    cat >"$T/$1.json" <<JSON
{"pebble": {"listenAddress": "127.0.0.1:$2", "managementListenAddress": "127.0.0.1:$(($2 + 1000))",
 "certificate": "$T/leaf.pem", "privateKey": "$T/leaf.key", "httpPort": 5002, "tlsPort": 5001,
 "certificateValidityPeriod": $3, "domainBlocklist": [${4:+\"$4\"}]}}
JSON
    listen "$1" env PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 \
        pebble -config "$T/$1.json" -dnsserver 127.0.0.1:8053
    until_up "authority '$1'" curl -sf --cacert "$T/CA.pem" "https://127.0.0.1:$2/dir"
}

# stop ID: ends what 'listen' started, and forgets it, since the system may give its id to another.
stop() {
    local kept=()
    for pid in "${pids[@]}"; do [ "$pid" = "$1" ] || kept+=("$pid"); done
    pids=("${kept[@]}")
    kill "$1"
    wait "$1" 2>/dev/null || true
}

# ---- the devices ----------------------------------------------------------------------------------------------------

domain() { echo "$1.example.test"; }

# Every device has its own certbot: a shared one locks.
issue() {
    local device=$1
    DEVICE=$device ORG=$(org "$device") certbot certonly -n --agree-tos --register-unsafely-without-email \
        --server "$SHORT" --webroot -w "$T/web" -d "$(domain "$device")" --deploy-hook "$hooks/certbot-deploy.sh" \
        --config-dir "$T/$device" --work-dir "$T/$device/work" --logs-dir "$T/$device/logs" >"$T/$device.issue" 2>&1 ||
        { echo "cannot issue for $device:" >&2; tail -5 "$T/$device.issue" >&2; return 1; }
}

# renew DEVICE SERVER [OPTIONS]: the wrapper's exit code is in its .code file: failing is what some are meant to do.
renew() {
    local device=$1 server=$2 code=0
    shift 2
    DEVICE=$device ORG=$(org "$device") CONFIG_DIR=$T/$device "$hooks/renew-one.sh" "$(domain "$device")" \
        --server "$server" --agree-tos --register-unsafely-without-email \
        --work-dir "$T/$device/work" --logs-dir "$T/$device/logs" "$@" >"$T/$device.ids" 2>"$T/$device.renew" || code=$?
    echo "$code" >"$T/$device.code"
}

org() { case $1 in edge-00[01][0-5]) echo acme ;; *) echo globex ;; esac; }

# The five that fail, and how.
BLOCKED=edge-0016 REFUSED=edge-0017 NOT_FOUND=edge-0018 NO_ACCOUNT=edge-0019 NO_CA=edge-0020
devices=$(seq -f edge-%04g 1 20)

# one at LONG, with what its fate requires
renew_at_long() {
    case $1 in
        "$NOT_FOUND") renew "$1" "$LONG" --webroot -w "$T/elsewhere" ;;
        *) renew "$1" "$LONG" ;;
    esac
}
export -f issue renew renew_at_long domain org
export T hooks SHORT LONG NOT_FOUND

mkdir "$T/web" "$T/elsewhere"
authority_tls
listen dns pebble-challtestsrv -defaultIPv4 127.0.0.1 -defaultIPv6 "" -dns01 127.0.0.1:8053 -http01 "" -https01 "" \
    -tlsalpn01 "" -management 127.0.0.1:8055
until_up "the name server" curl -sf -X POST -d '{"host":"none.example.test."}' "$DNS/clear-a"
listen web python3 -m http.server -b 127.0.0.1 -d "$T/web" 5002
until_up "the web server" curl -sf http://127.0.0.1:5002/
# Certificates of the first of these have expired when they are renewed.
authority short 14100 20
short=$started
authority long 14000 7776000 "$(domain $BLOCKED)"

"$RENEWSCOPE" db init >/dev/null || die "cannot make the database"

echo "issuing for 20 devices, 8 at once" >&2
echo "$devices" | head -4 | xargs -P 4 -I{} bash -c 'issue {}' || die "not all certificates were issued"
stop "$short"
authority short 14100 3600
short=$started
echo "$devices" | tail -16 | xargs -P 8 -I{} bash -c 'issue {}' || die "not all certificates were issued"

for device in $(echo "$devices" | head -4); do
    until ! openssl x509 -in "$T/$device/live/$(domain "$device")/cert.pem" -noout -checkend 0 >/dev/null; do sleep 1; done
done

echo "renewing, 8 at once" >&2
curl -sf -X POST -d "{\"host\":\"$(domain $REFUSED).\",\"addresses\":[\"127.0.0.2\"]}" "$DNS/add-a" >/dev/null
echo "$devices" | grep -v -e $NO_ACCOUNT -e $NO_CA | xargs -P 8 -I{} bash -c 'renew_at_long {}'
# An authority that is started anew has forgotten its accounts.
stop "$short"
authority short 14100 3600
renew $NO_ACCOUNT "$SHORT"
stop "$started"
renew $NO_CA "$SHORT"

# ---- what is stored, against what is true ---------------------------------------------------------------------------

echo "comparing" >&2
"$RENEWSCOPE" list --format ndjson --limit 1000 >"$T/list.ndjson"
cat "$T"/*.ids | while read -r id; do "$RENEWSCOPE" get "$id" --format ndjson; done >"$T/get.ndjson"
for filter in '' type:failed type:start type:success type:success,failed org:acme device:edge-001* reason:expired; do
    printf '%s\t%s\n' "$filter" "$("$RENEWSCOPE" count ${filter:+"$filter"})"
done >"$T/counts"
for device in $devices; do
    for pem in "$T/$device/archive/$(domain "$device")"/cert*.pem; do
        printf '%s\t%s\t%s\n' "$device" "${pem##*/}" "$(openssl x509 -in "$pem" -noout -enddate | cut -d= -f2)"
    done
done >"$T/truth"

python3 - "$T" <<'PYTHON'
import datetime, fnmatch, json, sys
from collections import Counter, defaultdict

work = sys.argv[1]
problems = []

def check(ok, *what):
    if not ok:
        problems.append(" ".join(map(str, what)))

def instant(text):
    return None if text is None else datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))

truth = defaultdict(dict)
for line in open(f"{work}/truth"):
    device, pem, end = line.rstrip("\n").split("\t")
    end = datetime.datetime.strptime(end, "%b %d %H:%M:%S %Y %Z").replace(tzinfo=datetime.timezone.utc)
    truth[device][pem] = end

# What each of the five must have said, and on how many lines at least.
fates = {
    "edge-0016": ("rejectedIdentifier", 1), "edge-0017": ("connection refused", 3), "edge-0018": ("404", 3),
    "edge-0019": ("accountDoesNotExist", 1), "edge-0020": ("Connection refused", 1),
}
rows = [json.loads(line) for line in open(f"{work}/list.ndjson")]
check(len(truth) == 20, "devices with certificates:", len(truth))
check(len(rows) == 60, "rows:", len(rows))
times = [instant(r["created_at"]) for r in rows]
check(times == sorted(times, reverse=True), "the list is not newest first")

by_device = defaultdict(list)
for row in reversed(rows):
    by_device[row["device"]].append(row)
check(set(by_device) == set(truth), "devices:", sorted(by_device))
for device, events in sorted(by_device.items()):
    pems, failed = truth[device], device in fates
    first, second = pems.get("cert1.pem"), pems.get("cert2.pem")
    check((second is None) == failed, device, "has", sorted(pems))
    kinds = [e["event_type"] for e in events]
    wanted = ["renewal_success", "renewal_start", "renewal_failed" if failed else "renewal_success"]
    check(kinds == wanted, device, kinds)
    if kinds != wanted:
        continue
    issued, start, end = events
    expiries = [(instant(e["old_cert_expiration"]), instant(e["new_cert_expiration"])) for e in events]
    check(expiries == [(None, first), (first, None), (first, second)], device, "expiries", expiries, "true", pems)
    expired = instant(start["old_cert_expiration"]) <= instant(start["created_at"])
    check(start["reason"] == end["reason"] == ("expired" if expired else "proactive"), device, start, end)
    error = end["error_message"]
    if failed:
        text, lines = fates[device]
        check(error and text in error and len(error.strip().splitlines()) >= lines, device, "error", repr(error))
    else:
        check(error is None, device, "error", repr(error))
    org = "acme" if device[5:8] in ("000", "001") and device[8] <= "5" else "globex"
    check({e["org"] for e in events} == {org}, device, "org", [e["org"] for e in events])
    check(open(f"{work}/{device}.code").read().strip() == ("1" if failed else "0"), device, "exit code")
late = {r["device"] for r in rows if r["reason"] == "expired"}
check(late == {f"edge-{n:04}" for n in range(1, 5)}, "renewed too late:", sorted(late))

got = [json.loads(line) for line in open(f"{work}/get.ndjson")]
listed = {r["id"]: r for r in rows}
check(len(got) == 40, "ids printed by record:", len(got))
for row in got:
    check(listed.get(row["id"]) == row, "get differs from list:", row)

kinds = Counter(r["event_type"] for r in rows)
counts = {
    "": len(rows),
    "type:failed": kinds["renewal_failed"],
    "type:start": kinds["renewal_start"],
    "type:success": kinds["renewal_success"],
    "type:success,failed": kinds["renewal_success"] + kinds["renewal_failed"],
    "org:acme": sum(r["org"] == "acme" for r in rows),
    "device:edge-001*": sum(fnmatch.fnmatchcase(r["device"], "edge-001*") for r in rows),
    "reason:expired": sum(r["reason"] == "expired" for r in rows),
}
for line in open(f"{work}/counts"):
    filter, n = line.rstrip("\n").split("\t")
    check(n.strip() == str(counts.pop(filter)), "count", repr(filter), "is", n)
check(not counts, "not counted:", counts)

print(f"{len(truth)} devices, {sum(map(len, truth.values()))} certificates, {len(rows)} events: "
      f"{kinds['renewal_success']} successes, {kinds['renewal_failed']} failures, {len(late)} renewals too late")
for device in sorted(fates):
    error = by_device[device][-1]["error_message"] if by_device[device] else None
    print(f"  {device}  {(error or '-').strip().splitlines()[-1][:110]}")
for problem in problems:
    print("MISMATCH", problem)
print("all as it is" if not problems else f"{len(problems)} mismatches")
sys.exit(1 if problems else 0)
PYTHON

# ---- the console on it: the list, and the true dates of the true certificates in the detail --------------------------

python3 - "$RENEWSCOPE" "$T/truth" <<'PYTHON'
import datetime, fcntl, os, pty, re, select, struct, sys, termios, time

program, truth = sys.argv[1:]
ends = {}
for line in open(truth):
    device, pem, end = line.rstrip("\n").split("\t")
    end = datetime.datetime.strptime(end, "%b %d %H:%M:%S %Y %Z")
    ends.setdefault(device, {})[pem] = end.strftime("%Y-%m-%d %H:%M:%S UTC")

pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm-256color"
    os.execv(program, [program])
columns = 140

def wait(*wanted):
    """Waits until all of the texts are on the screen. Only what changes is drawn, so a new size redraws all of it."""
    global columns
    until = time.monotonic() + 30
    while time.monotonic() < until:
        columns ^= 1
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        seen, pause = "", time.monotonic() + 0.5
        while time.monotonic() < pause:
            if select.select([terminal], [], [], 0.1)[0]:
                seen += os.read(terminal, 65536).decode("utf-8", "replace")
        # The console moves over blanks instead of writing them.
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\s", "", seen)
        if all(word.replace(" ", "") in text for word in wanted):
            return
    sys.exit(f"the console does not show {wanted}, but: {text[-3000:]!r}")

def keys(text):
    os.write(terminal, text.encode())

wait("renewal failed", "60 events", "edge-0020")
for device, kind in [("edge-0006", "success"), ("edge-0016", "failed")]:
    keys("Xg")
    wait("60 events")
    keys(f"/device:{device} type:{kind}\r")
    wait("2 events" if kind == "success" else "1 event")
    keys("\r")
    wait("old expiry", ends[device]["cert1.pem"], *([ends[device]["cert2.pem"]] if kind == "success" else []))
    keys("\x1b")
    time.sleep(0.1)
keys("q")
os.waitpid(pid, 0)
print("the console shows the true dates of the true certificates")
PYTHON
