"""Performs scenes against a running service and checks everything that can be checked from outside."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from vaultsigner.dev.api_client import ApiAnswer, Caller
from vaultsigner.dev.beacon_chain import BeaconChain
from vaultsigner.dev.beacon_rules import check
from vaultsigner.dev.beacon_transactions import DecodedTransaction, decode
from vaultsigner.dev.beacon_wire import Refused
from vaultsigner.dev.records import Record, records_of
from vaultsigner.dev.scenes import Scene
from vaultsigner.errors import VaultsignerError


class DemonstrationError(VaultsignerError):
    """Something is not as it should be."""


@dataclass(frozen=True, slots=True)
class Performed:
    """A scene and everything that can be shown of it.

    Args:
        signed: the answer of the signing route; None for a scene that is to be refused.
        answer: the broadcast's, or the refusal.
        verified: what was checked, in words.
    """

    scene: Scene
    signed: ApiAnswer | None
    answer: ApiAnswer
    transaction: DecodedTransaction | None
    verified: tuple[str, ...]
    records: list[Record]


class Demonstration:
    """The view that a user and a bot have of a service whose node is `chain`."""

    def __init__(self, user: Caller, bot: Caller, chain: BeaconChain, audit_directory: Path) -> None:
        self._user = user
        self._bot = bot
        self._chain = chain
        self._audit_directory = audit_directory

    async def perform(self, scene: Scene) -> Performed:
        """Sign, judge the bytes as the chain would, broadcast, and look the whole of it up in the record.

        Raises:
            DemonstrationError: any part of it is not as it should be.
        """
        caller = self._caller(scene)
        signed = await caller.post(f"{scene.path}/sign", scene.body)
        expect(signed.status == 200, f"{scene.path}/sign answered {signed.status}: {signed.body}")
        data = bytes.fromhex(signed.body["signed_msg"])
        transaction, verified = self._judge(data)
        answer = await caller.post(f"{scene.path}/broadcast", scene.body)
        expect(answer.status == 200, f"{scene.path}/broadcast answered {answer.status}: {answer.body}")
        verified += self._compare_with_chain(data, answer)
        records = recorded(self._audit_directory, signed, ["intent", "outcome"])
        records += recorded(self._audit_directory, answer, ["intent", "outcome", "dispatch"])
        return Performed(scene, signed, answer, transaction, tuple(verified), records)

    async def perform_refused(self, scene: Scene) -> Performed:
        """Ask for something that must be refused, and find the refusal in the record.

        Raises:
            DemonstrationError: it was not refused, or not for that reason.
        """
        before = len(self._chain.received)
        answer = await self._caller(scene).post(f"{scene.path}/broadcast", scene.body)
        expect(answer.status == 403, f"{scene.path}/broadcast answered {answer.status}: {answer.body}")
        expect(answer.body.get("code") == scene.refusal, f"refused with {answer.body}")
        expect(len(self._chain.received) == before, "a refused transaction reached the node")
        kinds = ["request"] if scene.refusal == "no_permission" else ["intent", "outcome"]
        records = recorded(self._audit_directory, answer, kinds)
        return Performed(scene, None, answer, None, ("nothing reached the node",), records)

    def _caller(self, scene: Scene) -> Caller:
        return self._bot if scene.by_bot else self._user

    def _judge(self, data: bytes) -> tuple[DecodedTransaction, list[str]]:
        try:
            transaction = decode(data, self._chain.address_prefix)
            account = self._chain.accounts[transaction.sender]
            check(transaction, self._chain.chain_id, account.account_number, account.sequence)
        except (Refused, KeyError) as error:
            raise DemonstrationError(f"the chain would not take this transaction: {error}") from None
        text = hashlib.sha256(transaction.sign_text(self._chain.chain_id)).hexdigest()
        return transaction, [
            f"the signature covers this message on {self._chain.chain_id} and nothing else (SHA-256 {text[:16]}…)",
            f"the key belongs to {transaction.sender}",
            f"account {account.account_number}, sequence {account.sequence}: the next one, not used before",
        ]

    def _compare_with_chain(self, data: bytes, answer: ApiAnswer) -> list[str]:
        received = self._chain.received[-1]
        expect(received.executed, f"the node refused: {received.refusal}")
        expect(received.hex == data.hex(), "what was broadcast is not what was signed")
        expect(answer.body[0]["hash"] == received.transaction_hash, "the answer names another transaction")
        return [
            f"signed and broadcast bytes are the same; the node took them as {received.transaction_hash[:16]}…"
        ]


def recorded(audit_directory: Path, answer: ApiAnswer, kinds: list[str]) -> list[Record]:
    """What is on the record of a request.

    Args:
        kinds: of the records that there must be, in their order.

    Raises:
        DemonstrationError: there are others.
    """
    records = records_of(audit_directory, answer.request_id)
    found = [record["kind"] for record in records]
    expect(found == kinds, f"the record of {answer.request_id} has {found}, not {kinds}")
    return records


def expect(fact: bool, otherwise: str) -> None:
    """Go on only with what is as it should be.

    Raises:
        DemonstrationError: it is not; says so in these words.
    """
    if not fact:
        raise DemonstrationError(otherwise)
