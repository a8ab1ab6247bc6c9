"""Custody's verifier and signer in this process, on a Vault of the test's own, with four clients and a clock set by hand."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.integration.custody.fake_vault import KEY, Conversation, answer, fake_vault
from tests.signing_client import (
    Ed25519Key,
    HmacKey,
    OpenApiKey,
    RsaKey,
    SignedCall,
    SigningKey,
    open_api_token,
    sign_text,
)
from vaultsigner.config.settings import (
    AuditSettings,
    Client,
    ClientScheme,
    Environment,
    KvReference,
    ListenAddress,
    Partner,
    ServerSettings,
    Settings,
    TransitReference,
    Wallet,
)
from vaultsigner.config.vault_settings import TokenFileAuth, VaultSettings
from vaultsigner.custody.process import build
from vaultsigner.custody.protocol import AuthenticateRequest, BeaconSignature, Proof, SignBeaconRequest
from vaultsigner.custody.questions import Custody
from vaultsigner.custody.vault_token.token_file import VaultToken
from vaultsigner.domain.names import ApiKey, ClientName, Operation, RequestId, WalletName
from vaultsigner.domain.permissions import Permission
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.bnb_beacon.messages import message_to_document
from vaultsigner.formats.bnb_beacon.request_body import RequestBody, read_request
from vaultsigner.policy import PolicySet, Rule
from vaultsigner.policy.rules import OPERATIONS, NamePatterns
from vaultsigner.strict_json import parse

NOW = 1_795_000_000_000
IP = "192.0.2.7"
TESTNET = Environment("TESTNET", "http://127.0.0.1:1", "Binance-Chain-Ganges", "tbnb")
DESK, RESERVE = WalletName("desk"), WalletName("reserve")
BODY: dict[str, Any] = {"wallet_name": DESK, "msg": {"symbol": "BNB", "amount": "1.5"}}
PATHS = {"desk": "/v1/secret/data/wallets/desk", "bot": "/v1/secret/data/clients/bot-hmac"}
EVERYBODY = NamePatterns(everything=True)


@cache
def _rsa(bits: int) -> RSAPrivateKey:
    return generate_private_key(65537, bits)


def _pem(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _der(key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


ED25519 = Ed25519PrivateKey.from_private_bytes(b"a test key of thirty-two bytes!!")
SECRET = 'test secret of bot-hmac: <&> "é" \\ 😀'
TOKEN_SECRET = "test secret of mini-app, long enough for HS256"
HMAC = HmacKey("vs_test_hmac", SECRET)
RSA = RsaKey("vs_test_rsa", _pem(_rsa(2048)))
EDWARDS = Ed25519Key("vs_test_ed25519", _pem(ED25519))
OPEN_API = OpenApiKey("vs_test_open_api", TOKEN_SECRET)
PARTNER = RsaKey("", _pem(_rsa(1024)))
SIGNED_REQUEST_KEYS: dict[str, SigningKey] = {"hmac": HMAC, "rsa": RSA, "ed25519": EDWARDS}

JSON_ESCAPES = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})


class Vault:
    """Keeps secrets as Vault does, and notes what it is asked and when its connections end."""

    def __init__(self) -> None:
        self.fields: dict[str, dict[str, object]] = {
            PATHS["desk"]: {"private_key": KEY},
            PATHS["bot"]: {"secret": SECRET},
            "/v1/secret/data/clients/bot-open_api": {"secret": TOKEN_SECRET},
        }
        self.asked: list[str] = []
        self.answered: list[str] = []
        self.aborted: list[str] = []
        """What was last asked on each connection that has ended."""
        self._conversations: dict[str, Conversation] = {}
        self.instead: dict[str, bytes] = {}
        """Raw answers by path, `*` for all."""
        self.token: bytes | None = None
        """The only one that is good; None: any is."""
        self._held: dict[str, asyncio.Event] = {}

    async def converse(self, conversation: Conversation) -> None:
        """Serve one connection."""
        last = ""
        try:
            while True:
                request = await conversation.request()
                path = request.split(b" ")[1].decode()
                self.asked.append(path)
                last = path
                self._conversations[path] = conversation
                if path in self._held:
                    await self._held[path].wait()
                await conversation.send(self._answer(path, request))
                self.answered.append(path)
        finally:
            self.aborted.append(last)

    @contextmanager
    def holding_back(self, *paths: str) -> Iterator[None]:
        """What is asked for these is answered when the block is over."""
        over = asyncio.Event()
        self._held = dict.fromkeys(paths, over)
        try:
            yield
        finally:
            self._held = {}
            over.set()

    def hang_up(self, path: str) -> None:
        """End the connection on which this was last asked."""
        self._conversations[path].reset()

    def _answer(self, path: str, request: bytes) -> bytes:
        """As Vault has it, escapes included."""
        instead = self.instead.get(path, self.instead.get("*"))
        if instead is not None:
            return instead
        if self.token is not None and b"X-Vault-Token: %s\r\n" % self.token not in request:
            return answer(b'{"errors":["permission denied"]}', b"403 Forbidden")
        if path not in self.fields:
            return answer(b'{"errors":[]}', b"404 Not Found")
        body = {"request_id": "r-1", "data": {"data": self.fields[path], "metadata": {}}}
        return answer(json.dumps(body, ensure_ascii=False).translate(JSON_ESCAPES).encode())


@dataclass
class Proving:
    """Everything at hand."""

    vault: Vault
    custody: Custody
    now_ms: int = NOW
    _numbers: list[int] = field(default_factory=list)

    def request(
        self,
        call: SignedCall,
        operation: str = "freeze.sign",
        family: Any = "client",
        credential: str | None = None,
    ) -> AuthenticateRequest:
        """The server's question about a call."""
        return AuthenticateRequest(
            request_id=RequestId("r-1"),
            family=family,
            credential=call.headers.get("X-MBX-APIKEY", "") if credential is None else credential,
            operation=Operation(operation),
            method=call.method,
            path=call.path,
            query=call.query.encode(),
            body=call.body,
            ip=IP,
        )

    def call(
        self,
        key: SigningKey = HMAC,
        body: object = BODY,
        *,
        parameters: str = "",
        timestamp_ms: int | None = None,
        recv_window: int | None = None,
    ) -> SignedCall:
        """A signed call, fresh each time: no two have one signature unless the timestamp is given."""
        if timestamp_ms is None:
            self._numbers.append(0)
            timestamp_ms = self.now_ms - len(self._numbers) % 4000
        window = "" if recv_window is None else f"recvWindow={recv_window}&"
        query = f"{parameters}{window}timestamp={timestamp_ms}"
        raw = b"" if body is None else json.dumps(body).encode()
        return sign_text(key, SignedCall("POST", "/api/freeze/sign", query, {}, raw))

    def token_request(
        self, body: object = BODY, *, ts: int | None = None, key: OpenApiKey = OPEN_API
    ) -> AuthenticateRequest:
        """The server's question about a call with an Open API token."""
        raw, path = json.dumps(body).encode(), "/api/freeze/sign"
        token = open_api_token(key, "POST", path, "", raw, ts=self.now_ms // 1000 if ts is None else ts)
        return self.request(SignedCall("POST", path, "", {}, raw), family="open_api", credential=token)

    async def prove(self, request: AuthenticateRequest) -> Proof | Refusal:
        """Custody's verdict."""
        verdict = await self.custody.proofs.authenticate(request)
        return verdict if isinstance(verdict, Proof) else verdict.refusal

    async def proved(self, request: AuthenticateRequest) -> Proof:
        """A verdict that must be good."""
        proof = await self.prove(request)
        assert isinstance(proof, Proof), proof
        return proof

    async def refused(self, request: AuthenticateRequest) -> str | None:
        """Why a verdict is bad, for the record."""
        refusal = await self.prove(request)
        assert isinstance(refusal, Refusal), refusal
        return refusal.reason

    def sign_request(
        self, proof: Proof, body: dict[str, Any] = BODY, operation: str = "freeze.sign", **changes: Any
    ) -> SignBeaconRequest:
        """What an honest server asks for then; `changes` make another of it."""
        meant = read_request(operation.partition(".")[0], parse(json.dumps(body).encode()), "tbnb")
        assert isinstance(meant, RequestBody)
        honest = SignBeaconRequest(
            request_id=RequestId("r-1"),
            principal=Principal("client", str(proof.client), proof.scheme),
            access_token=None,
            ticket=proof.ticket,
            operation=Operation(operation),
            wallet=WalletName(body["wallet_name"]),
            message_document=message_to_document(meant.message, "tbnb"),
            memo=meant.memo,
            account_number=1,
            sequence=0,
            ip=IP,
            policy=self.custody.policies.current.digest,
        )
        return replace(honest, **changes)

    async def sign(self, proof: Proof, *arguments: Any, **changes: Any) -> BeaconSignature:
        """What comes of it."""
        return await self.custody.signer.sign(self.sign_request(proof, *arguments, **changes))


def _client(name: str, api_key: str, scheme: ClientScheme, **key: Any) -> Client:
    permissions = {DESK: frozenset({Permission.FREEZE, Permission.TRANSFER}), RESERVE: frozenset(Permission)}
    return Client(ClientName(name), ApiKey(api_key), scheme, permissions, **key)


def clients() -> dict[ClientName, Client]:
    """One of each scheme; bot-hmac is the first."""
    found = (
        _client("bot-hmac", HMAC.api_key, "hmac", secret=KvReference("secret", "clients/bot-hmac", "secret")),
        _client("bot-rsa", RSA.api_key, "rsa", public_key=_der(_rsa(2048))),
        _client("bot-ed25519", EDWARDS.api_key, "ed25519", public_key=_der(ED25519)),
        _client(
            "bot-open_api",
            OPEN_API.access_key_id,
            "open_api",
            secret=KvReference("secret", "clients/bot-open_api", "secret"),
        ),
    )
    return {client.name: client for client in found}


def settings(directory: Path, vault: VaultSettings) -> Settings:
    """A desk that may do everything, and a reserve that policy keeps shut."""
    anywhere = ListenAddress("127.0.0.1", 1)
    wallets = [
        Wallet(
            name,
            KvReference("secret", f"wallets/{name}", "private_key"),
            "private_key",
            TESTNET,
            None,
            frozenset(Permission),
        )
        for name in (DESK, RESERVE)
    ]
    return Settings(
        source=directory / "config.yml",
        server=ServerSettings(anywhere, anywhere, ()),
        vault=vault,
        access_token_expiry_minutes=60,
        access_token_key=TransitReference("transit", "access-tokens"),
        state_url="sqlite:///x",
        audit=AuditSettings(directory, None, 1000),
        policies=directory,
        environments={"TESTNET": TESTNET},
        wallets={wallet.name: wallet for wallet in wallets},
        users={},
        clients=clients(),
        partner=Partner("/web3", _der(_rsa(1024)), 1024, {}),
    )


POLICIES = PolicySet(
    "sha256:test",
    (
        Rule("all", "allow", EVERYBODY, EVERYBODY, frozenset(OPERATIONS)),
        Rule(
            "shut",
            "deny",
            EVERYBODY,
            NamePatterns(names=frozenset({"wallet:reserve"})),
            frozenset(OPERATIONS),
        ),
    ),
)


@asynccontextmanager
async def proving(
    directory: Path,
    *,
    tls: ssl.SSLContext | None = None,
    ca_cert: Path | None = None,
    change: Callable[[Settings], Settings] = lambda settings: settings,
    policies: PolicySet = POLICIES,
) -> AsyncIterator[Proving]:
    """Custody on a Vault of its own; `change` makes other settings of the usual ones, whose policy directory is this one."""
    vault = Vault()
    async with fake_vault(vault.converse, directory, tls=tls, ca_cert=ca_cert) as fake:
        token_file = directory / "token"
        usual = settings(directory, VaultSettings(fake.address, TokenFileAuth(token_file), ca_cert=ca_cert))
        custody = build(change(usual), policies, VaultToken(None, token_file), lambda: at_hand.now_ms)
        at_hand = Proving(vault, custody)
        try:
            yield at_hand
        finally:
            custody.pool.close()
