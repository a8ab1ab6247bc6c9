"""Who has how much: free, or locked behind an open order."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from vaultsigner.dev.exchange.refusals import Json, new_order_rejected

START = {
    "BTC": Decimal(10),
    "ETH": Decimal(100),
    "BNB": Decimal(1000),
    "LTC": Decimal(100),
    "USDT": Decimal(1_000_000),
    "１２３": Decimal(100),
    "４５６": Decimal(100),
}
INSUFFICIENT = "Account has insufficient balance for requested action."


@dataclass(slots=True)
class Balance:
    """Of one asset."""

    free: Decimal = Decimal(0)
    locked: Decimal = Decimal(0)


def amount_text(amount: Decimal) -> str:
    """As Binance writes amounts: eight digits after the point."""
    return f"{amount:.8f}"


class Wallet:
    """What one account has of everything."""

    def __init__(self, start: dict[str, Decimal] | None = None) -> None:
        amounts = START if start is None else start
        self.balances = defaultdict[str, Balance](Balance)
        for asset, amount in amounts.items():
            self.balances[asset].free = amount

    def require(self, asset: str, amount: Decimal) -> None:
        """Nothing, or the exchange's refusal of an order that cannot be paid."""
        if self.balances[asset].free < amount:
            raise new_order_rejected(INSUFFICIENT)

    def lock(self, asset: str, amount: Decimal) -> None:
        """Sets aside what an open order may need; takes it back where negative."""
        self.require(asset, max(amount, Decimal(0)))
        self.balances[asset].free -= amount
        self.balances[asset].locked += amount

    def exchange(self, give: str, given: Decimal, take: str, taken: Decimal) -> None:
        """A trade."""
        self.require(give, given)
        self.balances[give].free -= given
        self.balances[take].free += taken

    @property
    def document(self) -> list[dict[str, Json]]:
        """As the account document has it."""
        return [
            {"asset": asset, "free": amount_text(balance.free), "locked": amount_text(balance.locked)}
            for asset, balance in self.balances.items()
        ]
