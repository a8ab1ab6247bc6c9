"""What the demonstration asks for: one message of every kind, and two things that must be refused."""

from collections.abc import Iterator
from dataclasses import dataclass, field

DESK, TREASURY = "desk", "treasury"
EXCHANGE = "spot"
USERNAME, BOT = "demo", "bot"
TREASURY_PERMISSIONS = ("transfer", "resync", "vote")
POLICY = """\
version: 1
rules:
  - id: desk-does-its-work
    effect: allow
    principals: [user:demo, client:bot]
    targets: [wallet:desk]
  - id: treasury-pays
    effect: allow
    principals: [user:demo]
    targets: [wallet:treasury]
    operations: [transfer.*]
  - id: treasury-does-not-vote
    effect: deny
    targets: [wallet:treasury]
    operations: [vote.*]
  - id: bot-trades-small
    effect: allow
    principals: [user:demo, client:bot]
    targets: [exchange:spot]
    operations: [exchange.order]
    when: {symbol: {in: [BTCUSDT, ETHUSDT]}, notional: {max: "1000"}}
  - id: bot-looks-and-cancels
    effect: allow
    principals: [user:demo, client:bot]
    targets: [exchange:spot]
    operations: [exchange.query, exchange.cancel]
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """One request. `path` lacks the last part: `/sign` or `/broadcast`.

    Args:
        refusal: the code it is to be refused with; None where it is to succeed.
        by_bot: asked by the client that signs its requests rather than by the user who logged in.
    """

    title: str
    path: str
    wallet: str
    msg: dict[str, object] = field(default_factory=dict)
    refusal: str | None = None
    by_bot: bool = False

    @property
    def body(self) -> dict[str, object]:
        """The request's body."""
        return {"msg": self.msg, "wallet_name": self.wallet}


def scenes(desk: str, treasury: str, first_order_id: str) -> Iterator[Scene]:
    """Every kind of message.

    Args:
        desk, treasury: the wallets' addresses.
        first_order_id: what the order of the first scene will be called on the chain.
    """
    order: dict[str, object] = {"symbol": "ANN-457_BNB", "order_type": "LIMIT", "side": "buy"}
    order |= {"price": "0.000396", "quantity": "12", "time_in_force": "GTE"}
    yield Scene("A limit order", "/api/order", DESK, order)
    cancel: dict[str, object] = {"order_id": first_order_id, "symbol": "ANN-457_BNB"}
    yield Scene("The same order, cancelled", "/api/cancel_order", DESK, cancel)
    transfer: dict[str, object] = {"to_address": treasury, "symbol": "BNB", "amount": "1.5"}
    yield Scene("A transfer with a memo", "/api/transfer", DESK, {**transfer, "memo": "invoice 2026/11"})
    payments = [
        {"to_address": desk, "symbol": "BNB", "amount": "0.25"},
        {"to_address": desk, "symbol": "BUSD-BD1", "amount": "1000.00000001"},
    ]
    yield Scene("Two payments in one transaction", "/api/transfer", TREASURY, {"transfers": payments})
    freeze: dict[str, object] = {"symbol": "BNB", "amount": "10"}
    yield Scene("A freeze, by a bot that signs its requests", "/api/freeze", DESK, freeze, by_bot=True)
    yield Scene("Part of it unfrozen", "/api/unfreeze", DESK, {"symbol": "BNB", "amount": 4})
    yield Scene("A vote", "/api/vote", DESK, {"proposal_id": 42, "option": "Yes"})


def refused_scenes() -> Iterator[Scene]:
    """What permissions forbid, and what policy forbids inside the permissions."""
    order: dict[str, object] = {"symbol": "ANN-457_BNB", "order_type": 2, "side": 2}
    order |= {"price": "0.000396", "quantity": "12", "time_in_force": 3}
    yield Scene("The treasury may not trade", "/api/order", TREASURY, order, refusal="no_permission")
    vote: dict[str, object] = {"proposal_id": 42, "option": "NoWithVeto"}
    yield Scene("Policy forbids the treasury's vote", "/api/vote", TREASURY, vote, refusal="policy_denied")
