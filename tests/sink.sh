# SPDX-License-Identifier: MIT
# The fast blob sink (tests/sink) for benches and stories; source it after lib.sh and azurite.sh (for free_port).
#   sink_there || skip …          nginx and its lua module are installed
#   sink_start                    leaves $sink_http and $sink_https (URLs without a path), $sink_pid, $sink_folder
#   sink_set delay=50 busy_every=7 md5=1      until sink_reset, which also forgets all blobs and counters
#   sink_stat blocks|again|bytes|commits|busy|most  a counter; again: blocks it had already; most: requests in flight
#   sink_stop
# Any path is a blob: $sink_http/container/name?anything. Signatures are not looked at.
PATH=$PATH:/usr/sbin
sink_there() { have nginx && [ -f /usr/lib/nginx/modules/ngx_http_lua_module.so ]; }
sink_ask() { curl -sS --noproxy '*' "$sink_http/_sink/$1"; }
sink_start() {
	pki_make
	sink_folder=$scratch/sink
	sink_port=$(free_port) sink_tls_port=$(free_port)
	sink_http=http://127.0.0.1:$sink_port sink_https=https://localhost:$sink_tls_port
	server_start sink "$tests/sink/run" "$sink_folder" "$sink_port" "$sink_tls_port" "$pki/server.pem" "$pki/server.key"
	sink_pid=$server_pid
	wait_for 10 sink_ask stats || { cat "$scratch/sink.log" "$sink_folder/sink.log" >&2; exit 1; }
}
sink_set() { for sink_pair in "$@"; do sink_ask "set?$sink_pair" >/dev/null; done; }
sink_reset() { sink_ask reset >/dev/null; }
sink_stat() { sink_ask stats | awk -v name="$1" '$1 == name { print $2 }'; }
sink_stop() { server_stop "$sink_pid"; }
