"""A schema registry in memory, behind the part of Confluent's HTTP protocol that we use."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


class RegistryTwin:
    """Ids start far from the pinned ones, so that nobody can mistake one for the other."""

    def __init__(self) -> None:
        self.subjects: dict[str, dict[str, int]] = {}
        self.schemas: dict[int, str] = {}
        self.url = ""

    def register(self, subject: str, schema: str) -> int:
        """The id of a schema; the same for the same text under every subject."""
        known = {text: identifier for identifier, text in self.schemas.items()}
        identifier = known.get(schema, 5001 + len(self.schemas))
        self.schemas[identifier] = schema
        self.subjects.setdefault(subject, {})[schema] = identifier
        return identifier

    def answer(self, method: str, path: list[str], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and document."""
        match method, path:
            case "PUT", ["config", _]:
                return 200, {"compatibility": body["compatibility"]}
            case "POST", ["subjects", subject, "versions"]:
                return 200, {"id": self.register(unquote(subject), body["schema"])}
            case "POST", ["subjects", subject]:
                name = unquote(subject)
                identifier = self.subjects.get(name, {}).get(body["schema"])
                if identifier is None:
                    return 404, {"error_code": 40403, "message": "Schema not found"}
                return 200, {"subject": name, "id": identifier, "version": 1, "schema": body["schema"]}
            case "GET", ["schemas", "ids", identifier] if int(identifier) in self.schemas:
                return 200, {"schema": self.schemas[int(identifier)]}
        return 404, {"error_code": 404, "message": "not found"}


@contextmanager
def registry_twin() -> Iterator[RegistryTwin]:
    """A running one, on a free port."""
    twin = RegistryTwin()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0].strip("/").split("/")
            status, document = twin.answer(self.command, path, json.loads(body or b"{}"))
            text = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    twin.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield twin
    finally:
        server.shutdown()
        server.server_close()
