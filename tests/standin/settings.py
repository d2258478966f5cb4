# SPDX-License-Identifier: MIT
"""Every setting of the stand-in: name, default, what it does. README.md's table is printed from here (kudu.py --table)."""

TABLE = [
    ("The site", None, None),
    ("site", "contoso", "name of the site: user names, APP_POOL_ID, ARM"),
    ("sku", "Standard", "Free makes dumpType=2 (exactly 2) a 500 with Kudu's SKU message"),
    ("seed", 1, "of everything random: which instance answers without a cookie, key order"),
    ("instances", 2, "number of instances; ids, machine names and pids differ (pids: + 100000 an instance)"),
    ("workers", 1, "w3wp that are not Kudu's, per instance; 0: id -1 is a 500; 2: a recycle overlap"),
    ("scms", 1, "w3wp that are Kudu's, per instance; 2: Kudu itself is being recycled, processes/0 is the first (6948), the other 6956"),
    ("children", 1, "child processes `dotnet` of the first worker, with parent and children links"),
    ("webjobs", 1, "web job processes `MyJob` (is_webjob, description)"),
    ("extra", 0, "more processes, e.g. 4000"),
    ("worker_name", "w3wp", "name of the workers"),
    ("machine_name", "", "instead of the instance's own machine name (may be hostile)"),
    ("names", "plain", "names of the extra processes: plain, unicode, hostile (separators, control characters, ../../x, 300 letters), surrogate (lone ones; with escape=ascii)"),
    ("escape", "utf8", "non-ASCII in JSON as utf8 or as ascii (\\u escapes)"),
    ("details", "small", "large: detail of > 1 MB with hundreds of modules, handles, \\u and \\\\ escapes"),
    ("missing_user", 1, "Kudu's own entry of the list lacks user_name; 2: nobody's user can be read"),
    ("shuffle", 0, "key order of every object shuffled"),
    ("unknown_keys", 0, "unknown members with nested values in every object"),
    ("bitness", 0, "a 32-bit Kudu: no is_scm_site, environment {} and 500 on environments/…"),
    ("self_error", 0, "processes/0 answers with this status (JSON error)"),
    ("gone", "", "pids (with commas) still listed but 404 in detail, environments and dump"),
    ("href_host", "", "host in every href instead of the asked one, e.g. evil.example"),
    ("linux", "off", "text: 400 plain `Not supported on Linux`; mono: 400 with Message; unconfigured: 404 text, no dotnet-monitor; monitor or monitor-id: dotnet-monitor answers, naming processes by pid or by id"),
    ("monitor_busy", 0, "1: dotnet-monitor answers a dump with 429"),
    ("latency", 0.0, "seconds before every answer, as a far network takes"),
    ("detail_delay", 0.0, "seconds before a detail is answered"),
    ("list_delay", 0.0, "seconds before a list is answered"),

    ("Instances and cookies", None, None),
    ("affinity", "on", "on; off: cookies are honoured, none are set; deaf: neither; ignore: a random instance whatever the cookie says; reject: always another one than asked"),
    ("route", "random", "who answers without a known cookie: random, first, next (round robin)"),
    ("instance_all", "json", "/instance/all: json, string (the array inside a JSON string), 404, html"),
    ("cookie_bytes", 0, "an additional Set-Cookie with a value of that many bytes"),

    ("Login", None, None),
    ("auth", "none", "what is accepted: none (anything), basic, bearer, any (either)"),
    ("user", "$contoso", "Basic user"),
    ("password", "correct-horse", "Basic password"),
    ("token", "good-token", "bearer token, or several with blanks between; wrong-audience is answered as bearer_reject says"),
    ("audience", "", "not empty: bearer tokens are JWTs instead, of one of these audiences (blanks between) and not past their exp"),
    ("revoke", "", "JWTs with this jti are refused"),
    ("bearer_reject", 401, "status for a wrong token: 401 or 403"),
    ("challenge", "html", "body of a 401: html or empty; bearer: empty, and only tokens are offered"),
    ("deny", "none", "basic_off (401 to any Basic), ip (403 Ip Forbidden), stopped (403 page), login (302 always), login200 (200 HTML sign-in page), unauthorized (401), forbidden (403 empty)"),
    ("browser_login", 1, "a browser-like request (Mozilla, text/html) without login gets a 302"),

    ("The dump", None, None),
    ("dump_bytes", 0, "size of every dump; 0: by type, 300 KiB (0), 600 KiB (1), 64 MiB (with bit 2), 300 KiB else"),
    ("dump_delay", 0.0, "seconds in which Kudu writes the dump, before the head"),
    ("gateway_cut_s", 0.0, "after so many seconds without a byte the front end answers gateway_status; the dump stays busy until dump_delay is over"),
    ("gateway_status", 500, "500 or 502, both HTML"),
    ("framing", "length", "length, chunked, close (until close)"),
    ("notify", 1, "TLS close_notify before the stand-in closes; 0 just closes"),
    ("chunk_bytes", 65536, "data in a chunk"),
    ("chunk_ext", 0, "chunk extensions"),
    ("trailers", 0, "trailer fields after the last chunk"),
    ("rate", 0, "at most so many body bytes a second; 0: as fast as it goes"),
    ("junk", "none", "a 200 with: html (sign-in page), nomdmp, badversion, tiny (8 KiB), truncated (Memory64List promises twice what comes, length right), short (256 bytes), empty (0 bytes)"),
    ("dump_error", "none", "vanished (404), during (500), exited (500 full HttpError), diskfull, denied, partial, memory (500 each)"),
    ("overlap", "global", "one dump at a time on the whole site: else 500 sharing violation; allow: no such rule"),
    ("by_host", 0, "1: each name in Host is a site of its own, with its own dump file"),
    ("overlap_wait", 0.75, "seconds Kudu tries to delete the old file before it says so"),
    ("zip_missing", 0, "format=zip without the dump inside"),
    ("wrong_digits", 0, "the file name carries another instance's six digits"),
    ("filename", "", "file name in Content-Disposition instead of Kudu's"),
    ("filename_quoted", 0, "file name in quotes"),
    ("hash", "send", "send: digest computed while sending; lazy: afterwards, when asked for (takes less CPU while sending)"),

    ("ProcDump and the file API", None, None),
    ("procdump_tools", "both", "what stands under SystemDrive/devtools/sysinternals: both, 64, 32, none"),
    ("procdump", "ok", "ok; slow (for procdump_s says nothing but its name, then writes), noclone (-r fails with 0x80070006), denied, diskfull, exited (before it began), late (says that it is complete while the file still grows), hang (never writes), dies (half-way, without a word)"),
    ("procdump_s", 0.3, "seconds in which it writes"),
    ("worker_bits", 64, "64 or 32: PROCESSOR_ARCHITECTURE of the processes"),
    ("command", "ok", "ok; elsewhere (the next instance runs it), cut (runs it, then answers gateway_status), off (403), fails (ExitCode -1)"),
    ("vfs_ranges", 1, "0: Range is ignored"),

    ("HTTP", None, None),
    ("clock", 0, "seconds by which its clock is wrong, in Date"),
    ("close", 0, "Connection: close in every answer"),
    ("json_framing", "length", "framing of everything but dumps: length, chunked, close"),
    ("early_close", 0, "closes after each answer without having said so"),
    ("keepalive_s", 120.0, "an idle connection is closed after that time"),
    ("keepalive_max", 0, "closes after that many answers on a connection, unannounced; 0: never"),
    ("interim", "none", "before each answer: 100, 103, both, many (20)"),
    ("lowercase", 0, "header names in lower case"),
    ("http10", 0, "status line HTTP/1.0, no chunks, closes"),
    ("head_pad", 0, "that many more bytes of header fields, e.g. 33000"),
    ("fold", 0, "one obsolete folded header line"),

    ("Faults", None, None),
    ("fail", "", "route:times[:status] with commas: answer so (503 by default) that many times, then normally; e.g. list:2,dump:1:502"),
    ("fail_body", "html", "body of these: html, json, empty"),
    ("retry_after", "", "Retry-After of these answers: seconds or a date"),
    ("error_body", "json", "body of JSON errors: json, bom (with byte order mark), html, empty, text"),
    ("json_cut", 0, "JSON answers of fault_route cut to so many bytes, with the Content-Length of what is left; below 0: that many bytes less than whole"),
    ("fault", "none", "close, rst, stall (fault_s, then goes on), slow (one byte every fault_ms), garbage (no HTTP at all), silent (no answer for fault_s, then closes)"),
    ("fault_route", "dump", "where: list, self, detail, env, dump, instances, environment, other, any; several with commas"),
    ("fault_where", "body", "head, body, or an edge of chunk number fault_chunk (from 1): size (before its size line), data (before its data), crlf (before the CRLF after it), next (after that CRLF), last (before 0), trailer (after 0 CRLF)"),
    ("fault_at", 0, "byte of the head or of the body (as framed) before which it happens; below 0: from the end, head only or length framing"),
    ("fault_chunk", 1, "see fault_where"),
    ("fault_s", 5.0, "seconds of a stall or of silence"),
    ("fault_ms", 20, "milliseconds between two bytes when slow"),
    ("fault_bytes", 0, "slow for that many bytes only; 0: to the end of the head or body"),
    ("fault_skip", 0, "leave that many matching answers alone first"),
    ("fault_times", 0, "then happen that many times; 0: always"),

    ("ARM façade", None, None),
    ("arm_page", 0, "instances on a page of ARM's list, with nextLink; 0: all on one"),
    ("arm_next", "", "scheme and host in nextLink instead of the asked ones"),
    ("arm_role", "contributor", "reader: no environment, dump 401 empty"),
    ("arm_schema", 0, "1: identifier and deployment_name instead of id and name, as the published schema has them"),
    ("arm_timeout", 0, "1: dump through ARM answers 504 with a JSON error"),
]

DEFAULTS = {name: value for name, value, _ in TABLE if value is not None}


class Settings:
    """The current values as attributes; names and types are fixed by TABLE."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.__dict__.update(DEFAULTS)

    def put(self, name, text):
        if name not in DEFAULTS:
            raise KeyError(f"no setting {name}")
        kind = type(DEFAULTS[name])
        words = {"true": 1, "yes": 1, "false": 0, "no": 0}
        self.__dict__[name] = kind(words.get(text, text) if kind is int else text)

    def all(self):
        return {name: self.__dict__[name] for name in DEFAULTS}


def markdown():
    rows = []
    for name, value, text in TABLE:
        if value is None:
            rows.append(f"\n### {name}\n\n| setting | default | what it does |\n|---|---|---|")
        else:
            text = text.replace("|", "\\|")
            rows.append(f"| `{name}` | {'`' + str(value) + '`' if str(value) else ''} | {text} |")
    return "\n".join(rows)
