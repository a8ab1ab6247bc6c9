"""One example answer for every refusal code, for the OpenAPI document: what people will see, word for word where it is fixed."""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.audit.searching.query_client import QueryError
from vaultsigner.authentication.bearer import NOT_AUTHENTICATED, invalid_token
from vaultsigner.authentication.signed_requests import authentication_failed, malformed_parameters
from vaultsigner.domain.names import JsonValue, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import AuditError, CustodyError, StateError
from vaultsigner.server import edge, received
from vaultsigner.server.answers import error_body
from vaultsigner.server.bodies import BODY_TOO_LARGE, READ_TOO_SLOW
from vaultsigner.server.downloads import BUSY
from vaultsigner.server.examples import TRANSACTION_HASH, WALLET_ADDRESS
from vaultsigner.signing import approval_refusals, auditing, suspensions
from vaultsigner.signing.admission import NO_WALLET_NAME
from vaultsigner.signing.exchange_admission import NO_SUCH_EXCHANGE
from vaultsigner.signing.exchange_answers import not_sent
from vaultsigner.signing.failures import refusal_for
from vaultsigner.signing.open_api_admission import NO_SUCH_APP
from vaultsigner.state import ApprovalRefused

REQUEST_ID = RequestId("01KAJ0Y7W8F0N6Q3VZ2M5T9XBC")
_NOT_POSITIVE: list[JsonValue] = [
    {
        "loc": ["body", "transfer", "msg", "amount"],
        "msg": "ensure this value is greater than 0",
        "type": "value_error.number.not_gt",
        "ctx": {"limit_value": 0},
    }
]
_CUSTODY_CODES = (
    *("custody_unavailable", "vault_unavailable", "vault_sealed", "vault_denied"),
    *("key_missing", "key_malformed", "wrong_key", "policy_mismatch", "retry_refused"),
)

_EXAMPLES: tuple[Refusal, ...] = (
    Refusal(
        "malformed_body",
        "There was an error parsing the body: the body is not JSON: Expecting value at line 1, column 12",
        detail="There was an error parsing the body",
    ),
    received.twice("Authorization"),
    malformed_parameters("The signature must be the last parameter"),
    NO_WALLET_NAME,
    Refusal(
        "bad_credentials",
        "Incorrect email or password: the user name or the password is wrong",
        detail='{"error": "Incorrect email or password"}',
    ),
    Refusal(
        "decryption_failed",
        "This cannot be decrypted: it is not base64url, not encrypted for this app's key, or no text is in it",
    ),
    NOT_AUTHENTICATED,
    authentication_failed("not told to callers"),
    invalid_token("not told to callers"),
    Refusal(
        "address_not_allowed",
        "Access denied 10.0.0.7: the wallet's ip_whitelist does not name this address",
        detail="Access denied 10.0.0.7",
    ),
    Refusal("no_permission", "User has no permission trade on wallet wallet_1"),
    Refusal("policy_denied", "Policy does not allow transfer.sign here: no rule matches"),
    approval_refusals.not_granted(ApprovalRefused.OPEN),
    suspensions.suspended("wallet", "wallet_1"),
    suspensions.UNKNOWN,
    NO_SUCH_EXCHANGE,
    NO_SUCH_APP,
    approval_refusals.NOT_FOUND,
    Refusal("approval_closed", "This approval is decided already"),
    Refusal("wallet_not_found", "Not authorised to access wallet wallet_9"),
    edge.NOT_FOUND,
    edge.LIBRARY_REFUSALS["method_not_allowed"],
    edge.LIBRARY_REFUSALS["expectation_failed"],
    READ_TOO_SLOW,
    Refusal(
        "account_not_found", f"the chain has no account for {WALLET_ADDRESS} yet; send it some coins first"
    ),
    Refusal(
        "sequence_held",
        f"sequence 7 is held by transaction {TRANSACTION_HASH} whose outcome is not known; send the same request again, "
        "or ask POST /api/wallet/resync to settle it",
    ),
    Refusal("replayed", "This request was here before: each signature counts once; make a new one"),
    Refusal("wallet_busy", f"a broadcast for {WALLET_ADDRESS} is under way; try again"),
    BODY_TOO_LARGE,
    received.ENCODED_BODY,
    Refusal(
        "invalid_fields",
        "msg.amount: ensure this value is greater than 0",
        detail=_NOT_POSITIVE,
    ),
    Refusal(
        "limit_exceeded",
        "Over a limit of policy: rule desk-trades allows 60 requests every 60 s per principal. 0 is left, and this would use 1; "
        "try again in 12 s",
        retry_after_seconds=12,
    ),
    Refusal("rate_limited", "Too many requests: try again in 3 seconds", retry_after_seconds=3),
    edge.INTERNAL_ERROR,
    Refusal("node_refused", "the node refused the transaction: insufficient balance"),
    Refusal("node_unavailable", "the node cannot be reached; nothing was sent"),
    not_sent("not told to callers"),
    Refusal("open_api_unavailable", "The Open API gave no usable answer: try again with a new data token"),
    Refusal("open_api_refused", "The Open API refuses: 000005 invalid timestamp"),
    Refusal(
        "outcome_unknown",
        f"transaction {TRANSACTION_HASH} was sent, but whether the node took it is not known",
    ),
    *(refusal_for(CustodyError(code, "not told to callers")) for code in _CUSTODY_CODES),
    refusal_for(StateError()),
    refusal_for(AuditError()),
    auditing.NO_SUCH_RECORD,
    refusal_for(QueryError("That took longer than 30 s: narrow the time that you look at")),
    BUSY,
)

ERROR_EXAMPLES: Mapping[str, dict[str, JsonValue]] = MappingProxyType(
    {refusal.code: error_body(refusal, REQUEST_ID) for refusal in _EXAMPLES}
)
