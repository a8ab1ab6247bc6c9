"""The table of the questions that custody answers. What is not in it cannot be asked.

Each answer begins by reading its payload strictly: exactly the members it needs, each of its type.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import cast

from vaultsigner.config.settings import Settings
from vaultsigner.custody.beacon_signing import BeaconSigner
from vaultsigner.custody.frames import QuestionCode
from vaultsigner.custody.log_in import LogIn
from vaultsigner.custody.protocol import CustodyHealth, SignBeaconRequest, VaultState
from vaultsigner.custody.token_keeper import TokenKeeper
from vaultsigner.custody.vault_calls import access_token_keys, check_reachable
from vaultsigner.custody.vault_pool import VaultPool
from vaultsigner.custody.vault_reader import VaultReader
from vaultsigner.domain.names import JsonValue, Operation, RequestId, WalletName
from vaultsigner.domain.principals import Principal, PrincipalKind
from vaultsigner.errors import CustodyError
from vaultsigner.policy import PolicySet
from vaultsigner.strict_json import JsonDocument, JsonNumber, MalformedJsonError, parse

Answer = Mapping[str, JsonValue]
_INT64_MAX = 2**63 - 1
_INT64_DIGITS = len(str(_INT64_MAX))
_SIGN_BEACON_MEMBERS = {
    *("request_id", "principal", "access_token", "ticket", "operation", "wallet"),
    *("message", "memo", "account_number", "sequence", "source"),
}


@dataclass(frozen=True, slots=True)
class Custody:
    """Everything that answers are made of."""

    settings: Settings
    policies: PolicySet
    pool: VaultPool
    reader: VaultReader
    signer: BeaconSigner
    log_in: LogIn
    token_keeper: TokenKeeper


async def _public_key(custody: Custody, payload: bytearray) -> Answer:
    members = _members(payload, {"wallet"})
    return (await custody.signer.public_key(WalletName(_text(members["wallet"])))).document()


async def _sign_beacon(custody: Custody, payload: bytearray) -> Answer:
    return (await custody.signer.sign(_sign_beacon_request(payload))).document()


async def _log_in(custody: Custody, payload: bytearray) -> Answer:
    answer = await custody.log_in.answer(payload)
    return asdict(answer)


async def _access_token_keys(custody: Custody, payload: bytearray) -> Answer:
    _members(payload, set())
    keys = await access_token_keys(custody.pool, custody.settings.access_token_key)
    return {"keys": {version: key.hex() for version, key in keys.items()}}


async def _health(custody: Custody, payload: bytearray) -> Answer:
    _members(payload, set())
    state, problem = await _vault_state(custody)
    health = CustodyHealth(
        vault=state,
        vault_problem=problem,
        token_ttl_seconds=custody.token_keeper.ttl_seconds,
        policy=custody.policies.digest,
        vault_reads=custody.reader.reads,
    )
    return asdict(health)


QUESTIONS: Mapping[int, Callable[[Custody, bytearray], Awaitable[Answer]]] = MappingProxyType(
    {
        QuestionCode.PUBLIC_KEY: _public_key,
        QuestionCode.SIGN_BEACON: _sign_beacon,
        QuestionCode.LOG_IN: _log_in,
        QuestionCode.ACCESS_TOKEN_KEYS: _access_token_keys,
        QuestionCode.HEALTH: _health,
    }
)


async def _vault_state(custody: Custody) -> tuple[VaultState, str | None]:
    try:
        await check_reachable(custody.pool)
    except CustodyError as error:
        return "sealed" if error.code == "vault_sealed" else "unavailable", str(error)
    problem = custody.token_keeper.problem
    return ("ok", None) if problem is None else ("denied", problem)


def _sign_beacon_request(payload: bytearray) -> SignBeaconRequest:
    members = _members(payload, _SIGN_BEACON_MEMBERS)
    if (members["access_token"] is None) == (members["ticket"] is None):
        raise _bad("it needs an access token or a ticket, and not both")
    return SignBeaconRequest(
        request_id=RequestId(_text(members["request_id"])),
        principal=_principal(members["principal"]),
        access_token=_optional_text(members["access_token"]),
        ticket=_optional_text(members["ticket"]),
        operation=Operation(_text(members["operation"])),
        wallet=WalletName(_text(members["wallet"])),
        # Numbers in it are still their own characters; `message_from_document` reads those too.
        message_document=cast(dict[str, JsonValue], members["message"]),
        memo=_text(members["memo"]),
        account_number=_counter(members["account_number"]),
        sequence=_counter(members["sequence"]),
        source=_counter(members["source"]),
    )


def _principal(value: JsonDocument) -> Principal:
    if not isinstance(value, dict) or value.keys() != {"kind", "name"}:
        raise _bad("its principal is not one")
    kind = value["kind"]
    if kind not in ("user", "client"):
        raise _bad("its principal is of an unknown kind")
    return Principal(cast(PrincipalKind, kind), _text(value["name"]))


def _members(payload: bytearray, names: set[str]) -> dict[str, JsonDocument]:
    try:
        document = parse(bytes(payload))
    except MalformedJsonError as error:
        raise _bad(f"it is not JSON ({error})") from None
    if not isinstance(document, dict) or document.keys() != names:
        raise _bad("its members are not exactly those it should have")
    return document


def _text(value: JsonDocument) -> str:
    if not isinstance(value, str) or isinstance(value, JsonNumber):
        raise _bad("a text in it is of another type")
    return value


def _optional_text(value: JsonDocument) -> str | None:
    return None if value is None else _text(value)


def _counter(value: JsonDocument) -> int:
    if isinstance(value, JsonNumber) and len(value) <= _INT64_DIGITS and value.isascii() and value.isdigit():
        number = int(value)
        if number <= _INT64_MAX:
            return number
    raise _bad("a number in it is not a whole number from 0 to 2^63-1")


def _bad(why: str) -> CustodyError:
    return CustodyError("bad_question", f"custody cannot make sense of the question: {why}")
