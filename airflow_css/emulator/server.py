"""The HTTP coat of the emulator: sockets in, requests out, replies back."""

from __future__ import annotations

import contextlib
import http
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from airflow_css.emulator.exchange import Headers, Reply, Request

__all__ = ["EmulatorServer"]

Handle = Callable[[Request], Reply]


class _Handler(BaseHTTPRequestHandler):
    """One connection. It stays open between requests, as the gateway's does."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Buffered, so that head and body leave in one packet.
    wbufsize = -1
    server: EmulatorServer

    def setup(self) -> None:
        """Let the server know of this connection, so that it can end it."""
        super().setup()
        self.server.connections[self.connection] = threading.current_thread()

    def finish(self) -> None:
        """Let the server forget this connection."""
        self.server.connections.pop(self.connection, None)
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        """Serve until the client is gone."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def handle_one_request(self) -> None:
        """Serve one request, whatever its method is: the base class wants a function for each."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():
            self.wfile.flush()
            return
        request = self._read()
        if request is None:
            self.close_connection = True
            return
        self._send(self.server.answer(request))

    def _read(self) -> Request | None:
        """Return the request; ``None`` when it was refused because its body cannot be read."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.send_error(http.HTTPStatus.NOT_IMPLEMENTED, "The emulator reads bodies of a given length only")
            self.wfile.flush()
            return None
        # The base class tidies its own copy of the target; the signature is about what was sent.
        path, _, query = self.requestline.split(" ")[1].partition("?")
        body = self.rfile.read(int(length))
        return Request(self.command, path, query, Headers(self.headers.items()), body)

    def _send(self, reply: Reply) -> None:
        if reply.delivery == "none":
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        whole = reply.delivery == "whole"
        self.wfile.write(reply.body if whole else reply.body[: len(reply.body) // 2])
        self.wfile.flush()
        self.close_connection = self.close_connection or not whole

    def log_message(self, *_arguments: Any) -> None:
        """Keep silent: the emulator has a log of its own."""


class EmulatorServer(ThreadingHTTPServer):
    """
    Serves a function over HTTP, one thread per connection.

    :param address: Host and port; port 0 takes a free one.
    :param answer: Returns the reply to a request.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], answer: Handle) -> None:
        self.answer = answer
        self.connections: dict[socket.socket, threading.Thread] = {}
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread of its own."""
        threading.Thread(target=self.serve_forever, args=(0.01,), name="css-emulator", daemon=True).start()

    def stop(self) -> None:
        """Stop listening, end all connections and wait for their threads."""
        self.shutdown()
        self.server_close()
        for connection, thread in list(self.connections.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)

    def server_bind(self) -> None:
        """Bind without asking for the host's name, which may take seconds on a machine without a name service."""
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
