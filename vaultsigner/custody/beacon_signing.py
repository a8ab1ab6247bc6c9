"""Signing a BNB Beacon Chain message: everything is decided again here, from the typed request alone.

The server may be in an attacker's hands. So custody takes no document and no digest from it: it finds out who asks from their
own access token, and builds the intent, the decision and the bytes to sign itself, for the chain of its own configuration.
"""

import hashlib

from vaultsigner.authentication.bearer import TokenChecker
from vaultsigner.config.settings import Settings, User, Wallet
from vaultsigner.custody.protocol import BeaconSignature, PublicKeyAnswer, SignBeaconRequest
from vaultsigner.custody.secp256k1 import sign_digest
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.signing_key import SigningKey, key_from_hex, key_from_mnemonic
from vaultsigner.custody.vault_reader import VaultReader
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import WalletName
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.bnb_beacon.address import address_of, encode_address
from vaultsigner.formats.bnb_beacon.messages import (
    FormatError,
    Message,
    intent_items,
    message_from_document,
    message_kind,
)
from vaultsigner.formats.bnb_beacon.transaction import Account, check_memo, sign_document
from vaultsigner.policy import PolicySet
from vaultsigner.policy.permissions import refuse_by_permission

VERBS = ("sign", "broadcast")


class BeaconSigner:
    """Signs what policy allows with the keys of the configuration's wallets."""

    def __init__(
        self, settings: Settings, policies: PolicySet, reader: VaultReader, tokens: TokenChecker
    ) -> None:
        self._settings = settings
        self._policies = policies
        self._reader = reader
        self._tokens = tokens

    async def public_key(self, name: WalletName) -> PublicKeyAnswer:
        """The public key of a wallet, from the key itself.

        Raises:
            CustodyError: no such wallet, or its key cannot be had or is not the one expected.
        """
        wallet = self._wallet(name)

        def use(secret: SecretView) -> PublicKeyAnswer:
            public_key = _expected_key(wallet, secret).public_key
            return PublicKeyAnswer(public_key, _address_text(wallet, public_key))

        return await self._reader.with_secret(wallet.key, use)

    async def sign(self, request: SignBeaconRequest) -> BeaconSignature:
        """Sign, if everything that the server should have checked holds here too.

        Raises:
            CustodyError: bad_question, invalid_token, no_permission, policy_denied, or the key cannot be had or is not the
                one expected.
        """
        wallet = self._wallet(request.wallet)
        prefix = wallet.environment.address_prefix
        try:
            message = message_from_document(request.message_document, prefix)
            check_memo(request.memo)
        except FormatError as error:
            raise CustodyError("bad_question", f"not a message that can be signed: {error}") from None
        await self._check_allowed(request, wallet, message)

        def use(secret: SecretView) -> BeaconSignature:
            return _sign(request, wallet, message, secret)

        return await self._reader.with_secret(wallet.key, use)

    def _wallet(self, name: WalletName) -> Wallet:
        wallet = self._settings.wallets.get(name)
        if wallet is None:
            raise CustodyError("bad_question", "custody's configuration has no wallet of that name")
        return wallet

    async def _check_allowed(self, request: SignBeaconRequest, wallet: Wallet, message: Message) -> None:
        kind, _, verb = request.operation.partition(".")
        if verb not in VERBS or kind != message_kind(message):
            raise CustodyError("bad_question", "the operation is not the one of the message")
        user = await self._user(request)
        refused = refuse_by_permission(wallet, user, PERMISSION_FOR_MESSAGE[kind])
        if refused is not None:
            raise CustodyError("no_permission", refused)
        items = intent_items(message, wallet.environment.address_prefix)
        decision = self._policies.evaluate(
            request.principal, Intent(request.operation, f"wallet:{wallet.name}", items, request.memo)
        )
        if not decision.allowed:
            raise CustodyError("policy_denied", decision.reason)

    async def _user(self, request: SignBeaconRequest) -> User:
        """Whose token the request came with. The server's word on who asks is only compared with that."""
        if request.access_token is None:
            raise CustodyError(
                "custody_unavailable", "custody does not know this proof: sign the request anew"
            )
        user = await self._tokens.user(request.access_token)
        if isinstance(user, Refusal):
            raise CustodyError(user.code, user.reason or user.message)
        if request.principal != Principal("user", user.username):
            raise CustodyError(
                "no_permission", "the access token is not the one of the user who is said to ask"
            )
        return user


def _sign(
    request: SignBeaconRequest, wallet: Wallet, message: Message, secret: SecretView
) -> BeaconSignature:
    """The one moment in which the key is used."""
    key = _expected_key(wallet, secret)
    environment = wallet.environment
    try:
        account = Account(
            address_of(key.public_key),
            environment.address_prefix,
            environment.chain_id,
            request.account_number,
            request.sequence,
        )
        document = sign_document(message, account, request.memo, source=request.source)
    except FormatError as error:
        raise CustodyError("bad_question", f"not a message that can be signed: {error}") from None
    digest = hashlib.sha256(document).digest()
    signature = sign_digest(key.scalar, digest)
    return BeaconSignature(signature, key.public_key, digest.hex(), secret.vault_request_id)


def _expected_key(wallet: Wallet, secret: SecretView) -> SigningKey:
    """The wallet's key, once it is sure that it is the wallet's: whoever can write to Vault must not redirect a desk's funds."""
    key = secret.derive(key_from_hex if wallet.key_kind == "private_key" else key_from_mnemonic)
    noted = secret.noted_public_key
    if noted is not None and noted.lower() != key.public_key.hex():
        raise _wrong_key(
            wallet, key, f"the one noted beside it at import is of {_noted_address(wallet, noted)}"
        )
    if wallet.address is not None and wallet.address != _address_text(wallet, key.public_key):
        raise _wrong_key(
            wallet, key, f"config.yml says that the address of wallet {wallet.name} is {wallet.address}"
        )
    return key


def _wrong_key(wallet: Wallet, key: SigningKey, expected: str) -> CustodyError:
    found = _address_text(wallet, key.public_key)
    remedy = f"see who wrote it to Vault; `vaultsigner keys import {wallet.name} --replace` puts the right key back"
    return CustodyError("wrong_key", f"{wallet.key} holds the key of {found}, but {expected}: {remedy}")


def _noted_address(wallet: Wallet, noted: str) -> str:
    try:
        return _address_text(wallet, bytes.fromhex(noted))
    except (ValueError, FormatError):
        return "no readable address"


def _address_text(wallet: Wallet, public_key: bytes) -> str:
    return encode_address(address_of(public_key), wallet.environment.address_prefix)
