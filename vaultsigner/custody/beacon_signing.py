"""Signing a BNB Beacon Chain message: everything is decided again here, from the typed request alone.

The server may be in an attacker's hands. So custody takes no document and no digest from it: it builds the intent, the decision
and the bytes to sign itself, for the chain of its own configuration. Who asks is `admission`'s to find out.
"""

import hashlib
from functools import partial

from vaultsigner.config.settings import Settings, Wallet
from vaultsigner.custody.admission import Admission
from vaultsigner.custody.beacon_asked import BeaconAsked
from vaultsigner.custody.protocol import BeaconSignature, PublicKeyAnswer, SignBeaconRequest
from vaultsigner.custody.secp256k1 import sign_digest
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.signing_key import SigningKey, key_from_hex, key_from_mnemonic
from vaultsigner.custody.vault.reader import VaultReader
from vaultsigner.domain.names import WalletName
from vaultsigner.errors import CustodyError
from vaultsigner.formats.bnb_beacon.address import address_of, encode_address
from vaultsigner.formats.bnb_beacon.messages import FormatError, message_from_document
from vaultsigner.formats.bnb_beacon.transaction import Account, check_memo, sign_document


class BeaconSigner:
    """Signs what policy allows with the keys of the configuration's wallets."""

    def __init__(self, settings: Settings, reader: VaultReader, admission: Admission) -> None:
        self._settings = settings
        self._reader = reader
        self._admission = admission

    async def public_key(self, name: WalletName) -> PublicKeyAnswer:
        """The public key of a wallet, from the key itself.

        Raises:
            CustodyError: no such wallet, or its key cannot be had or is not the one expected.
        """
        wallet = self._wallet(name)

        def use(secret: SecretView) -> PublicKeyAnswer:
            public_key = _expected_key(wallet, secret).public_key
            return PublicKeyAnswer(public_key, _address_text(wallet, public_key), secret.vault_request_id)

        return await self._reader.with_secret(wallet.key, use)

    async def sign(self, request: SignBeaconRequest) -> BeaconSignature:
        """Sign, if everything that the server should have checked holds here too.

        Raises:
            CustodyError: bad_question, whatever `Admission.admitted` raises, or the key cannot be had or is not the one expected.
        """
        async with self._admission.admitted(request, partial(self._asked, request)) as admitted:
            asked = admitted.asked
            return await admitted.with_secret(asked.wallet.key, partial(_sign, request, asked))

    def _wallet(self, name: WalletName) -> Wallet:
        wallet = self._settings.wallets.get(name)
        if wallet is None:
            raise CustodyError("bad_question", "custody's configuration has no wallet of that name")
        return wallet

    def _asked(self, request: SignBeaconRequest) -> BeaconAsked:
        wallet = self._wallet(request.wallet)
        try:
            message = message_from_document(request.message_document, wallet.environment.address_prefix)
            check_memo(request.memo)
        except FormatError as error:
            raise CustodyError("bad_question", f"not a message that can be signed: {error}") from None
        asked = BeaconAsked(request.operation, wallet, message, request.memo, request.source)
        if not asked.fits_its_operation():
            raise CustodyError("bad_question", "the operation is not the one of the message")
        return asked


def _sign(request: SignBeaconRequest, asked: BeaconAsked, secret: SecretView) -> BeaconSignature:
    """The one moment in which the key is used."""
    wallet = asked.wallet
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
        document = sign_document(asked.message, account, asked.memo, source=request.source)
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
