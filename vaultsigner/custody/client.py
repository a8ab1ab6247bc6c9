"""The server's way to custody: one connection, many questions in flight on it, reconnected by itself.

Nothing secret comes this way except the body of a log-in, which goes to custody unread and is wiped.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from vaultsigner.custody.checkpoint_protocol import CheckpointSigned, ProofNeeded, SignCheckpointRequest
from vaultsigner.custody.frames import (
    ANSWER_BIT,
    Frame,
    FrameBuffer,
    FrameError,
    QuestionCode,
    encode_frame,
)
from vaultsigner.custody.metrics_protocol import CustodyMetrics, KeyKind, KeyPresence
from vaultsigner.custody.protocol import (
    AuthenticateRequest,
    BeaconSignature,
    CustodyHealth,
    ExchangeSignature,
    LogInAnswer,
    LogInRefused,
    OpenApiDecryptRequest,
    OpenApiPlaintext,
    OpenApiToken,
    OpenApiTokenRequest,
    Proof,
    ProofRefused,
    PublicKeyAnswer,
    SignBeaconRequest,
    SignExchangeRequest,
    log_in_with_certificate,
)
from vaultsigner.custody.questions_asked import QuestionsAsked
from vaultsigner.domain.checkpoints import read_checkpoint
from vaultsigner.domain.names import CertificateDigest, ClientName, ExchangeName, WalletName
from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.signed_notes import VerifierKey, read_verifier_key
from vaultsigner.domain.vault_reads import VaultRead
from vaultsigner.errors import CustodyError

ANSWER_SECONDS = 10.0
LOADING_SECONDS = 60.0
"""How long custody may take to read policies: ten thousand rules take some seconds."""
PATIENCE_SECONDS = 0.25
"""How long a question waits for custody to come back before it is answered with custody_unavailable."""
REDIAL_SECONDS = 0.05


class CustodyClient:
    """Asks custody. Every method raises CustodyError where there is no good answer; its `code` says why.

    Args:
        socket_path: where custody listens.
    """

    def __init__(self, socket_path: Path) -> None:
        self._path = str(socket_path)
        self._connection: _Connection | None = None
        self._up = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.asked = QuestionsAsked()
        self.hellos = 0
        """How often custody has begun to serve this client: more than before where it was restarted."""

    async def connect(self) -> None:
        """Begin to keep a connection. Does not wait for custody: a question does, for a moment."""
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep_connected())

    async def close(self) -> None:
        """End the connection; questions in flight fail."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
        if self._connection is not None:
            self._connection.abort()

    @property
    def connected(self) -> bool:
        """Whether custody serves this connection now."""
        return self._up.is_set()

    async def public_key(self, wallet: WalletName) -> PublicKeyAnswer:
        """The public key of a wallet and its address, from the key itself."""
        answer = await self._ask(QuestionCode.PUBLIC_KEY, {"wallet": wallet})
        return PublicKeyAnswer(**{**answer, "public_key": bytes.fromhex(answer["public_key"])})

    async def sign_beacon(self, request: SignBeaconRequest) -> BeaconSignature:
        """A signature, if custody itself finds that everything allows it."""
        answer = await self._ask(QuestionCode.SIGN_BEACON, request.payload())
        return BeaconSignature(
            signature=bytes.fromhex(answer["signature"]),
            public_key=bytes.fromhex(answer["public_key"]),
            sign_bytes_sha256=answer["sign_bytes_sha256"],
            vault_request_id=answer["vault_request_id"],
        )

    async def sign_exchange(self, request: SignExchangeRequest) -> ExchangeSignature:
        """A complete request to an exchange, if custody itself finds that everything allows it."""
        return ExchangeSignature.from_document(await self._ask(QuestionCode.SIGN_EXCHANGE, request.payload()))

    async def open_api_token(self, request: OpenApiTokenRequest) -> OpenApiToken:
        """A token for one call to the Open API, if custody itself finds that everything allows it."""
        return OpenApiToken(**await self._ask(QuestionCode.OPEN_API_TOKEN, request.payload()))

    async def open_api_decrypt(self, request: OpenApiDecryptRequest) -> OpenApiPlaintext | Refusal:
        """What a ciphertext says; a refusal `decryption_failed`, the same for every reason, or `rate_limited`."""
        answer = await self._ask(QuestionCode.OPEN_API_DECRYPT, request.payload())
        return Refusal(**answer["refusal"]) if "refusal" in answer else OpenApiPlaintext(**answer)

    async def check_exchange(self, name: ExchangeName) -> bool:
        """Return once custody has seen that it could sign for this exchange: its secret is there, and of its scheme.

        Returns:
            Whether Transit would give the secret out, by export or by backup.
        """
        return bool((await self._ask(QuestionCode.CHECK_EXCHANGE, {"exchange": name}))["exportable"])

    async def check_open_api(self, app: str) -> None:
        """Return once custody has seen that it could make tokens, and decrypt, for this app of the Open API."""
        await self._ask(QuestionCode.CHECK_OPEN_API, {"app": app})

    async def authenticate(self, request: AuthenticateRequest) -> Proof | ProofRefused:
        """Who signed a request, as custody itself finds out from the bytes as received."""
        answer = await self._ask(QuestionCode.AUTHENTICATE, request.payload())
        if "refusal" in answer:
            return ProofRefused(Refusal(**answer["refusal"]), _vault_reads(answer))
        proof = answer["proof"]
        return Proof(**{**proof, "nonce": bytes.fromhex(proof["nonce"]), "vault_reads": _vault_reads(proof)})

    async def check_client(self, name: ClientName) -> None:
        """Return once custody has seen that it could verify this client's requests."""
        await self._ask(QuestionCode.CHECK_CLIENT, {"client": name})

    async def sign_checkpoint(self, request: SignCheckpointRequest) -> CheckpointSigned | ProofNeeded:
        """What a chain of the record is now, signed; or from which state on custody wants to see that it grew."""
        answer = await self._ask(QuestionCode.SIGN_CHECKPOINT, request.payload())
        if "proof_from" in answer:
            return ProofNeeded(answer["proof_from"])
        return CheckpointSigned(read_checkpoint(answer["note"]), answer["vault_request_id"])

    async def checkpoint_keys(self) -> tuple[VerifierKey, ...]:
        """The keys by which checkpoints are checked, the newest last; none where none is configured."""
        return tuple(map(read_verifier_key, (await self._ask(QuestionCode.CHECKPOINT_KEYS, {}))["keys"]))

    async def log_in(
        self, body: bytearray, certificate: CertificateDigest | None = None
    ) -> LogInAnswer | LogInRefused:
        """An access token for the credentials in a log-in's raw body. The body is wiped, whatever happens.

        Args:
            certificate: what was shown to a trusted proxy. Custody has nothing but the server's word for that.
        """
        question = body if certificate is None else log_in_with_certificate(certificate, body)
        code = QuestionCode.LOG_IN if certificate is None else QuestionCode.LOG_IN_WITH_CERTIFICATE
        try:
            answer = await self._ask(code, question)
        finally:
            _wipe(body)
            _wipe(question)
        if "refusal" in answer:
            return LogInRefused(**{**answer, "refusal": Refusal(**answer["refusal"])})
        return LogInAnswer(**answer)

    async def access_token_keys(self) -> Mapping[str, bytes]:
        """The public keys (Ed25519, 32 bytes) that good access tokens are signed with, by key id."""
        answer = await self._ask(QuestionCode.ACCESS_TOKEN_KEYS, {})
        return {key_id: bytes.fromhex(key) for key_id, key in answer["keys"].items()}

    async def load_policies(self, digest: str) -> None:
        """Have custody apply the policy set of this digest, which it must find in the policy directory itself.

        Raises:
            CustodyError: `policy_mismatch`: it finds other files; `policy_unusable`: what it finds is no policy set.
        """
        await self._ask(QuestionCode.LOAD_POLICIES, {"policy": digest}, LOADING_SECONDS)

    async def health(self) -> CustodyHealth:
        """How custody and its Vault are."""
        return CustodyHealth(**await self._ask(QuestionCode.HEALTH, {}))

    async def metrics(self) -> CustodyMetrics:
        """What custody counted of its own work."""
        document = await self._ask(QuestionCode.METRICS, {})
        try:
            return CustodyMetrics.from_document(document)
        except (ValueError, KeyError, TypeError):
            raise CustodyError("internal_error", "custody's numbers make no sense") from None

    async def find_keys(self, kind: KeyKind, name: str) -> KeyPresence:
        """Whether Vault has the keys of a wallet, an exchange or an app; none of them is read for this."""
        return KeyPresence(**await self._ask(QuestionCode.FIND_KEYS, {"kind": kind, "name": name}))

    async def _ask(
        self,
        code: QuestionCode,
        question: bytes | bytearray | dict[str, str],
        seconds: float | None = None,
    ) -> dict[str, Any]:
        seconds = ANSWER_SECONDS if seconds is None else seconds
        payload = json.dumps(question).encode() if isinstance(question, dict) else question
        with self.asked.asking(code):
            connection = await self._ready_connection()
            try:
                async with asyncio.timeout(seconds):
                    return await connection.ask(code, payload)
            except TimeoutError:
                raise _unavailable(f"custody gave no answer within {seconds:.0f} seconds") from None
            except FrameError as error:
                raise CustodyError("bad_question", str(error)) from None

    async def _ready_connection(self) -> "_Connection":
        if not self._up.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._up.wait()
        if self._connection is None or not self._up.is_set():
            raise _unavailable("the custody process is not there; it is being restarted")
        return self._connection

    def _count_hello(self) -> None:
        self.hellos += 1

    async def _keep_connected(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with suppress(OSError):
                _, self._connection = await loop.create_unix_connection(
                    lambda: _Connection(self._up, self._count_hello), self._path
                )
                # The listening socket outlives custody, so being connected means nothing; its hello does.
                await self._connection.ended.wait()
                if self._connection.was_up:
                    continue
            await asyncio.sleep(REDIAL_SECONDS)


class _Connection(asyncio.BufferedProtocol):
    def __init__(self, up: asyncio.Event, count_hello: Callable[[], None]) -> None:
        self._up = up
        self._count_hello = count_hello
        self._frames = FrameBuffer()
        self._transport: asyncio.Transport | None = None
        self._in_flight: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last_id = 0
        self._drained = asyncio.Event()
        self._drained.set()
        self.ended = asyncio.Event()
        self.was_up = False

    async def ask(self, code: QuestionCode, payload: bytes | bytearray) -> dict[str, Any]:
        if self._transport is None or self._transport.is_closing():
            raise _unavailable("the connection to custody has just ended")
        self._last_id += 1
        id_ = self._last_id
        frame = encode_frame(code, id_, payload)
        if isinstance(payload, bytearray):
            # A log-in: custody may take a while to check the password, which lies in the frame alone from here on.
            _wipe(payload)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._in_flight[id_] = answer
        try:
            self._transport.write(frame)
            if code in (QuestionCode.LOG_IN, QuestionCode.LOG_IN_WITH_CERTIFICATE):
                # The transport may still refer to the frame; only what has left may be wiped.
                await self._drained.wait()
                _wipe(frame)
            return await answer
        finally:
            del self._in_flight[id_]

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # Writing is paused as long as a single byte waits: that is how `ask` knows that a log-in has left.
        self._transport.set_write_buffer_limits(high=0)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._frames.room()

    def buffer_updated(self, nbytes: int) -> None:
        try:
            for frame in self._frames.received(nbytes):
                self._take(frame)
        except (FrameError, ValueError):
            self.abort()

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._up.clear()
        self._drained.set()
        self._frames.wipe()
        self.ended.set()
        for answer in self._in_flight.values():
            if not answer.done():
                answer.set_exception(_unavailable("the custody process ended before it answered"))

    def _take(self, frame: Frame) -> None:
        if frame.code == QuestionCode.HELLO | ANSWER_BIT:
            self.was_up = True
            self._count_hello()
            self._up.set()
            return
        answer = self._in_flight.get(frame.id)
        if answer is None or answer.done():
            return
        document = json.loads(frame.payload)  # from custody, which is to be trusted more than this process
        if "ok" in document:
            answer.set_result(document["ok"])
        else:
            answer.set_exception(CustodyError(document["error"]["code"], document["error"]["message"]))


def _vault_reads(members: Mapping[str, Any]) -> tuple[VaultRead, ...]:
    return tuple(VaultRead(**each) for each in members["vault_reads"])


def _unavailable(message: str) -> CustodyError:
    return CustodyError("custody_unavailable", message)


def _wipe(buffer: bytearray) -> None:
    buffer[:] = bytes(len(buffer))
