"""One signature: asked of custody, checked, and put into the transaction that it belongs to."""

import hashlib
from dataclasses import dataclass

from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import PublicKeyAnswer, SignBeaconRequest
from vaultsigner.domain.decisions import Decision
from vaultsigner.errors import CustodyError
from vaultsigner.formats.bnb_beacon.address import decode_address
from vaultsigner.formats.bnb_beacon.transaction import Account as SigningAccount
from vaultsigner.formats.bnb_beacon.transaction import encode_transaction, sign_document, transaction_hash
from vaultsigner.signing.admission import WalletRequest
from vaultsigner.signing.verification import signature_is_valid


@dataclass(frozen=True, slots=True)
class Signed:
    """A verified, signed transaction, and what the record says of it."""

    transaction: bytes
    transaction_hash: str
    sequence: int
    sign_bytes_sha256: str
    vault_request_id: str


class Signer:
    """Custody's answer is not taken on trust: the signature must fit our own encoding and the wallet's own key."""

    def __init__(self, custody: CustodyClient) -> None:
        self._custody = custody

    async def sign(
        self,
        request: WalletRequest,
        decision: Decision,
        key: PublicKeyAnswer,
        account_number: int,
        sequence: int,
    ) -> Signed:
        """Have custody sign the request at this sequence number, under the policy set that decided it.

        Raises:
            CustodyError: custody refused, Vault could not be used, or the signature does not verify.
        """
        environment = request.wallet.environment
        answer = await self._custody.sign_beacon(
            SignBeaconRequest(
                request_id=request.call.request_id,
                principal=request.principal,
                access_token=request.caller.access_token,
                ticket=None if request.caller.proof is None else request.caller.proof.ticket,
                operation=request.call.operation,
                wallet=request.wallet.name,
                message_document=request.message_document,
                memo=request.memo,
                account_number=account_number,
                sequence=sequence,
                ip=str(request.call.ip),
                policy=decision.policy,
            )
        )
        request.trail.key_used(answer.vault_request_id)
        account = SigningAccount(
            decode_address(key.address, environment.address_prefix),
            environment.address_prefix,
            environment.chain_id,
            account_number,
            sequence,
        )
        document = sign_document(request.message, account, request.memo)
        if answer.public_key != key.public_key:
            raise CustodyError(
                "wrong_key", f"the key behind wallet {request.wallet.name} is not the one it had at first use"
            )
        if not signature_is_valid(key.public_key, document, answer.signature):
            raise CustodyError(
                "internal_error", "the signature that custody made does not verify; it was dropped"
            )
        transaction = encode_transaction(
            request.message, account, request.memo, key.public_key, answer.signature
        )
        return Signed(
            transaction=transaction,
            transaction_hash=transaction_hash(transaction),
            sequence=sequence,
            sign_bytes_sha256=hashlib.sha256(document).hexdigest(),
            vault_request_id=answer.vault_request_id,
        )
