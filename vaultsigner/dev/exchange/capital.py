"""The wallet and sub-account endpoints (`/sapi`): what is there, withdrawals, transfers, what the API key may do.

Withdrawals and transfers take effect on the balances and are kept, so that a test can see what left and where to.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from vaultsigner.dev.exchange.calls import Call
from vaultsigner.dev.exchange.endpoints import Endpoint
from vaultsigner.dev.exchange.refusals import Json, RefusedError
from vaultsigner.dev.exchange.signatures import Right
from vaultsigner.dev.exchange.spot import Spot
from vaultsigner.dev.exchange.wallets import Balance, amount_text

NETWORKS = {"BTC": ("BTC",), "USDT": ("ETH", "TRX"), "ETH": ("ETH",), "BNB": ("BSC",), "LTC": ("LTC",)}
FEE = Decimal("0.0005")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What left for an address."""

    withdrawal_id: str
    account: str
    coin: str
    address: str
    address_tag: str | None
    network: str | None
    amount: Decimal
    name: str | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """What moved between two of an account's wallets."""

    transfer_id: int
    account: str
    kind: str
    asset: str
    amount: Decimal


class Capital:
    """Everything of `/sapi` that is here."""

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.withdrawals: list[Withdrawal] = []
        self.transfers: list[Transfer] = []
        self._ids = itertools.count(13_526_853_623)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What it serves; like the real ones, they do not mind parameters that they do not know."""
        root = "/sapi/v1"
        return (
            Endpoint("GET", f"{root}/system/status", lambda _: {"status": 0, "msg": "normal"}, "none"),
            Endpoint("GET", f"{root}/capital/config/getall", self.coins, weight=10),
            _of_account(f"{root}/capital/withdraw/apply", self.withdraw, "withdraw", 600),
            _of_account(f"{root}/asset/transfer", self.transfer, "transfer", 900),
            Endpoint("GET", f"{root}/account/apiRestrictions", self.restrictions),
            Endpoint("GET", f"{root}/sub-account/list", self.sub_accounts),
            Endpoint("GET", f"{root}/margin/allPairs", lambda _: [], "key"),
            Endpoint("GET", f"{root}/margin/isolated/allPairs", lambda _: [], "key"),
        )

    def coins(self, call: Call) -> Json:
        """GET capital/config/getall."""
        balances = self.spot.wallets[call.account.name].balances
        return [_coin(asset, balance) for asset, balance in balances.items()]

    def withdraw(self, call: Call) -> Json:
        """POST capital/withdraw/apply."""
        coin, amount = call.text("coin"), call.decimal("amount")
        network = call.optional("network")
        if network is not None and network not in NETWORKS.get(coin, ()):
            raise RefusedError(-4006, "Support main network only.")
        balance = self.spot.wallets[call.account.name].balances[coin]
        if balance.free < amount:
            raise RefusedError(-4026, "The user has insufficient balance available")
        address, tag, name = call.text("address"), call.optional("addressTag"), call.optional("name")
        withdrawal_id = f"{next(self._ids):032x}"
        withdrawal = Withdrawal(withdrawal_id, call.account.name, coin, address, tag, network, amount, name)
        balance.free -= amount
        self.withdrawals.append(withdrawal)
        return {"id": withdrawal_id}

    def transfer(self, call: Call) -> Json:
        """POST asset/transfer."""
        kind, asset, amount = call.text("type"), call.text("asset"), call.decimal("amount")
        balance = self.spot.wallets[call.account.name].balances[asset]
        if balance.free < amount:
            raise RefusedError(-5013, "Asset transfer failed: insufficient balance")
        if kind.startswith("MAIN_"):
            balance.free -= amount
        transfer = Transfer(next(self._ids), call.account.name, kind, asset, amount)
        self.transfers.append(transfer)
        return {"tranId": transfer.transfer_id}

    def restrictions(self, call: Call) -> Json:
        """GET account/apiRestrictions."""
        rights = call.account.rights
        return {
            "ipRestrict": False,
            "createTime": 1_698_645_219_000,
            "enableReading": True,
            "enableWithdrawals": "withdraw" in rights,
            "enableInternalTransfer": "transfer" in rights,
            "permitsUniversalTransfer": "transfer" in rights,
            "enableSpotAndMarginTrading": "trade" in rights,
            "enableFutures": "trade" in rights,
            "enableMargin": False,
        }

    def sub_accounts(self, call: Call) -> Json:
        """GET sub-account/list, of one address or all."""
        email = call.optional("email")
        known = [f"{call.account.name}+desk@example.com"]
        accounts = [
            {"subUserId": 1, "email": name, "isFreeze": False, "createTime": 1_544_433_328_000}
            for name in known
            if email in (None, name)
        ]
        return {"subAccounts": accounts}


def _of_account(path: str, answer: Callable[[Call], Json], right: Right, weight: int) -> Endpoint:
    return Endpoint("POST", path, answer, right=right, weight=weight, weighs_on_account=True)


def _coin(asset: str, balance: Balance) -> dict[str, Json]:
    networks = [
        {
            "network": network,
            "coin": asset,
            "name": network,
            "isDefault": network == networks[0],
            "depositEnable": True,
            "withdrawEnable": True,
            "withdrawFee": amount_text(FEE),
            "withdrawMin": amount_text(2 * FEE),
            "withdrawMax": "10000000000",
            "withdrawIntegerMultiple": "0.00000001",
        }
        for networks in [NETWORKS.get(asset, ())]
        for network in networks
    ]
    return {
        "coin": asset,
        "name": asset,
        "depositAllEnable": True,
        "withdrawAllEnable": True,
        "free": amount_text(balance.free),
        "locked": amount_text(balance.locked),
        "freeze": "0",
        "withdrawing": "0",
        "ipoing": "0",
        "ipoable": "0",
        "storage": "0",
        "isLegalMoney": False,
        "trading": True,
        "networkList": networks,
    }
