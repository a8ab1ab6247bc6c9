"""The Binance Web3 partner endpoints: the time, and which tasks a wallet has completed.

Source: Binance Web3 API Specification V0.0.6 (2024-01-09).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from vaultsigner.authentication.partner_requests import read_partner_request
from vaultsigner.config.settings import Partner, PartnerTask
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.authenticator import Authenticator
from vaultsigner.signing.confirmations import Confirmations
from vaultsigner.signing.counting import Counting
from vaultsigner.signing.trail import Trail
from vaultsigner.strict_json import JsonNumber, MalformedJsonError, parse

PARTNER = Principal("partner", "binance-web3", "rsa")
LONGEST_ADDRESS = 128
_ADDRESS = re.compile(r"[a-z]{1,5}1[02-9ac-hj-np-z]{38}|0x[0-9A-Fa-f]{40}")
"""Of 20 bytes: in bech32 (BIP 173), whose letters leave out 1, b, i and o, or as Ethereum writes them."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Which tasks are complete, for the partner, and `told`: for the record."""

    body: dict[str, JsonValue]
    told: str


class PartnerTasks:
    """Answers from what vaultsigner itself has sent and a node has checked or a chain shows, and from nothing else.

    Args:
        partner: None where config.yml has no such section; then nobody asks.
    """

    def __init__(
        self,
        partner: Partner | None,
        authenticator: Authenticator,
        counting: Counting,
        confirmations: Confirmations,
    ) -> None:
        self._tasks: Mapping[str, PartnerTask] = {} if partner is None else partner.tasks
        self._authenticator = authenticator
        self._counting = counting
        self._confirmations = confirmations

    async def completion(self, trail: Trail) -> Completion | Refusal:
        """For each task that was asked for, whether the wallet has completed it.

        Raises:
            CustodyError, StateError: that cannot be said now.
        """
        call = trail.call
        blocked = self._authenticator.blocked(call.ip)
        if blocked is not None:
            return blocked
        request = read_partner_request(call.query, call.body)
        if isinstance(request, Refusal):
            return await self._authenticator.turned_away(call.ip, request)
        signature = call.credentials.partner_signature or ""
        proof = await self._authenticator.verdict(trail, "partner", signature)
        if isinstance(proof, Refusal):
            return proof
        trail.principal = PARTNER
        refused = await self._counting.commit(trail, self._counting.of_proof(proof, str(PARTNER)))
        if refused is not None:
            return refused
        return await self._answer(request.parameters)

    async def _answer(self, parameters: Mapping[str, str]) -> Completion | Refusal:
        address = parameters.get("walletAddress", "")
        if not 0 < len(address) <= LONGEST_ADDRESS or not address.isprintable():
            return _invalid("walletAddress is missing or is no address")
        names = _task_names(parameters.get("task", ""))
        if names is None:
            return _invalid("task is no JSON array of texts")
        if any(name not in self._tasks for name in names):
            return _invalid("a task is not known")
        done = await self._confirmations.performed(address)
        asked = names or list(self._tasks)
        return _completion(address, {name: _is_done(self._tasks[name], done) for name in asked})


def _completion(address: str, tasks: Mapping[str, bool]) -> Completion:
    """What reads like no address may be anything, a key in hexadecimal too, and is not recorded."""
    shown = address if _ADDRESS.fullmatch(address) else f"({len(address)} characters)"
    listed = ", ".join(f"{name} {'done' if done else 'not done'}" for name, done in tasks.items())
    return Completion(dict(tasks), f"{shown}: {listed}")


def _is_done(task: PartnerTask, done: frozenset[tuple[str, str]]) -> bool:
    return (task.operation, task.wallet_is) in done


def _task_names(text: str) -> list[str] | None:
    """The names in a JSON array; none for an empty one or for no text at all."""
    if not text:
        return []
    try:
        document = parse(text.encode())
    except MalformedJsonError:
        return None
    if not isinstance(document, list):
        return None
    names = [name for name in document if isinstance(name, str) and not isinstance(name, JsonNumber)]
    return names if len(names) == len(document) else None


def _invalid(reason: str) -> Refusal:
    return Refusal("partner_invalid_argument", "invalid argument", reason=reason)
