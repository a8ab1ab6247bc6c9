"""The table of the questions that custody answers. What is not in it cannot be asked.

Each answer begins by reading its payload strictly; see `question_payloads`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from vaultsigner.config.settings import Settings
from vaultsigner.custody.admission import Admission
from vaultsigner.custody.beacon_signing import BeaconSigner
from vaultsigner.custody.checkpoint_payloads import read_sign_checkpoint
from vaultsigner.custody.checkpoint_protocol import ProofNeeded
from vaultsigner.custody.checkpoint_signing import CheckpointSigner
from vaultsigner.custody.exchange_payloads import read_sign_exchange
from vaultsigner.custody.exchange_signing import ExchangeSigner
from vaultsigner.custody.frames import QuestionCode
from vaultsigner.custody.log_in import LogIn
from vaultsigner.custody.metrics_of_custody import measured
from vaultsigner.custody.open_api import OpenApi
from vaultsigner.custody.open_api_payloads import read_open_api_decrypt, read_open_api_token
from vaultsigner.custody.policy_sets import PolicySets
from vaultsigner.custody.protocol import CustodyHealth, Proof, VaultState, certificate_of_log_in
from vaultsigner.custody.question_payloads import (
    read_authenticate,
    read_find_keys,
    read_name,
    read_nothing,
    read_sign_beacon,
)
from vaultsigner.custody.request_proofs import RequestProofs
from vaultsigner.custody.vault.calls import check_reachable, ed25519_keys
from vaultsigner.custody.vault.key_presence import KeyFinder
from vaultsigner.custody.vault.metrics import MeasuredPool
from vaultsigner.custody.vault.reader import VaultReader
from vaultsigner.custody.vault_token.token_source import Keeper
from vaultsigner.domain.names import ClientName, ExchangeName, JsonValue, WalletName
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError

Answer = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Custody:
    """Everything that answers are made of."""

    settings: Settings
    policies: PolicySets
    pool: MeasuredPool
    reader: VaultReader
    admission: Admission
    signer: BeaconSigner
    exchange_signer: ExchangeSigner
    open_api: OpenApi
    proofs: RequestProofs
    log_in: LogIn
    checkpoints: CheckpointSigner
    token_keeper: Keeper
    key_finder: KeyFinder


async def _public_key(custody: Custody, payload: bytearray) -> Answer:
    return (await custody.signer.public_key(WalletName(read_name(payload, "wallet")))).document()


async def _sign_beacon(custody: Custody, payload: bytearray) -> Answer:
    return (await custody.signer.sign(read_sign_beacon(payload))).document()


async def _sign_exchange(custody: Custody, payload: bytearray) -> Answer:
    return (await custody.exchange_signer.sign(read_sign_exchange(payload))).document()


async def _check_exchange(custody: Custody, payload: bytearray) -> Answer:
    name = ExchangeName(read_name(payload, "exchange"))
    return {"exportable": await custody.exchange_signer.check(name)}


async def _open_api_token(custody: Custody, payload: bytearray) -> Answer:
    return (await custody.open_api.token(read_open_api_token(payload))).document()


async def _open_api_decrypt(custody: Custody, payload: bytearray) -> Answer:
    answer = await custody.open_api.decrypt(read_open_api_decrypt(payload))
    return {"refusal": asdict(answer)} if isinstance(answer, Refusal) else answer.document()


async def _check_open_api(custody: Custody, payload: bytearray) -> Answer:
    await custody.open_api.check(read_name(payload, "app"))
    return {}


async def _authenticate(custody: Custody, payload: bytearray) -> Answer:
    verdict = await custody.proofs.authenticate(read_authenticate(payload))
    return {"proof": verdict.document()} if isinstance(verdict, Proof) else asdict(verdict)


async def _check_client(custody: Custody, payload: bytearray) -> Answer:
    await custody.proofs.check_client(ClientName(read_name(payload, "client")))
    return {}


async def _log_in(custody: Custody, payload: bytearray) -> Answer:
    answer = await custody.log_in.answer(payload)
    return asdict(answer)


async def _log_in_with_certificate(custody: Custody, payload: bytearray) -> Answer:
    certificate = certificate_of_log_in(payload)
    return asdict(await custody.log_in.answer(payload, certificate))


async def _access_token_keys(custody: Custody, payload: bytearray) -> Answer:
    read_nothing(payload)
    keys = await ed25519_keys(custody.pool, custody.settings.access_token_key)
    return {"keys": {version: key.hex() for version, key in keys.items()}}


async def _sign_checkpoint(custody: Custody, payload: bytearray) -> Answer:
    answer = await custody.checkpoints.sign(read_sign_checkpoint(payload))
    if isinstance(answer, ProofNeeded):
        return {"proof_from": answer.size}
    return {"note": str(answer.signed), "vault_request_id": answer.vault_request_id}


async def _checkpoint_keys(custody: Custody, payload: bytearray) -> Answer:
    read_nothing(payload)
    return {"keys": [str(key) for key in await custody.checkpoints.keys()]}


async def _load_policies(custody: Custody, payload: bytearray) -> Answer:
    await custody.policies.load(read_name(payload, "policy"))
    return {}


async def _health(custody: Custody, payload: bytearray) -> Answer:
    read_nothing(payload)
    state, problem = await _vault_state(custody)
    health = CustodyHealth(
        vault=state,
        vault_problem=problem,
        token_ttl_seconds=custody.token_keeper.ttl_seconds,
        policy=custody.policies.current.digest,
        vault_reads=custody.reader.reads,
    )
    return asdict(health)


async def _metrics(custody: Custody, payload: bytearray) -> Answer:
    read_nothing(payload)
    return measured(custody.pool, custody.reader, custody.token_keeper).document()


async def _find_keys(custody: Custody, payload: bytearray) -> Answer:
    return asdict(await custody.key_finder.find(*read_find_keys(payload)))


QUESTIONS: Mapping[int, Callable[[Custody, bytearray], Awaitable[Answer]]] = MappingProxyType(
    {
        QuestionCode.PUBLIC_KEY: _public_key,
        QuestionCode.SIGN_BEACON: _sign_beacon,
        QuestionCode.LOG_IN: _log_in,
        QuestionCode.LOG_IN_WITH_CERTIFICATE: _log_in_with_certificate,
        QuestionCode.ACCESS_TOKEN_KEYS: _access_token_keys,
        QuestionCode.HEALTH: _health,
        QuestionCode.AUTHENTICATE: _authenticate,
        QuestionCode.CHECK_CLIENT: _check_client,
        QuestionCode.LOAD_POLICIES: _load_policies,
        QuestionCode.SIGN_EXCHANGE: _sign_exchange,
        QuestionCode.OPEN_API_TOKEN: _open_api_token,
        QuestionCode.OPEN_API_DECRYPT: _open_api_decrypt,
        QuestionCode.CHECK_EXCHANGE: _check_exchange,
        QuestionCode.CHECK_OPEN_API: _check_open_api,
        QuestionCode.SIGN_CHECKPOINT: _sign_checkpoint,
        QuestionCode.CHECKPOINT_KEYS: _checkpoint_keys,
        QuestionCode.METRICS: _metrics,
        QuestionCode.FIND_KEYS: _find_keys,
    }
)


async def _vault_state(custody: Custody) -> tuple[VaultState, str | None]:
    try:
        await check_reachable(custody.pool)
    except CustodyError as error:
        return "sealed" if error.code == "vault_sealed" else "unavailable", str(error)
    problem = custody.token_keeper.problem
    return ("ok", None) if problem is None else ("denied", problem)
