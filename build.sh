#!/bin/bash
# SPDX-License-Identifier: MIT
# ./build.sh          sets up what building needs and leaves the static binary at build/kudump
# ./build.sh demo     builds, then shows a dump from a Kudu stand-in to disk and to a blob
# ./build.sh test     builds, sets up what the tests need, runs them all
# ./build.sh unit | story | fuzz | fuzz-coverage | torture | bench      one kind of test
# ./build.sh setup    only sets up, for all of these
# Missing Debian packages are installed when this runs as root, and named when not. Without a network everything works
# whose packages are there and whose archives stand in vendor/archives.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
PATH=$PATH:/usr/sbin:/sbin

# What each purpose needs: a command or a file that shows it is there, and Debian's package that brings it.
build_needs='
musl-gcc musl-tools
gcc gcc
make make
ar binutils
xz xz-utils
openssl openssl
/etc/ssl/certs/ca-certificates.crt ca-certificates'
demo_needs='
python3 python3
curl curl
node nodejs
npm npm'
test_needs="$demo_needs
clang clang
/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a libclang-rt-14-dev
strace strace
/usr/bin/time time
nginx nginx-light
/usr/lib/nginx/modules/ngx_http_lua_module.so libnginx-mod-http-lua
rclone rclone
tinyproxy tinyproxy-bin
squid squid
ip iproute2
mkfs.ext4 e2fsprogs
mount mount
flock util-linux
ps procps"
coverage_needs='
/usr/lib/llvm-*/bin/llvm-cov llvm-14'

there() { # a command, or a file that may be a pattern
	case $1 in
	/*) compgen -G "$1" > /dev/null ;;
	*) command -v "$1" > /dev/null ;;
	esac
}

set_up() { # needs
	local sign package missing=()
	while read -r sign package; do
		[ -z "$sign" ] || there "$sign" || missing+=("$package")
	done <<< "$1"
	[ ${#missing[@]} -eq 0 ] && return
	if ! command -v apt-get > /dev/null; then
		echo "build.sh: missing, by the names of Debian's packages: ${missing[*]}" >&2
		exit 1
	fi
	if [ "$(id -u)" -ne 0 ]; then
		echo "build.sh: these packages are missing: ${missing[*]}" >&2
		echo "hint: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
		exit 1
	fi
	echo "installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	install_packages "${missing[@]}" && return
	apt-get -qq update || true # old lists or none were the likely reason; what is still wrong is told next
	install_packages "${missing[@]}" || { tail -5 build/apt.log >&2; echo "build.sh: cannot install ${missing[*]}" >&2; exit 1; }
}

# Debian starts a server it installs; the tests start their own, on their own ports.
install_packages() {
	RUNLEVEL=1 apt-get -y -qq --no-install-recommends install "$@" > build/apt.log 2>&1
}

# npm's packages, exactly as their lock files say. The stamp holds the lock file's digest: no npm when it is there already.
set_up_node() { # folder…
	local folder stamp sum
	for folder in "$@"; do
		stamp=$folder/node_modules/.as-locked
		sum=$(sha256sum < "$folder/package-lock.json")
		[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && continue
		echo "installing the packages of $folder"
		(cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error) > build/npm.log 2>&1 ||
			{ cat build/npm.log >&2; echo "build.sh: npm could not install $folder" >&2; exit 1; }
		echo "$sum" > "$stamp"
	done
}

set_up_tests() {
	set_up "$test_needs"
	set_up_node tests/node/*/
}

program() { make -j"$(nproc)"; }

mkdir -p build
set_up "$build_needs"
vendor/fetch.sh
case ${1-} in
'') program ;;
demo)
	set_up "$demo_needs"
	set_up_node tests/node/azurite-3.35/
	program
	exec tests/demo.sh ;;
test)
	set_up_tests
	exec tests/run ;;
unit | story | fuzz | fuzz-coverage | torture | bench)
	set_up_tests
	[ "$1" != fuzz-coverage ] || set_up "$coverage_needs"
	program
	exec make -j"$(nproc)" "$1" ;;
setup) set_up_tests ;;
*)
	echo "usage: ./build.sh [demo | test | unit | story | fuzz | fuzz-coverage | torture | bench | setup]" >&2
	exit 2 ;;
esac
