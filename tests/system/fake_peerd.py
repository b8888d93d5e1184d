"""A peerd that answers what a test tells it to: HTTP over HOME/control, canned answers, requests kept to be looked at."""

import http.server
import json
import os
import socketserver
import threading
import urllib.parse


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        url = urllib.parse.urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        status, answer = self.server.fake.answer(self.command, urllib.parse.unquote(url.path), urllib.parse.parse_qs(url.query), body)
        if status is None:      # gone in the middle of it
            self.close_connection = True
            return
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_DELETE = _answer

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


class FakePeerd:
    """answers maps (method, path) to an object, (status, object or bytes), a list of those to be given one after the other (the
    last again and again), or a function of (query, body) that gives one."""

    def __init__(self, home):
        self.home, self.answers, self.asked = str(home), {}, []
        self.server = None

    def start(self):
        os.makedirs(self.home, exist_ok=True)
        path = os.path.join(self.home, "control")
        if os.path.exists(path):
            os.unlink(path)
        self.server = _Server(path, _Handler)
        self.server.fake = self
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            os.unlink(os.path.join(self.home, "control"))
        self.server = None

    def answer(self, method, path, query, body):
        self.asked.append((method, path, query, body))
        found = self.answers.get((method, path))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if callable(found):
            found = found(query, body)
        if found is None:
            return 404, error("NOTFOUND", 7, "there is no such path")
        return found if isinstance(found, tuple) else (200, found)


def error(name, number, text, advice=None):
    return {"error": {"name": name, "number": number, "text": text, **({"advice": advice} if advice else {})}}


GONE = (None, None)
ID = "01a2113a-bdb3-7681-87d1-72ea6e9dc0ad"


def event(**fields):
    e = {"id": ID, "kind": "send", "state": "SENDING", "doing": "sends", "ended": False, "result": None,
         "peer": "bob/desktop@post.example", "title": "pictures", "receipt": "direct", "price": 0, "files": 3, "bytes": 1048576,
         "packet": 1052160, "done": 524288, "created": "2026-11-24T05:08:41Z", "ended_at": None, "attempts": 1, "reason": None,
         "placed": None, "receipt_file": None, "unread": False, "delivered": None, "postmarked": False, "payment": None}
    return {**e, **fields}


def ended(result, **fields):
    return event(state=result.upper(), ended=True, result=result, done=1052160, ended_at="2026-11-24T05:08:44Z", **fields)


def row(seq, what, e):
    return {"seq": seq, "time": "2026-11-24T05:08:42Z", "id": e["id"], "kind": e["kind"], "state": e["state"], "what": what,
            "progress": what is None, "event": e}
