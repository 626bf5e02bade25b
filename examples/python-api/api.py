"""An API in Python that leaves logins and tokens to jotgate in front of it.

    python3 api.py 3000
    jotgate serve --upstream http://127.0.0.1:3000 --protect /api/

It listens on this machine only: whoever could reach it past the gate could
write X-Auth-User himself.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class API(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/":
            return self.answer(200, {"message": "welcome"})
        if self.path == "/api/hello":
            return self.answer(200, {"message": f"hello, {self.headers['X-Auth-User']}"})
        if self.path == "/api/reports":
            if self.headers["X-Auth-Role"] not in ("staff", "admin"):
                return self.answer(403, {"detail": "staff only"})
            return self.answer(200, {"message": "reports"})
        self.answer(404, {"detail": "not found"})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    server = ThreadingHTTPServer(("127.0.0.1", port), API)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
