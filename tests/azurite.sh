# SPDX-License-Identifier: MIT
# Azurite for stories; source it after lib.sh. Two versions are locked in tests/node: they differ in checksums and codes.
#   azurite_start 3.35|3.37 [--tls] [ARG…]   starts the blob service on a free port (ARG goes to Azurite, as --oauth basic)
#                                            leaves $azurite (URL with the account), $azurite_pid, $azurite_folder,
#                                            and exports AZURITE_URL and AZURITE_CA for `blobs`
#   azurite_stop                             stops the one started last
#   azurite_again                            starts that one again on the same port and folder, as after a crash
#   blobs COMMAND …                          tests/azurite.py: the oracle and the maker of SAS and tokens
#   blob_field FIELD < JSON                  one field of what `blobs get` or `head` printed; metadata.NAME reaches inside
#   azurite_there VERSION || skip …          is this version installed and does its node run here

azurite_account=devstoreaccount1
azurite_key='Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='   # Microsoft documents it
azurite_count=0

# A port that the kernel calls free now.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The node that this version runs on: 3.37 brings its own as a package.
azurite_node() {
	for azurite_own in "$tests/node/azurite-$1"/node_modules/node-linux-*/bin/node; do
		if "$azurite_own" --version >/dev/null 2>&1; then echo "$azurite_own"; return; fi
	done
	echo node
}
azurite_there() { [ -f "$tests/node/azurite-$1/node_modules/azurite/dist/src/blob/main.js" ] && have "$(azurite_node "$1")"; }

azurite_answers() { curl -s -o "$scratch/azurite.out" --noproxy '*' ${AZURITE_CA:+--cacert "$AZURITE_CA"} "$azurite?comp=list"; }

azurite_run() {
	server_start "azurite-$azurite_count" "$(azurite_node "$azurite_version")" "$tests/node/azurite-$azurite_version/node_modules/azurite/dist/src/blob/main.js" \
		--silent --disableTelemetry --blobHost 127.0.0.1 --blobPort "$azurite_port" --location "$azurite_folder" "$@"
	azurite_pid=$server_pid
	if ! wait_for 30 azurite_answers; then
		echo "azurite $azurite_version does not answer" >&2
		cat "$scratch/azurite-$azurite_count.log" >&2
		return 1
	fi
}

azurite_start() {
	azurite_version=$1 azurite_tls=""; shift
	if [ "${1:-}" = --tls ]; then azurite_tls=yes; shift; fi
	azurite_arguments="$*"                  # none of Azurite's holds a space
	azurite_count=$((azurite_count + 1))
	azurite_folder=$scratch/azurite-$azurite_count
	mkdir -p "$azurite_folder"
	azurite_port=$(free_port)
	if [ -n "$azurite_tls" ]; then
		pki_make
		azurite=https://localhost:$azurite_port/$azurite_account AZURITE_CA=$pki/ca.pem
		azurite_arguments="$azurite_arguments --cert $pki/server.pem --key $pki/server.key"
	else
		azurite=http://127.0.0.1:$azurite_port/$azurite_account AZURITE_CA=""
	fi
	AZURITE_URL=$azurite
	export AZURITE_URL AZURITE_CA
	# shellcheck disable=SC2086
	azurite_run $azurite_arguments || exit 1
}
azurite_stop() { server_stop "$azurite_pid"; }
# shellcheck disable=SC2086
azurite_again() { azurite_run $azurite_arguments || exit 1; }

blobs() { python3 "$tests/azurite.py" "$@"; }
blob_field() { python3 -c 'import json, sys; at = json.load(sys.stdin)
for name in sys.argv[1].split("."): at = at.get(name, "") if isinstance(at, dict) else ""
print(at)' "$1"; }
