#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The independent eye on blobs: a small Blob client of Python's standard library, sharing nothing with kudump.

azurite.py [--url URL] [--ca FILE] [--account NAME] [--key KEY] COMMAND …
    create CONTAINER                  make a container (fine when it is there)
    list CONTAINER [--uncommitted]    one JSON array: name, bytes, committed
    get CONTAINER/BLOB [--out FILE]   one JSON object: bytes, sha256, md5 as stored, type, disposition, metadata, …
    head CONTAINER/BLOB               the same from the head alone
    blocks CONTAINER/BLOB             {"committed": [{"id","bytes"}], "uncommitted": […]}
    put CONTAINER/BLOB FILE           Put Blob
    put-block CONTAINER/BLOB ID FILE  Put Block: ID is any text, sent in Base64
    lease CONTAINER/BLOB              takes a lease without end, prints its id
    delete CONTAINER[/BLOB]
    sas CONTAINER[/BLOB] [--sp cw] [--minutes 60] [--start -5] [--spr https] [--sip IP]      a service SAS as a query
    account-sas [--sp cw] [--srt o] [--ss b] [--minutes 60] [--start -5]                     an account SAS as a query
    token [--minutes 60] [--audience https://storage.azure.com]                              a bearer token for --oauth basic
A negative --minutes makes what is expired already. URL and CA come from AZURITE_URL and AZURITE_CA else. A refusal
prints {"status", "code"} and ends with 1.
Signing: REST "Authorize with Shared Key", "Create a service SAS", "Create an account SAS". The account and key are those
of the emulator, which Microsoft documents.
"""
import argparse, base64, datetime, email.utils, hashlib, hmac, http.client, json, os, ssl, sys, time, uuid
import urllib.parse
import xml.etree.ElementTree as xml

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
VERSION = "2021-12-02"
HEADERS_SIGNED = ("content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
                  "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range")


class Refused(Exception):
    def __init__(self, status, code):
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


def sign(key, text):
    return base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()


class Service:
    def __init__(self, url, account, key, ca):
        self.parts = urllib.parse.urlsplit(url)
        self.account, self.key = account, key
        if self.parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca)
            self.conn = http.client.HTTPSConnection(self.parts.hostname, self.parts.port, context=context, timeout=120)
        else:
            self.conn = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=120)

    def authorization(self, method, path, query, headers):
        lines = [method] + [headers.get(name, "") for name in HEADERS_SIGNED]
        if lines[3] == "0":
            lines[3] = ""
        lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-ms-")]
        lines.append(f"/{self.account}{path}" + "".join(f"\n{name}:{query[name]}" for name in sorted(query)))
        return f"SharedKey {self.account}:{sign(self.key, chr(10).join(lines))}"

    def ask(self, method, where, query=None, headers=None, body=b""):
        query, headers = query or {}, {name.lower(): value for name, value in (headers or {}).items()}
        path = self.parts.path.rstrip("/") + "/" + urllib.parse.quote(where)
        headers["x-ms-date"] = email.utils.formatdate(usegmt=True)
        headers["x-ms-version"] = VERSION
        if method == "PUT":
            headers["content-length"] = str(len(body))
        headers["authorization"] = self.authorization(method, path, query, headers)
        self.conn.request(method, path + ("?" + urllib.parse.urlencode(query) if query else ""), body or None, headers)
        answer = self.conn.getresponse()
        if answer.status >= 300:
            answer.read()
            raise Refused(answer.status, answer.getheader("x-ms-error-code") or answer.reason)
        return answer


def properties(answer):
    names = {"content-length": "bytes", "content-type": "content_type", "content-disposition": "disposition",
             "content-md5": "md5", "x-ms-blob-type": "blob_type", "etag": "etag", "last-modified": "modified",
             "x-ms-access-tier": "tier"}
    found = {ours: answer.getheader(theirs) for theirs, ours in names.items() if answer.getheader(theirs) is not None}
    found["bytes"] = int(found.get("bytes", -1))
    found["metadata"] = {name[10:].lower(): value for name, value in answer.getheaders()
                         if name.lower().startswith("x-ms-meta-")}
    return found


def get(service, where, out):
    answer = service.ask("GET", where)
    found, digest, md5, count = properties(answer), hashlib.sha256(), hashlib.md5(), 0
    sink = open(out or os.devnull, "wb")
    while piece := answer.read(1 << 20):
        digest.update(piece)
        md5.update(piece)
        sink.write(piece)
        count += len(piece)
    sink.close()
    found.update(bytes=count, sha256=digest.hexdigest(), md5_of_bytes=base64.b64encode(md5.digest()).decode())
    return found


def entries(service, container, uncommitted):
    query = {"restype": "container", "comp": "list", "include": "metadata" + (",uncommittedblobs" if uncommitted else "")}
    found, marker = [], ""
    while True:
        tree = xml.fromstring(service.ask("GET", container, {**query, **({"marker": marker} if marker else {})}).read())
        for blob in tree.iter("Blob"):
            size = blob.findtext("Properties/Content-Length")
            found.append({"name": blob.findtext("Name"), "bytes": int(size or 0)})
        marker = tree.findtext("NextMarker") or ""
        if not marker:
            return found


def listing(service, container, uncommitted):
    committed = {blob["name"] for blob in entries(service, container, False)}
    return [{**blob, "committed": blob["name"] in committed} for blob in entries(service, container, uncommitted)]


def blocks(service, where):
    answer = service.ask("GET", where, {"comp": "blocklist", "blocklisttype": "all"})
    tree, found = xml.fromstring(answer.read()), {}
    for kind in ("Committed", "Uncommitted"):
        found[kind.lower()] = [{"id": block.findtext("Name"), "bytes": int(block.findtext("Size"))}
                               for block in tree.findall(f"{kind}Blocks/Block")]
    return found


def moment(minutes):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def query_of(fields):
    return urllib.parse.urlencode({name: value for name, value in fields.items() if value}, quote_via=urllib.parse.quote, safe="")


def service_sas(options):
    container, _, blob = options.where.partition("/")
    fields = {"sv": VERSION, "sr": "b" if blob else "c", "sp": options.sp, "st": moment(options.start),
              "se": moment(options.minutes), "spr": options.spr, "sip": options.sip}
    resource = f"/blob/{options.account}/{container}" + (f"/{blob}" if blob else "")
    text = "\n".join([fields["sp"], fields["st"], fields["se"], resource, "", fields["sip"], fields["spr"], fields["sv"],
                      fields["sr"], "", "", "", "", "", "", ""])
    return query_of({**fields, "sig": sign(options.key, text)})


def account_sas(options):
    fields = {"sv": VERSION, "ss": options.ss, "srt": options.srt, "sp": options.sp, "st": moment(options.start),
              "se": moment(options.minutes), "spr": options.spr, "sip": options.sip}
    text = "\n".join([options.account, fields["sp"], fields["ss"], fields["srt"], fields["st"], fields["se"], fields["sip"],
                      fields["spr"], fields["sv"], "", ""])
    return query_of({**fields, "sig": sign(options.key, text)})


def token(options):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    now = int(time.time())
    claims = {"aud": options.audience, "iss": f"https://sts.windows.net/{uuid.UUID(int=1)}/", "iat": now - 60, "nbf": now - 60,
              "exp": now + 60 * options.minutes, "oid": str(uuid.UUID(int=2)), "tid": str(uuid.UUID(int=1)), "ver": "1.0"}
    return ".".join([part({"typ": "JWT", "alg": "RS256"}), part(claims), part("not checked by the emulator")])


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("AZURITE_URL", "http://127.0.0.1:10000/" + ACCOUNT))
    parser.add_argument("--ca", default=os.environ.get("AZURITE_CA"))
    parser.add_argument("--account", default=ACCOUNT)
    parser.add_argument("--key", default=KEY)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("create", "list", "get", "head", "blocks", "put", "put-block", "lease", "delete", "sas"):
        commands.add_parser(name).add_argument("where")
    commands.choices["list"].add_argument("--uncommitted", action="store_true")
    commands.choices["get"].add_argument("--out")
    commands.choices["put-block"].add_argument("id")
    commands.choices["put-block"].add_argument("file")
    commands.choices["put"].add_argument("file")
    for command in (commands.choices["sas"], commands.add_parser("account-sas")):
        command.add_argument("--sp", default="cw")
        command.add_argument("--minutes", type=float, default=60)
        command.add_argument("--start", type=int, default=-5)
        command.add_argument("--spr", default="")
        command.add_argument("--sip", default="")
    commands.choices["account-sas"].add_argument("--srt", default="o")
    commands.choices["account-sas"].add_argument("--ss", default="b")
    commands.add_parser("token").add_argument("--minutes", type=int, default=60)
    commands.choices["token"].add_argument("--audience", default="https://storage.azure.com")
    return parser.parse_args(arguments)


def create(service, container):
    try:
        service.ask("PUT", container, {"restype": "container"}).read()
    except Refused as refused:
        if refused.code != "ContainerAlreadyExists":
            raise


def run(options):
    if options.command in ("sas", "account-sas", "token"):
        return {"sas": service_sas, "account-sas": account_sas, "token": token}[options.command](options)
    service, where = Service(options.url, options.account, options.key, options.ca), options.where
    if options.command == "create":
        return create(service, where)
    if options.command == "list":
        return json.dumps(listing(service, where, options.uncommitted))
    if options.command == "get":
        return json.dumps(get(service, where, options.out))
    if options.command == "head":
        return json.dumps(properties(service.ask("HEAD", where)))
    if options.command == "blocks":
        return json.dumps(blocks(service, where))
    if options.command == "put":
        service.ask("PUT", where, None, {"x-ms-blob-type": "BlockBlob"}, open(options.file, "rb").read()).read()
    elif options.command == "put-block":
        ident = base64.b64encode(options.id.encode()).decode()
        service.ask("PUT", where, {"comp": "block", "blockid": ident}, None, open(options.file, "rb").read()).read()
    elif options.command == "lease":
        answer = service.ask("PUT", where, {"comp": "lease"}, {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1"})
        return answer.getheader("x-ms-lease-id")
    elif options.command == "delete":
        service.ask("DELETE", where, None if "/" in where else {"restype": "container"}).read()
    return None


if __name__ == "__main__":
    try:
        said = run(options_of(sys.argv[1:]))
        if said is not None:
            print(said)
    except Refused as refused:
        print(json.dumps({"status": refused.status, "code": refused.code}))
        sys.exit(1)
