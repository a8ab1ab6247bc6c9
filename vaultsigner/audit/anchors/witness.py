"""A witness: an HTTPS endpoint that remembers the newest checkpoint of each chain, and takes only what goes on from it.

Source: C2SP tlog-witness, section "add-checkpoint". A witness cannot be asked what it remembers; it shows when it is offered a
checkpoint that it knows already, or another one than it knows.
"""

import asyncio
import re
import ssl
from http import HTTPStatus

import aiohttp

import vaultsigner
from vaultsigner.audit.anchors.anchor import (
    AnchorConflictError,
    AnchorError,
    AnchorRefusalError,
    AnchorSizeError,
    Held,
    Kind,
    Trusts,
)
from vaultsigner.config.anchor_settings import WitnessAnchor
from vaultsigner.domain.checkpoints import ORIGIN, AnchorDocument, Checkpoint, SignedCheckpoint
from vaultsigner.domain.signed_notes import NoteError, read_note

WAIT_SECONDS = 10.0
LARGEST_ANSWER = 64 * 1024
_SIZE_TYPE = "text/x.tlog.size"
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,17})\n")
_NOTHING = "old 0\n\n"
"""No request at all: every witness refuses it, and what it says of it shows that it is one."""


class _EndlessAnswerError(aiohttp.ClientError):
    """More than any witness says."""


class Witness:
    """One witness. Follows no redirect, keeps no cookie, uses no proxy, and waits ten seconds at most."""

    kind: Kind = "witness"

    def __init__(self, settings: WitnessAnchor, wait_seconds: float = WAIT_SECONDS) -> None:
        self.name = settings.name
        self.required = settings.required
        self._url = f"{settings.url}/add-checkpoint"
        self._ca_cert = settings.ca_cert
        self._wait_seconds = wait_seconds
        self._session: aiohttp.ClientSession | None = None

    async def held(self, _trusts: Trusts) -> Held:
        """Nothing: see the module."""
        return Held()

    async def seen(self, own: SignedCheckpoint, _trusts: Trusts) -> int:
        """See `Anchor`: it is offered `own` as what it has seen already."""
        try:
            await self._confirm(own)
        except AnchorSizeError as error:
            return error.size
        return own.checkpoint.size

    async def publish(self, document: AnchorDocument) -> None:
        """See `Anchor`."""
        try:
            await self._add(document)
        except AnchorSizeError as error:
            if error.size != document.signed.checkpoint.size:
                raise
            # It took the document earlier, or has seen as many other records.
            await self._confirm(document.signed)

    async def keeps(self, _checkpoint: Checkpoint) -> bool:
        """See `Anchor`."""
        return True

    async def probe(self) -> str:
        """See `Anchor`. Whether it knows the key shows with the first checkpoint only."""
        status, _, _ = await self._post(_NOTHING)
        if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY):
            return f"{self._url} answers; whether it knows the key shows with the first checkpoint"
        raise AnchorError(f"{self._url}: {_meaning(status)}")

    async def close(self) -> None:
        """See `Anchor`."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _confirm(self, own: SignedCheckpoint) -> None:
        """Offer it as what was seen already. Version 1.0.0 answers 409 with that very size where it has seen as many others."""
        checkpoint = own.checkpoint
        try:
            await self._add(AnchorDocument(checkpoint.size, (), own))
        except AnchorSizeError as error:
            if error.size == checkpoint.size:
                raise self._fork(checkpoint) from None
            raise

    async def _add(self, document: AnchorDocument) -> None:
        status, content_type, body = await self._post(document.text())
        checkpoint = document.signed.checkpoint
        size = _SIZE.fullmatch(body) if content_type == _SIZE_TYPE else None
        if status == HTTPStatus.OK:
            _require_cosignature(self._url, document.signed, body)
        elif status == HTTPStatus.CONFLICT and size is not None:
            raise AnchorSizeError(
                f"{self._url} has seen {int(size[1])} records of {checkpoint.chain}", int(size[1])
            )
        elif status in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
            raise self._fork(checkpoint)
        elif status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            raise AnchorRefusalError(
                f"{self._url} does not know {ORIGIN}{checkpoint.chain}, or not the key that signs it (status {status}); "
                "have its keeper add that origin with the key that `vaultsigner audit key` prints, and let it have extension "
                "lines; it is asked again with the chain's next checkpoint, and at the next start",
                unknown=status == HTTPStatus.NOT_FOUND,
            )
        else:
            raise AnchorError(f"{self._url}: {_meaning(status)}")

    def _fork(self, checkpoint: Checkpoint) -> AnchorConflictError:
        return AnchorConflictError(
            f"ROLLBACK OR FORK: {self._url} has seen another history of chain {checkpoint.chain} than the one that has "
            f"{checkpoint.size} records here; stop, keep a copy of the record, ask the witness's keeper for its checkpoint, and "
            "compare them with `vaultsigner audit verify`"
        )

    async def _post(self, text: str) -> tuple[int, str, bytes]:
        """Status, content type and body of the answer.

        Raises:
            AnchorError: there is no whole answer.
        """
        try:
            async with (
                asyncio.timeout(self._wait_seconds),
                self._opened().post(self._url, data=text.encode(), allow_redirects=False) as response,
            ):
                body = await _read(response)
                return response.status, response.headers.get("Content-Type", ""), body
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise AnchorError(f"{self._url}: {_trouble(error)}") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            tls = ssl.create_default_context(cafile=self._ca_cert) if self._ca_cert else True
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=tls, limit=1),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "Content-Type": "text/plain; charset=utf-8",
                    "User-Agent": f"vaultsigner/{vaultsigner.__version__}",
                },
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > LARGEST_ANSWER:
            raise _EndlessAnswerError
    return bytes(body)


def _require_cosignature(url: str, signed: SignedCheckpoint, body: bytes) -> None:
    """A witness signs what it takes. Its signature is left to whoever has its key; anybody else's "OK" is none at all."""
    try:
        read_note(f"{signed.note.text}\n{body.decode('utf-8')}")
    except (NoteError, UnicodeDecodeError):
        raise AnchorError(
            f"{url} answers as if it had taken the checkpoint, without a witness's signature of it; see whether something "
            "stands between, or another service answers there"
        ) from None


def _meaning(status: int) -> str:
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"it redirects (status {status}), which is not followed; write the address where the witness itself is"
    if status == HTTPStatus.NOT_FOUND:
        return "there is no witness at this address (status 404); correct the anchor's url"
    if status == HTTPStatus.BAD_REQUEST:
        return "it cannot read what it is sent (status 400); see whether it speaks C2SP tlog-witness, and takes extension lines"
    return f"it answers with the status {status}; see its own log"


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "no answer in time"),
    (aiohttp.ClientConnectorDNSError, "its host name is not known"),
    (
        aiohttp.ClientConnectorCertificateError,
        "its certificate is not accepted; for a private authority, name its file as ca_cert",
    ),
    (aiohttp.ClientSSLError, "the TLS handshake failed"),
    (aiohttp.ClientConnectorError, "it cannot be reached; see whether it runs"),
    (_EndlessAnswerError, "its answer has no end; another service answers there"),
    (aiohttp.ClientOSError, "it hung up"),
    (aiohttp.ServerDisconnectedError, "it hung up"),
    (aiohttp.ClientPayloadError, "it hung up"),
    (ssl.SSLError, "the file named as ca_cert holds no certificate"),
    (OSError, "the file named as ca_cert cannot be read"),
)
"""The first that fits counts: several are kinds of others further down."""


def _trouble(error: Exception) -> str:
    """In words: an exception's own text would repeat internals."""
    return next((words for kind, words in _WORDS if isinstance(error, kind)), "what it says is not HTTP")
