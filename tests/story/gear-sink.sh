#!/bin/bash
# SPDX-License-Identifier: MIT
# The tests' own gear: the fast blob sink is honest, and the peers that benches set beside kudump work against it.
. "$(dirname "$0")/../lib.sh"
. "$tests/azurite.sh"
. "$tests/sink.sh"
if ! sink_there; then skip "nginx with lua is not installed"; exit 0; fi
SINK_FILES=$scratch/files; export SINK_FILES
mkdir -p "$SINK_FILES/api/processes/7"
head -c 9000000 /dev/urandom > "$SINK_FILES/api/processes/7/dump.bin"
echo '[]' > "$SINK_FILES/api/processes.json"
sink_start

# The status of a request to the TLS end; what it said is in $scratch/said, its head in $scratch/said.head.
ask() { # METHOD path [curl's options]
	local method=$1 path=$2
	shift 2
	[ "$method" = HEAD ] && set -- -I "$@" || set -- -X "$method" "$@"
	curl -sS -o "$scratch/said" -D "$scratch/said.head" -w '%{http_code}' --noproxy '*' --cacert "$pki/ca.pem" "$@" "$sink_https$path"
}
list() { printf '<?xml version="1.0" encoding="utf-8"?><BlockList>'; printf '<Latest>%s</Latest>' "$@"; printf '</BlockList>'; }
head -c 70000 /dev/zero > "$scratch/block"

check_text "a block" 201 "$(ask PUT '/c/b?comp=block&blockid=QUFB' --data-binary "@$scratch/block")"
check_text "another" 201 "$(ask PUT '/c/b?comp=block&blockid=QUFC' --data-binary "@$scratch/block")"
check_text "a block in chunks is refused" 411 "$(ask PUT '/c/b?comp=block&blockid=QUFD' -H 'Transfer-Encoding: chunked' --data-binary "@$scratch/block")"
check_text "no blob before the commit" 404 "$(ask HEAD /c/b)"
check_text "a list with an unknown block is refused" 400 "$(ask PUT '/c/b?comp=blocklist' -d "$(list QUFB QUFE)")"
check_has "by its code" "$scratch/said.head" '^x-ms-error-code: InvalidBlockList'
check_text "the list is committed" 201 "$(ask PUT '/c/b?comp=blocklist' -H 'x-ms-meta-id: 77' -H 'x-ms-blob-content-type: application/x-dmp' -d "$(list QUFC QUFB)")"
check_text "the blob is there" 200 "$(ask HEAD /c/b)"
check_has "with its length" "$scratch/said.head" '^content-length: 140000'
check_has "its metadata" "$scratch/said.head" '^x-ms-meta-id: 77'
check_has "and its type" "$scratch/said.head" '^content-type: application/x-dmp'
check_text "it is not replaced" 409 "$(ask PUT '/c/b?comp=blocklist' -H 'If-None-Match: *' -d "$(list)")"
sink_reset; sink_set busy_every=2
check_text "busy every second block" "201 503 201 503" "$(for i in 1 2 3 4; do ask PUT '/c/d?comp=block&blockid=QUFB' -d x | tr '\n' ' '; [ $i = 4 ] || echo -n ' '; done)"
sink_reset; sink_set md5=1
check_text "a wrong MD5 is seen" 400 "$(ask PUT '/c/d?comp=block&blockid=QUFB' -H 'Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==' -d x)"
check_text "a right one too" 201 "$(ask PUT '/c/d?comp=block&blockid=QUFB' -H "Content-MD5: $(printf x | openssl dgst -md5 -binary | base64)" -d x)"
sink_reset; sink_set delay=300
begin=$(date +%s%N)
ask PUT '/c/d?comp=block&blockid=QUFB' -d x > "$scratch/out" & first=$!
ask PUT '/c/e?comp=block&blockid=QUFB' -d x > "$scratch/out2"
wait $first
took=$((($(date +%s%N) - begin) / 1000000))
if [ $took -ge 300 ] && [ $took -lt 1500 ]; then ok "blocks wait, side by side"; else bad "two delayed blocks took $took ms"; fi
check_text "and were counted in flight" 2 "$(sink_stat most)"
sink_reset
curl -s --noproxy '*' -T "$SINK_FILES/api/processes/7/dump.bin" -H 'Content-Length: 9500000' -m 2 -o /dev/null "$sink_http/c/short?comp=block&blockid=QUFB"
check_text "a block that breaks off does not count" 0 "$(sink_stat bytes)"

check_text "the source gives a file" 200 "$(ask GET /api/processes/7/dump)"
check "all of it" cmp "$scratch/said" "$SINK_FILES/api/processes/7/dump.bin"
check_text "also in chunks" 200 "$(ask GET '/api/processes/7/dump?chunked=1')"
check_has "by its head" "$scratch/said.head" '^transfer-encoding: chunked'
check "and all of it" cmp "$scratch/said" "$SINK_FILES/api/processes/7/dump.bin"
check_text "a file that is none" 404 "$(ask GET /api/processes/8/dump)"

if have rclone; then
	export RCLONE_CONFIG=$scratch/rclone.conf
	printf '[r]\ntype = azureblob\nsas_url = %s/dumps?sv=2021-12-02&sr=c&sp=rcwl&sig=none\n' "$sink_https" > "$RCLONE_CONFIG"
	check "rclone copyurl" rclone --ca-cert "$pki/ca.pem" copyurl "$sink_https/api/processes/7/dump?chunked=1" r:dumps/one.dmp
	check_text "its blob" 200 "$(ask HEAD /dumps/one.dmp)"
	check_has "has its length" "$scratch/said.head" '^content-length: 9000000'
	check "curl | rclone rcat" eval 'curl -sS --cacert "$pki/ca.pem" "$sink_https/api/processes/7/dump" | rclone --ca-cert "$pki/ca.pem" rcat r:dumps/two.dmp'
	check_text "its blob" 200 "$(ask HEAD /dumps/two.dmp)"
	check_has "has its length" "$scratch/said.head" '^content-length: 9000000'
else
	skip "rclone is not installed"
fi
sink_stop
