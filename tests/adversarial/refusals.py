"""Sends what must be refused, and sees that it is: in the error shape, on the record, and with no other effect."""

import json
from dataclasses import dataclass
from typing import Any

from tests.adversarial.custody_wire import vault_reads
from tests.adversarial.desk import NewRecords, numbers
from tests.adversarial.raw_http import Reply, exchange, request
from tests.world import World

SHAPE = {"code", "message", "detail", "request_id"}


@dataclass(frozen=True, slots=True)
class Refusals:
    """A running service to be asked for what it must not do."""

    world: World
    records: NewRecords

    def refused(self, status: int, code: str, *pieces: bytes) -> Reply:
        """Send this and see that it is refused so: one `request` record, no key read, no number taken, nothing sent."""
        self.records.look()
        before = self._effects()
        reply = exchange(self.world.url, *pieces)
        self.assert_shape(reply, status, code)
        [record] = self.records.look()
        assert (record["kind"], record["request_id"]) == ("request", reply.document["request_id"])
        assert (record["status"], record["code"]) == (status, code)
        assert record["reason"]
        assert self._effects() == before
        return reply

    def assert_shape(self, reply: Reply, status: int, code: str) -> None:
        """The error shape, and the same id everywhere."""
        assert (reply.status, reply.document["code"]) == (status, code), reply.raw
        assert reply.document.keys() == SHAPE
        assert reply.document["message"]
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-request-id"] == reply.document["request_id"]

    def post(self, path: str, body: bytes, *headers: str, user: str | None = None) -> bytes:
        """A well-formed request with a good token: the default user's, or another's, whose password is `<name>'s own`."""
        token = self.world.token() if user is None else self.world.token(user, f"{user}'s own")
        return request("POST", path, body, f"Authorization: Bearer {token}", *headers)

    def invalid(self, path: str, document: object) -> list[list[Any]]:
        """Where the fields are that make this a 422."""
        reply = self.refused(422, "invalid_fields", self.post(path, json.dumps(document).encode()))
        return [problem["loc"] for problem in reply.document["detail"]]

    def _effects(self) -> tuple[object, ...]:
        return vault_reads(self.world.service), len(self.world.node.chain.received), numbers(self.world)
