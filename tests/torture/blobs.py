# SPDX-License-Identifier: MIT
"""A small block blob service that keeps every byte, for the torture run: threads of the caller's process, so that what was
committed is looked at directly. Each container is made by being used. It answers a block only after its last byte, commits
only blocks it has, and keeps an existing blob from If-None-Match: *."""
import base64, http.server, re, socketserver, ssl, threading, urllib.parse


class Store:
    def __init__(self):
        self.lock = threading.Lock()
        self.forget()

    def forget(self):
        with self.lock:
            self.blocks, self.blobs, self.destroyed = {}, {}, 0

    def put_block(self, path, ident, body):
        with self.lock:
            self.blocks[path, ident] = body
        return 201, None

    def commit(self, path, list_xml, headers):
        idents = re.findall(r"<(?:Latest|Uncommitted|Committed)>([^<]*)</", list_xml.decode("utf-8", "replace"))
        with self.lock:
            if headers.get("If-None-Match") == "*" and path in self.blobs:
                return 409, "BlobAlreadyExists"
            if not list_xml.rstrip().endswith(b"</BlockList>"):
                return 400, "InvalidXmlDocument"
            if any((path, ident) not in self.blocks for ident in idents):
                return 400, "InvalidBlockList"
            body = b"".join(self.blocks[path, ident] for ident in idents)
            self.blobs[path] = (body, {name.lower(): value for name, value in headers.items()})
        return 201, None

    def delete(self, path):
        """Of blocks that were never committed; a blob that someone has is not to be touched."""
        with self.lock:
            if path in self.blobs:
                self.destroyed += 1
                return 403, "AuthorizationFailure"
            waiting = [key for key in self.blocks if key[0] == path]
            for key in waiting:
                del self.blocks[key]
        return (202, None) if waiting else (404, "BlobNotFound")

    def in_container(self, container):
        with self.lock:
            return {path: blob for path, blob in self.blobs.items() if path.startswith(container + "/")}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def log_message(self, *_):
        pass

    def tell(self, status, code=None, fields=(), body=b""):
        self.send_response(status)
        self.send_header("x-ms-request-id", "torture")
        for name, value in fields:
            self.send_header(name, value)
        if code:
            self.send_header("x-ms-error-code", code)
            body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>so it is</Message></Error>'.encode()
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        elif not any(name == "Content-Length" for name, _ in fields):
            self.send_header("Content-Length", "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def whole_body(self):
        length = int(self.headers.get("Content-Length", "-1"))
        if length < 0:
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError("the body broke off")
        return body

    def parts(self):
        url = urllib.parse.urlsplit(self.path)
        return url.path, dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))

    def do_PUT(self):
        path, query = self.parts()
        body = self.whole_body()
        store = self.server.store
        if body is None:
            self.close_connection = True
            return self.tell(411, "MissingContentLengthHeader")
        if query.get("comp") == "block":
            base64.b64decode(query["blockid"], validate=True)
            return self.tell(*store.put_block(path, query["blockid"], body))
        if query.get("comp") == "blocklist":
            return self.tell(*store.commit(path, body, self.headers))
        return self.tell(400, "UnsupportedHeader")

    def do_GET(self):
        path, query = self.parts()
        store = self.server.store
        if query.get("restype") == "container":
            return self.tell(200)
        with store.lock:
            blob = store.blobs.get(path)
            pending = any(where == path for where, _ in store.blocks)
        if query.get("comp") == "blocklist":
            if blob is None and not pending:
                return self.tell(404, "BlobNotFound")
            return self.tell(200, body=b'<?xml version="1.0"?><BlockList><CommittedBlocks/><UncommittedBlocks/></BlockList>')
        if blob is None:
            return self.tell(404, "BlobNotFound")
        body, headers = blob
        kept = [(name, value) for name, value in headers.items() if name.startswith("x-ms-meta-")]
        if self.command == "HEAD":
            kept.append(("Content-Length", str(len(body))))
        return self.tell(200, None, kept + [("x-ms-blob-type", "BlockBlob")], body)

    do_HEAD = do_GET

    def do_DELETE(self):
        self.tell(*self.server.store.delete(self.parts()[0]))


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, store, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.store, self.context = store, context
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def finish_request(self, request, address):
        if self.context:
            request.settimeout(60)
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, address)

    def handle_error(self, request, address):
        pass  # connections that break are what the torture run is about


def serve(store, certificate=None, key=None):
    """Returns the port it listens on."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    return Server(store, context).server_address[1]
