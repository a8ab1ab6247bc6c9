"""From a call to a request that may be decided on: who asks, what it means, and the outer fence of permissions."""

from dataclasses import dataclass

from vaultsigner.config.settings import Wallet
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE, Permission
from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.targets import Target
from vaultsigner.formats.bnb_beacon.field_errors import FieldError
from vaultsigner.formats.bnb_beacon.messages import Message, intent_items, message_to_document
from vaultsigner.formats.bnb_beacon.request_body import RequestBody, read_request
from vaultsigner.policy.permissions import refuse_by_permission
from vaultsigner.signing.authenticator import Authenticator
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.requests import Request
from vaultsigner.signing.trail import Trail
from vaultsigner.signing.wallets import WalletDirectory, refuse_by_address
from vaultsigner.strict_json import JsonDocument, MalformedJsonError, parse

NO_WALLET_NAME = Refusal(
    "missing_wallet_name",
    'Expecting wallet_name parameter in the JSON body: {"wallet_name": "...", "msg": {...}}',
    detail="Expecting wallet_name parameter",
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A caller and the wallet meant, past the whitelist, with the parsed body."""

    trail: Trail
    caller: Caller
    wallet: Wallet
    document: JsonDocument


@dataclass(frozen=True, slots=True)
class WalletRequest(Request):
    """A request for a signature with a wallet's key."""

    wallet: Wallet
    message: Message
    message_document: dict[str, JsonValue]
    memo: str


class Admission:
    """Takes the steps in the order that reveals nothing to strangers: who asks first, then the body, then the wallet."""

    def __init__(self, authenticator: Authenticator, wallets: WalletDirectory) -> None:
        self._authenticator = authenticator
        self._wallets = wallets

    async def wallet(self, trail: Trail) -> Admitted | Refusal:
        """Who asks, and which wallet they mean.

        Raises:
            CustodyError, StateError: that cannot be found out now.
        """
        caller = await self._authenticator.caller(trail)
        if isinstance(caller, Refusal):
            return caller
        try:
            document = parse(trail.call.body)
        except MalformedJsonError as error:
            # The parser's words name a place in the body, never what stands there.
            return Refusal(
                "malformed_body",
                f"There was an error parsing the body: {error}",
                detail="There was an error parsing the body",
                reason=str(error),
            )
        name = _wallet_name(document)
        if name is None:
            return NO_WALLET_NAME
        wallet = self._wallets.find(name, caller, trail)
        if isinstance(wallet, Refusal):
            return wallet
        return refuse_by_address(wallet, trail.call.ip) or Admitted(trail, caller, wallet, document)

    async def request(self, trail: Trail) -> WalletRequest | Refusal:
        """The whole way: what the body means, and whether the permissions of wallet and caller cover it.

        Raises:
            CustodyError, StateError: who asks cannot be found out now.
        """
        admitted = await self.wallet(trail)
        if isinstance(admitted, Refusal):
            return admitted
        kind = trail.call.operation.partition(".")[0]
        wallet = admitted.wallet
        body = read_request(kind, admitted.document, wallet.environment.address_prefix)
        if not isinstance(body, RequestBody):
            return Refusal(
                "invalid_fields",
                f"{_told(body[0])}" + (f"; and {len(body) - 1} more, see detail" if len(body) > 1 else ""),
                detail=[error.as_detail() for error in body],
                reason="; ".join(f"{error.loc[-1]}: {error.type}" for error in body[:8]),
            )
        trail.unknown_members = body.unknown_members
        denied = refuse_without_permission(admitted, PERMISSION_FOR_MESSAGE[kind])
        return denied or _request(admitted, body)


def refuse_without_permission(admitted: Admitted, needed: Permission) -> Refusal | None:
    """The outer fence, in the old service's words; None means inside it."""
    words = refuse_by_permission(admitted.wallet, admitted.caller.account, needed)
    return None if words is None else Refusal("no_permission", words)


def _request(admitted: Admitted, body: RequestBody) -> WalletRequest:
    prefix = admitted.wallet.environment.address_prefix
    wallet, operation = admitted.wallet, admitted.trail.operation
    items = intent_items(body.message, prefix)
    return WalletRequest(
        trail=admitted.trail,
        caller=admitted.caller,
        intent=Intent(operation, str(Target("wallet", wallet.name)), items, body.memo),
        target=Target("wallet", wallet.name),
        wallet=wallet,
        message=body.message,
        message_document=message_to_document(body.message, prefix),
        memo=body.memo,
    )


def _told(error: FieldError) -> str:
    """`msg.price: ensure this value is greater than 0`."""
    return f"{'.'.join(str(part) for part in error.loc[2:]) or 'body'}: {error.msg}"


def _wallet_name(document: JsonDocument) -> str | None:
    """Text, or a number as its own characters, as the old service took it; anything else is no name."""
    name = document.get("wallet_name") if isinstance(document, dict) else None
    return name if isinstance(name, str) and name else None
