"""Asks the exchange stand-in through a running service, and checks everything that can be checked from outside."""

import json
from dataclasses import dataclass
from pathlib import Path

from vaultsigner.dev.api_client import ApiAnswer, Caller, SigningBot
from vaultsigner.dev.demonstration import expect, recorded
from vaultsigner.dev.exchange.exchange import Exchange
from vaultsigner.dev.exchange.records import Received
from vaultsigner.dev.exchange.signatures import Account
from vaultsigner.dev.records import Record
from vaultsigner.dev.scenes import EXCHANGE

ENDPOINT = ("POST", "/api/v3/order")
KEY_HEADER = "X-MBX-APIKEY"


@dataclass(frozen=True, slots=True)
class ExchangeScene:
    """An order at the exchange.

    Args:
        refused: whether policy is to forbid it.
    """

    title: str
    parameters: dict[str, str]
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A scene and everything that can be shown of it.

    Args:
        signed: the answer of the route that only signs; None for a scene that is to be refused.
        answer: the exchange's, handed on; or the refusal.
        received: what the exchange got.
        verified: what was checked, in words.
    """

    scene: ExchangeScene
    signed: ApiAnswer | None
    answer: ApiAnswer
    received: Received | None
    verified: tuple[str, ...]
    records: list[Record]


def exchange_scenes() -> tuple[ExchangeScene, ExchangeScene]:
    """What policy allows, and the same at a hundred times the size."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    return (
        ExchangeScene("An exchange order, by the bot", {**order, "quantity": "0.01", "price": "60000"}),
        ExchangeScene(
            "Policy forbids an order of this size", {**order, "quantity": "1", "price": "60000"}, refused=True
        ),
    )


class ExchangeDemonstration:
    """The view that a user and a bot have of a service behind which there is an exchange.

    Args:
        account: the exchange's side of the key that the service has.
    """

    def __init__(
        self, user: Caller, bot: SigningBot, exchange: Exchange, account: Account, audit_directory: Path
    ) -> None:
        self._user = user
        self._bot = bot
        self._exchange = exchange
        self._account = account
        self._audit_directory = audit_directory

    async def perform(self, scene: ExchangeScene) -> Asked:
        """Have it signed only, then forwarded, and look both up in the record.

        Raises:
            DemonstrationError: any part of it is not as it should be.
        """
        method, path = ENDPOINT
        wanted = {"method": method, "path": path, "params": scene.parameters}
        signed = await self._user.post(f"/api/exchange/{EXCHANGE}/sign", wanted)
        expect(signed.status == 200, f"signing answered {signed.status}: {signed.body}")
        verified = [self._judge(signed)]
        answer = await self._bot.forward(EXCHANGE, path, scene.parameters)
        expect(answer.status == 200, f"forwarding answered {answer.status}: {answer.body}")
        received = self._exchange.requests(" ".join(ENDPOINT))[-1]
        verified += self._compare(scene, received, answer)
        records = recorded(self._audit_directory, signed, ["intent", "outcome"])
        records += recorded(self._audit_directory, answer, ["intent", "outcome", "dispatch"])
        return Asked(scene, signed, answer, received, tuple(verified), records)

    async def perform_refused(self, scene: ExchangeScene) -> Asked:
        """Ask for what policy forbids, and find the refusal in the record.

        Raises:
            DemonstrationError: it was not refused, or not for that reason.
        """
        before = len(self._exchange.received)
        answer = await self._bot.forward(EXCHANGE, ENDPOINT[1], scene.parameters)
        expect(answer.status == 403, f"forwarding answered {answer.status}: {answer.body}")
        expect("policy_denied" in json.dumps(answer.body), f"refused with {answer.body}")
        expect(len(self._exchange.received) == before, "a refused order reached the exchange")
        records = recorded(self._audit_directory, answer, ["intent", "outcome"])
        return Asked(scene, None, answer, None, ("nothing reached the exchange",), records)

    def _judge(self, signed: ApiAnswer) -> str:
        payload, _, signature = str(signed.body["body"]).rpartition("&signature=")
        expect(
            self._account.has_signed(payload.encode(), signature),
            "the exchange would not take this signature",
        )
        expect(not self._exchange.requests(" ".join(ENDPOINT)), "what was only signed reached the exchange")
        return (
            "signed only: the signature is the exchange account's, whose secret never left OpenBao's Transit"
        )

    def _compare(self, scene: ExchangeScene, received: Received, answer: ApiAnswer) -> list[str]:
        expect(received.verified is True, "the exchange does not take this signature for its account's")
        expect(received.executed, f"the exchange refused: {received.code}")
        expect(received.meant == scene.parameters, f"the exchange was asked for {received.meant}")
        expect(received.header(KEY_HEADER) == self._account.api_key, "another API key reached the exchange")
        expect(self._bot.api_key not in str(received), "the bot's own key reached the exchange")
        return [
            "forwarded: the exchange verified it, and was asked for the same parameters and no others",
            "with the exchange's API key, time and signature; the bot's own stayed here",
            f"the exchange took it as order {answer.body['orderId']} ({answer.body['status']})",
        ]
