"""What of a Kubernetes API server Vault needs: token reviews over HTTPS."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from tests.integration.custody.test_tls import Authority

PATH = "/apis/authentication.k8s.io/v1/tokenreviews"


class Cluster(ThreadingHTTPServer):
    """Knows the tokens that are good, by the service account that each belongs to (`namespace:name`)."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.good: dict[str, str] = {}
        self.url = f"https://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        account = cast(Cluster, self.server).good.get(body["spec"]["token"])
        status: dict[str, Any] = {"authenticated": False}
        if self.path == PATH and account is not None:
            user = {"username": f"system:serviceaccount:{account}", "uid": "uid-1", "groups": []}
            status = {"authenticated": True, "user": user}
        answer = json.dumps({**body, "status": status}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Says nothing."""


@contextmanager
def running_cluster(directory: Path) -> Iterator[tuple[Cluster, Path]]:
    """The API server, and the PEM file of its authority."""
    authority = Authority(directory, "127.0.0.1")
    with Cluster(authority.server) as cluster:
        thread = threading.Thread(target=cluster.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield cluster, authority.certificate
        finally:
            cluster.shutdown()
            thread.join()
