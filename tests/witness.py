"""A witness as C2SP tlog-witness has it, over HTTPS, with nothing of vaultsigner's own in it: it reads the note, checks the
signature and the proof, and remembers the newest checkpoint of each origin by itself.
"""

import base64
import hashlib
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAME = "witness.example/w1"


class _Answer(Exception):  # noqa: N818 - it is an answer, and no error
    def __init__(self, status: int, text: str = "", content_type: str = "text/plain") -> None:
        super().__init__(status)
        self.response = web.Response(
            status=status, body=text.encode(), headers={"Content-Type": content_type}
        )


@dataclass
class Witness:
    """Args:
    key: the log's, Ed25519, 32 bytes.
    key_name: the log's key's name in notes.
    origins: which logs it knows; None: all.
    """

    key: bytes
    key_name: str = "vaultsigner/audit"
    origins: set[str] | None = None
    first_version: bool = False
    """Version 1.0.0 of the specification tells a checkpoint of the same size and another root like one of another size."""
    newest: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Size and root of each origin's newest checkpoint."""
    asked: list[str] = field(default_factory=list)
    own_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    async def add_checkpoint(self, request: web.Request) -> web.Response:
        """The one endpoint."""
        body = (await request.read()).decode()
        self.asked.append(body)
        try:
            return web.Response(text=self._add(body))
        except _Answer as answer:
            return answer.response

    def size(self, origin: str) -> int:
        """Of the newest checkpoint of an origin; 0: none."""
        return self.newest.get(origin, (0, b""))[0]

    def _add(self, body: str) -> str:
        head, blank, note = body.partition("\n\n")
        lines = head.split("\n")
        if not blank or not lines[0].startswith("old ") or not note:
            raise _Answer(400)
        old, proof = int(lines[0][4:]), [base64.b64decode(line, validate=True) for line in lines[1:]]
        text, _, signatures = note.rpartition("\n\n")
        text += "\n"
        origin, size_line, root_line, *_ = text.split("\n")
        if self.origins is not None and origin not in self.origins:
            raise _Answer(404)
        if not self._is_signed(text, signatures):
            raise _Answer(403)
        size, root = int(size_line), base64.b64decode(root_line, validate=True)
        if old > size:
            raise _Answer(400)
        seen, seen_root = self.newest.get(origin, (0, b""))
        if old != seen:
            raise _Answer(409, f"{seen}\n", "text/x.tlog.size")
        if old == size and seen_root != root:
            raise _Answer(409, f"{size}\n", "text/x.tlog.size") if self.first_version else _Answer(422)
        if not _consistent(old, size, seen_root, root, proof):
            raise _Answer(422)
        self.newest[origin] = (size, root)
        return self._cosignature(text)

    def _is_signed(self, text: str, signatures: str) -> bool:
        key_id = hashlib.sha256(self.key_name.encode() + b"\n\x01" + self.key).digest()[:4]
        for line in signatures.splitlines():
            dash, name, encoded = line.split(" ")
            material = base64.b64decode(encoded, validate=True)
            if (dash, name, material[:4]) == ("—", self.key_name, key_id):
                try:
                    Ed25519PublicKey.from_public_bytes(self.key).verify(material[4:], text.encode())
                except InvalidSignature:
                    return False
                return True
        return False

    def _cosignature(self, text: str) -> str:
        """C2SP tlog-cosignature, version 1."""
        seconds = 1_795_000_000
        own = self.own_key.public_key().public_bytes_raw()
        key_id = hashlib.sha256(NAME.encode() + b"\n\x04" + own).digest()[:4]
        signature = self.own_key.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
        return f"— {NAME} {base64.b64encode(key_id + struct.pack('>Q', seconds) + signature).decode()}\n"


def _consistent(first: int, second: int, first_root: bytes, second_root: bytes, path: list[bytes]) -> bool:
    """RFC 9162, section 2.1.4.2, step by step."""
    if first == 0:
        return not path
    if first == second:
        return not path and first_root == second_root
    if not path:
        return False
    steps = [first_root, *path] if first & (first - 1) == 0 else path
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = _node(step, fr), _node(step, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, step)
        fn, sn = fn >> 1, sn >> 1
    return (fr, sr, sn) == (first_root, second_root, 0)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@asynccontextmanager
async def serving(handler: web.Application, tls: ssl.SSLContext | None, port: int = 0) -> AsyncIterator[int]:
    """An application on a port of this machine, which is told."""
    runner = web.AppRunner(handler, shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def application(witness: Witness) -> web.Application:
    """What it serves."""
    app = web.Application()
    app.router.add_post("/vaultsigner/add-checkpoint", witness.add_checkpoint)
    return app
