# SPDX-License-Identifier: MIT
# What stories share: counting, scratch folder, servers that are stopped again, the Kudu stand-in.
# A story sources this first:   . "$(dirname "$0")/../lib.sh"
# At exit everything started here is stopped, the scratch folder goes, and "N passed, N failed, N skipped" is printed.
# Works in dash and bash. Set KEEP=1 to keep the scratch folder.

root=$(cd "$(dirname "$0")" && while [ ! -e tests/lib.sh ] && [ "$PWD" != / ]; do cd ..; done; pwd)
tests=$root/tests
shared=$root/../shared                       # corpora of the workplace; tests that use them skip without
KUDUMP=${KUDUMP:-$root/build/kudump}
scratch=$(mktemp -d -p "${TMPDIR:-/tmp}")
passed=0 failed=0 skipped=0
servers=""
unset KUDUMP_SCM KUDUMP_USER KUDUMP_PASSWORD KUDUMP_TOKEN KUDUMP_BLOB_SAS AZURE_STORAGE_KEY SSL_CERT_FILE
unset AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_FEDERATED_TOKEN_FILE AZURE_AUTHORITY_HOST
unset IDENTITY_ENDPOINT IDENTITY_HEADER AZURE_POD_IDENTITY_AUTHORITY_HOST
unset HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy NO_PROXY no_proxy

ok()   { passed=$((passed + 1)); echo "ok   $1"; }
bad()  { failed=$((failed + 1)); echo "BAD  $1"; }
skip() { skipped=$((skipped + 1)); echo "skip $1"; }

# check NAME COMMAND…: ok when the command succeeds.
check() { check_name=$1; shift; if "$@" >"$scratch/check.out" 2>&1; then ok "$check_name"; else bad "$check_name"; sed 's/^/     | /' "$scratch/check.out" | head -20; fi; }

# check_exit NAME STATUS COMMAND…: ok when it ends with that status. Its output stays in $scratch/out and $scratch/err.
check_exit() {
	check_name=$1 check_want=$2; shift 2
	check_got=0; "$@" >"$scratch/out" 2>"$scratch/err" || check_got=$?
	if [ "$check_got" = "$check_want" ]; then ok "$check_name"; else bad "$check_name (status $check_got, not $check_want)"; sed 's/^/     | /' "$scratch/err" | head -20; fi
}

# check_text NAME WANT GOT and check_has NAME FILE PATTERN (grep -E, any case).
check_text() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1"; echo "     | want: $2"; echo "     | got:  $3"; fi; }
check_has()  { if grep -qiE -- "$3" "$2"; then ok "$1"; else bad "$1 (no /$3/ in $(basename "$2"))"; sed 's/^/     | /' "$2" | head -20; fi; }

# have TOOL…: true when all are installed.
have() { for have_one in "$@"; do command -v "$have_one" >/dev/null 2>&1 || return 1; done; }

# wait_for SECONDS COMMAND…: asks again until it succeeds.
wait_for() {
	wait_left=$(($1 * 20)); shift
	until "$@" >/dev/null 2>&1; do wait_left=$((wait_left - 1)); [ $wait_left -gt 0 ] || return 1; sleep 0.05; done
}

# server_start NAME COMMAND…: in the background, output in $scratch/NAME.log; its pid is left in $server_pid.
server_start() { server_name=$1; shift; "$@" >"$scratch/$server_name.log" 2>&1 & server_pid=$!; servers="$servers $server_pid"; }
server_stop()  { kill "$1" 2>/dev/null; wait "$1" 2>/dev/null; servers=$(echo "$servers" | sed "s/\b$1\b//"); }

# wait_port FILE: waits for a port file and leaves the port in $port.
wait_port() { wait_for 10 test -s "$1" || { echo "no port in $1" >&2; cat "$scratch"/*.log >&2; return 1; }; port=$(cat "$1"); }

# Certificates for localhost in $pki (ca.pem, server.pem, server.key, rsa-…), made once a story.
pki_make() { pki=$scratch/pki; [ -d "$pki" ] || "$tests/pki/make.sh" "$pki"; }

# standin_start [--plain] [ARG…]: a Kudu on TLS (or plain HTTP) with auth=none. Leaves $standin_pid, $standin_port and $standin (its URL).
# Start more than one by saving these three between the calls.
standin_start() {
	standin_tls="" standin_scheme=http
	if [ "${1:-}" = --plain ]; then shift; else pki_make; standin_tls="--tls $pki/server.pem $pki/server.key" standin_scheme=https; fi
	rm -f "$scratch/standin.port"
	server_start standin python3 "$tests/standin/kudu.py" --port 0 --port-file "$scratch/standin.port" $standin_tls "$@"
	standin_pid=$server_pid
	wait_port "$scratch/standin.port" || exit 1
	standin_port=$port standin=$standin_scheme://localhost:$port
}
standin_stop() { server_stop "$standin_pid"; }
# standin_ask PATH: a control page, e.g. standin_ask dumps. standin_set key=value…; standin_reset puts all back as at the start.
standin_ask()   { curl -sS --noproxy '*' --cacert "${pki:-/nowhere}/ca.pem" "$standin/_standin/$1"; }
standin_reset() { standin_ask reset >/dev/null; }
standin_set() {
	standin_query=""
	for standin_pair in "$@"; do standin_query="$standin_query&$(printf %s "$standin_pair" | sed 's/%/%25/g; s/&/%26/g; s/+/%2B/g; s/ /%20/g; s/#/%23/g; s/\$/%24/g')"; done
	standin_ask "set?${standin_query#&}" >"$scratch/set.out" && grep -q '^{' "$scratch/set.out" || { cat "$scratch/set.out" >&2; exit 1; }
}
# standin_sha256 [N]: the digest of the dump it sent last in full (or N before that).
standin_sha256() { standin_ask dumps | python3 -c 'import json,sys; d=json.load(sys.stdin); n=1+int(sys.argv[1]); print(d[-n]["sha256"] if len(d)>=n else "none")' "${1:-0}"; }

# givers_start: the stand-in for those who give tokens, as $giver (plain http: a machine's and an app's endpoint) and $entra
# (TLS: Entra and a Key Vault). giver_set NAME=VALUE…, giver_reset and giver_log change and ask both; wrong ones must stay 0.
givers_start() {
	pki_make
	for givers_one in giver entra; do
		rm -f "$scratch/$givers_one.port"
		server_start $givers_one python3 "$tests/standin/identity.py" --port-file "$scratch/$givers_one.port" $([ $givers_one = giver ] || echo "--tls $pki/server.pem $pki/server.key")
		wait_port "$scratch/$givers_one.port" || exit 1
		[ $givers_one = giver ] && giver=http://127.0.0.1:$port || entra=https://localhost:$port
	done
}
giver_ask() { # page curl's ARG…
	givers_page=$1; shift
	curl -sS --noproxy '*' "$@" "$giver/_standin/$givers_page" && curl -sS --noproxy '*' --cacert "$pki/ca.pem" "$@" "$entra/_standin/$givers_page"
}
giver_reset() { giver_ask reset >/dev/null; }
giver_log() { giver_ask log; }
giver_set() { for givers_pair in "$@"; do giver_ask set -G --data-urlencode "$givers_pair" >/dev/null; done; }
# giver_count: requests since the reset; giver_wrong: those that were not to the letter.
giver_count() { giver_log | grep -c .; }
giver_wrong() { giver_log | grep -c '"wrong"'; }

story_end() {
	story_status=$?
	trap - EXIT
	for server_pid in $servers; do kill "$server_pid" 2>/dev/null; done
	for server_pid in $servers; do wait "$server_pid" 2>/dev/null; done
	[ -n "${KEEP:-}" ] && echo "kept $scratch" || rm -rf "$scratch"
	[ $story_status -eq 0 ] || [ $failed -gt 0 ] || bad "the story broke off with status $story_status"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed -eq 0 ]; exit $?
}
trap story_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
