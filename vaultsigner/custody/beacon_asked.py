"""What a request asks custody to sign for a wallet, and whether it may be: found out from the caller's own words. Pure."""

import hashlib
import json
from dataclasses import dataclass

from vaultsigner.config.settings import Client, KvReference, Settings, User, Wallet
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation, WalletName
from vaultsigner.domain.paths import VERBS
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE
from vaultsigner.domain.principals import Principal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.bnb_beacon.messages import Message, intent_items, message_kind, message_to_document
from vaultsigner.formats.bnb_beacon.request_body import RequestBody, read_request
from vaultsigner.policy import PolicySet
from vaultsigner.policy.permissions import refuse_by_permission
from vaultsigner.strict_json import MalformedJsonError, parse


@dataclass(frozen=True, slots=True)
class BeaconAsked:
    """One message to sign with one wallet's key; see `asked_for.Asked`.

    Args:
        operation: `<message kind>.<sign|broadcast>`, the kind being that of the message.
        source: which program asks, as the chain notes it; callers who sign their requests cannot say it.
    """

    operation: Operation
    wallet: Wallet
    message: Message
    memo: str
    source: int = 0

    @property
    def digest(self) -> bytes:
        """See `asked_for.Asked`."""
        document = message_to_document(self.message, self.wallet.environment.address_prefix)
        parts = [self.operation, self.wallet.name, self.memo, document, self.source]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).digest()

    @property
    def key(self) -> KvReference:
        """See `asked_for.Asked`."""
        return self.wallet.key

    def fits_its_operation(self) -> bool:
        """Whether the operation is one of this kind of message."""
        return self.operation in {f"{message_kind(self.message)}.{verb}" for verb in VERBS}

    def check_allowed(
        self,
        policies: PolicySet,
        account: User | Client,
        principal: Principal,
        circumstances: Circumstances,
    ) -> None:
        """See `asked_for.Asked`."""
        wallet = self.wallet
        needed = PERMISSION_FOR_MESSAGE[message_kind(self.message)]
        refused = refuse_by_permission(wallet, account, needed)
        if refused is not None:
            raise CustodyError("no_permission", refused)
        items = intent_items(self.message, wallet.environment.address_prefix)
        intent = Intent(self.operation, f"wallet:{wallet.name}", items, self.memo)
        decision = policies.evaluate(principal, intent, circumstances)
        if not decision.allowed:
            raise CustodyError("policy_denied", decision.reason)


def read_beacon_asked(settings: Settings, operation: Operation, body: bytes) -> BeaconAsked | None:
    """What the body of a request to sign or broadcast asks for; None where it asks for nothing that can be signed."""
    kind, _, verb = operation.partition(".")
    if kind not in PERMISSION_FOR_MESSAGE or verb not in VERBS:
        return None
    try:
        document = parse(body)
    except MalformedJsonError:
        return None
    name = document.get("wallet_name") if isinstance(document, dict) else None
    wallet = settings.wallets.get(WalletName(name)) if isinstance(name, str) else None
    if wallet is None:
        return None
    request = read_request(kind, document, wallet.environment.address_prefix)
    if not isinstance(request, RequestBody):
        return None
    return BeaconAsked(operation, wallet, request.message, request.memo)
