"""An upstream that answers with every reading of the path that Python offers."""

import json
import posixpath
import sys
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class Reader(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path
        readings = {
            "self.path": path,
            "unquote": unquote(path),
            "WSGI PATH_INFO": unquote(path.split("?", 1)[0], "iso-8859-1"),
            "normpath": posixpath.normpath(unquote(path.split("?", 1)[0])),
        }
        try:
            readings["urlsplit"] = urlsplit(path).path
            readings["urlsplit, unquote"] = unquote(urlsplit(path).path)
        except ValueError:
            pass  # a broken IPv6 host; whoever reads it so reads nothing
        folder = SimpleHTTPRequestHandler.__new__(SimpleHTTPRequestHandler)
        folder.directory = "/"
        readings["a file"] = folder.translate_path(path)
        text = json.dumps(readings).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Reader)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
