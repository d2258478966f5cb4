#!/bin/bash
# SPDX-License-Identifier: MIT
# The rules of the house that a machine can check: floors, who takes memory, who waits, who prints, what is never called,
# what is never committed, and what the binary is. Wants `make` to have run: it reads build/obj and build/kudump.
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 1

# none NAME FILE: ok when FILE holds no finding, else the findings.
none() {
	if [ -s "$2" ]; then
		bad "$1"
		head -15 "$2" | sed 's/^/     | /'
	else
		ok "$1"
	fi
}

# --- sources

# What a floor may include: itself and those below; siblings do not see each other.
declare -A below=(
	[base]="base" [net]="base net" [http]="base net http"
	[azure]="base net http azure" [seal]="base net http seal" [dump]="base net http dump" [page]="base net http page"
	[job]="base net http azure seal dump page job" [cmd]="base net http azure seal dump page job cmd"
	[main]="base net http azure seal dump page job cmd"
)
own_includes() { sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]+)".*/\1/p' "$1"; }
floor_of() { case $1 in src/main.c) echo main ;; *) rest=${1#src/}; echo "${rest%%/*}" ;; esac; }

check_floors() {
	local file include floor
	for file in src/main.c src/*/*.[ch]; do
		[ -e "$file" ] || continue
		floor=$(floor_of "$file")
		[ -n "${below[$floor]-}" ] || { echo "$file: there is no floor \"$floor\""; continue; }
		for include in $(own_includes "$file"); do
			case $include in bearssl*.h | jsmn.h) continue ;; esac
			[[ " ${below[$floor]} " == *" ${include%%/*} "* ]] || echo "$file: $floor/ may not see \"$include\""
			[ -f "src/$include" ] || echo "$file: \"$include\" is not written from src/"
		done
	done
}
check_own_header() {
	local file header first
	for file in src/*/*.c; do
		header=${file%.c}.h
		[ -f "$header" ] || continue
		first=$(sed -nE 's/^#[[:space:]]*include[[:space:]]*["<]([^">]+)[">].*/\1/p' "$file" | head -1)
		[ "src/$first" = "$header" ] || echo "$file: its own header does not come first, $first does"
	done
}
# Sources without comments, each line with its file in front.
bare() {
	local file
	for file in "$@"; do
		gcc -fpreprocessed -dD -E -P -x c "$file" 2> /dev/null | sed "s|^|$file: |"
	done
}

check_floors > "$scratch/floors"
none "a file includes only its own floor and those below" "$scratch/floors"
check_own_header > "$scratch/own"
none "a file includes its own header first" "$scratch/own"

bare src/main.c src/*/*.[ch] > "$scratch/bare"
grep -E '[^A-Za-z0-9_](strcpy|strcat|stpcpy|sprintf|vsprintf|gets|system|popen|alloca|tmpnam|mktemp|strtok|atoi|atol|atoll|setjmp|longjmp)[[:space:]]*\(' "$scratch/bare" > "$scratch/banned"
none "no call of strcpy, strcat, sprintf, gets, system, popen, alloca and their like" "$scratch/banned"
grep -E '#[[:space:]]*include[[:space:]]*[<"](linux|asm)/' "$scratch/bare" > "$scratch/linux"
none "no header of the kernel" "$scratch/linux"
grep -nE '#[[:space:]]*define[[:space:]]+_(GNU|DEFAULT|BSD)_SOURCE' src/main.c src/*/*.[ch] | grep -vE '^src/base/(linux|memory)\.c:' > "$scratch/beyond"
none "what is beyond POSIX is asked for in base/linux.c and base/memory.c alone" "$scratch/beyond"
for file in src/main.c src/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.c; do
	[ -e "$file" ] && ! head -3 "$file" | grep -q 'SPDX-License-Identifier: MIT' && echo "$file"
done > "$scratch/spdx"
none "every C file names its licence" "$scratch/spdx"

# --- objects: what the linker sees cannot be talked away

# uses PATTERN [OBJECT…]: the objects, but those named, that refer to a symbol like this.
uses() {
	local pattern=$1 object name
	shift
	for object in build/obj/*.o build/obj/*/*.o; do
		name=${object#build/obj/}
		[ -e "src/${name%.o}.c" ] || [ "$name" = roots.o ] || continue # left from a file that is gone
		[[ " $* " == *" $name "* ]] && continue
		nm -u "$object" | awk '{ print $NF }' | grep -xE "$pattern" | sed "s|^|$name: |"
	done
}
room() { # NAME PATTERN [OBJECT…]
	local name=$1
	shift
	uses "$@" > "$scratch/uses"
	none "$name" "$scratch/uses"
}
if [ -e build/obj/main.o ]; then
	room "no object refers to the malloc family" \
		'(malloc|calloc|realloc|reallocarray|free|cfree|strdup|strndup|v?asprintf|posix_memalign|aligned_alloc|memalign|valloc|getline|getdelim|open_memstream|open_wmemstream|fopen|fdopen|freopen|opendir|fdopendir|scandir|glob|regcomp|tempnam|brk|sbrk)'
	room "only base/memory.c maps memory" '(mmap|mmap64|mremap|munmap)' base/memory.o
	room "only net/wait.c waits for descriptors" '(poll|ppoll|select|pselect|epoll_.*)' net/wait.o
	room "only base/linux.c asks the kernel for more than POSIX has" \
		'(getrandom|getentropy|fallocate|fallocate64|syscall|sendfile|sendfile64|splice|vmsplice|copy_file_range|sync_file_range|memfd_create|prctl|statx|readahead|sched_.*affinity)' base/linux.o
	room "no object calls what runs a command or forgets a bound" \
		'(strcpy|strcat|stpcpy|sprintf|vsprintf|gets|system|popen|fork|vfork|exec[vl].*|posix_spawnp?|tmpnam|mktemp|strtok|atoi)'
	uses '(printf|vprintf|fprintf|vfprintf|dprintf|vdprintf|puts|fputs|putchar|fputc|putc|fwrite|perror|stdout|stderr)' main.o base/log.o |
		grep -vE '^cmd/' > "$scratch/prints"
	none "only cmd/ and the log print" "$scratch/prints"
	find build/obj -name '*.su' -exec awk -F'\t' '$2 > 8192 || $3 !~ /^static|bounded/ { print $1 ": " $2 " bytes, " $3 }' {} + > "$scratch/stack"
	none "no function takes more than 8 KiB of stack, none an amount it works out at run time" "$scratch/stack"
	nm -u build/bearssl/libbearssl.a | awk '{ print $NF }' | grep -xE 'malloc|calloc|realloc|free' | sort -u > "$scratch/bearssl"
	none "BearSSL takes no memory either" "$scratch/bearssl"
else
	skip "objects: make has not run"
fi

# --- the binary

if [ -e build/kudump ]; then
	readelf -W -l build/kudump > "$scratch/segments" 2> /dev/null
	readelf -W -d build/kudump 2> /dev/null | grep NEEDED > "$scratch/needed"
	grep -E 'INTERP' "$scratch/segments" >> "$scratch/needed"
	none "the binary is static" "$scratch/needed"
	readelf -W -S build/kudump | grep -E ' \.(symtab|debug_info) ' > "$scratch/symbols"
	none "it is stripped" "$scratch/symbols"
	grep -E 'GNU_STACK.*E|LOAD.* RWE ' "$scratch/segments" > "$scratch/wx"
	none "no part of it is both written and run" "$scratch/wx"
	size=$(wc -c < build/kudump)
	if [ "$size" -le 655360 ]; then ok "it is at most 640 KiB ($size bytes)"; else bad "it is over 640 KiB ($size bytes)"; fi
else
	skip "the binary: make has not run"
fi

# --- the tree

# All files that are or would be committed. A plain tree without git is looked at whole.
tree() {
	if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . -name .git -prune -o -path ./build -prune -o -name node_modules -prune -o -path './vendor/*/*' -prune -o -type f -print | sed 's|^\./||'
	fi
}
tree | while read -r file; do [ -f "$file" ] && echo "$file"; done > "$scratch/tree"
grep -vE '/package-lock\.json$|/seeds/' "$scratch/tree" > "$scratch/written"

if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
	git ls-files vendor | grep -vE '^vendor/(pins|README\.md|[a-z]+\.sh)$' > "$scratch/vendored"
	none "nothing foreign is in git" "$scratch/vendored"
else
	skip "what git holds: this is no checkout"
fi
# The words are put together here so that this file does not find itself.
words="TO""DO|FIX""ME|X""XX|st""ubs?|HA""CK"
xargs -d '\n' grep -nIwE "$words" < "$scratch/written" > "$scratch/words"
none "no words of unfinished work" "$scratch/words"
places="(^|[^A-Za-z0-9_}\$./])/wo""rk/|[.]lib""rary/|far""m-"
xargs -d '\n' grep -nIE "$places" < "$scratch/written" > "$scratch/places"
none "no names of the place it was written at" "$scratch/places"
grep -E '/package-lock\.json$' "$scratch/tree" | xargs -rd '\n' grep -nE '"resolved"' > "$scratch/resolved"
none "lock files name no registry's host" "$scratch/resolved"
xargs -d '\n' grep -lIE '^-----BEGIN (RSA |EC |)PRIVATE KEY-----' < "$scratch/tree" > "$scratch/keys"
none "no private key is kept" "$scratch/keys"
xargs -d '\n' grep -lIE '^#!.*\b(ba)?sh\b' < "$scratch/written" | while read -r file; do
	bash -n "$file" 2>&1
	[ -x "$file" ] || echo "$file is a script but not executable"
done > "$scratch/scripts"
none "scripts are whole and executable" "$scratch/scripts"
xargs -d '\n' wc -c < "$scratch/tree" | awk '$2 != "total" && $1 > 1048576' > "$scratch/big"
none "no file over 1 MiB" "$scratch/big"
