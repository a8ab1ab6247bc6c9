"""Transactions of the chain: to be signed, or signed and sent."""

from collections.abc import Sequence

from vaultsigner.client.answers.signing import Broadcast, SignedTransaction, read_broadcast
from vaultsigner.client.answers.validation import reading
from vaultsigner.client.asks import Ask, Effect
from vaultsigner.client.calls.documents import encoded
from vaultsigner.client.messages import (
    Amount,
    CancelOrder,
    Freeze,
    Message,
    Order,
    Payment,
    Transfer,
    Unfreeze,
    Vote,
)

_read_signed = reading(SignedTransaction)


def sign(wallet_name: str, message: Message, *, approval: str | None = None) -> Ask[SignedTransaction]:
    """Sign a message. The account's sequence stays as it is, so the same message gives the same transaction.

    Args:
        approval: the id of the approval that it uses, once others have agreed.
    """
    return Ask(
        "POST",
        f"/api/{message.kind}/sign",
        _read_signed,
        body=_body(wallet_name, message),
        operation=f"{message.kind}.sign",
        approval=approval,
    )


def broadcast(
    wallet_name: str, message: Message, *, sync: bool = True, approval: str | None = None
) -> Ask[Broadcast]:
    """Sign a message with the account's next sequence number, and send it to the node.

    Args:
        sync: whether the node answers only once it has checked the transaction.
        approval: the id of the approval that it uses, once others have agreed.

    Raises:
        OutcomeUnknownError: it may be on the chain: `resync`, or ask for the very same again; never for another meanwhile.
    """
    return Ask(
        "POST",
        f"/api/{message.kind}/broadcast",
        read_broadcast,
        parameters=() if sync else (("sync", "false"),),
        body=_body(wallet_name, message),
        operation=f"{message.kind}.broadcast",
        effect=Effect.ACTS,
        approval=approval,
    )


def _body(wallet_name: str, message: Message) -> bytes:
    return encoded({"wallet_name": wallet_name, "msg": message.document()})


def _order_of(  # noqa: PLR0917 - the parameters of both calls, one for one
    symbol: str,
    side: str | int,
    price: Amount,
    quantity: Amount,
    time_in_force: str | int,
    order_type: str | int,
    memo: str,
) -> Order:
    return Order(
        symbol=symbol,
        side=side,
        price=price,
        quantity=quantity,
        time_in_force=time_in_force,
        order_type=order_type,
        memo=memo,
    )


def sign_order(
    wallet_name: str,
    *,
    symbol: str,
    side: str | int,
    price: Amount,
    quantity: Amount,
    time_in_force: str | int = "GTE",
    order_type: str | int = "LIMIT",
    memo: str = "",
    approval: str | None = None,
) -> Ask[SignedTransaction]:
    """`sign` an `Order`."""
    order = _order_of(symbol, side, price, quantity, time_in_force, order_type, memo)
    return sign(wallet_name, order, approval=approval)


def broadcast_order(
    wallet_name: str,
    *,
    symbol: str,
    side: str | int,
    price: Amount,
    quantity: Amount,
    time_in_force: str | int = "GTE",
    order_type: str | int = "LIMIT",
    memo: str = "",
    sync: bool = True,
    approval: str | None = None,
) -> Ask[Broadcast]:
    """`broadcast` an `Order`."""
    order = _order_of(symbol, side, price, quantity, time_in_force, order_type, memo)
    return broadcast(wallet_name, order, sync=sync, approval=approval)


def sign_cancel_order(
    wallet_name: str, *, symbol: str, order_id: str, memo: str = "", approval: str | None = None
) -> Ask[SignedTransaction]:
    """`sign` a `CancelOrder`."""
    return sign(wallet_name, CancelOrder(symbol=symbol, order_id=order_id, memo=memo), approval=approval)


def broadcast_cancel_order(
    wallet_name: str,
    *,
    symbol: str,
    order_id: str,
    memo: str = "",
    sync: bool = True,
    approval: str | None = None,
) -> Ask[Broadcast]:
    """`broadcast` a `CancelOrder`."""
    message = CancelOrder(symbol=symbol, order_id=order_id, memo=memo)
    return broadcast(wallet_name, message, sync=sync, approval=approval)


def sign_transfer(
    wallet_name: str,
    *,
    to_address: str = "",
    symbol: str = "",
    amount: Amount = "",
    memo: str = "",
    payments: Sequence[Payment] = (),
    approval: str | None = None,
) -> Ask[SignedTransaction]:
    """`sign` a `Transfer`."""
    message = Transfer(to_address=to_address, symbol=symbol, amount=amount, memo=memo, payments=payments)
    return sign(wallet_name, message, approval=approval)


def broadcast_transfer(
    wallet_name: str,
    *,
    to_address: str = "",
    symbol: str = "",
    amount: Amount = "",
    memo: str = "",
    payments: Sequence[Payment] = (),
    sync: bool = True,
    approval: str | None = None,
) -> Ask[Broadcast]:
    """`broadcast` a `Transfer`."""
    message = Transfer(to_address=to_address, symbol=symbol, amount=amount, memo=memo, payments=payments)
    return broadcast(wallet_name, message, sync=sync, approval=approval)


def sign_freeze(
    wallet_name: str, *, symbol: str, amount: Amount, memo: str = "", approval: str | None = None
) -> Ask[SignedTransaction]:
    """`sign` a `Freeze`."""
    return sign(wallet_name, Freeze(symbol=symbol, amount=amount, memo=memo), approval=approval)


def broadcast_freeze(
    wallet_name: str,
    *,
    symbol: str,
    amount: Amount,
    memo: str = "",
    sync: bool = True,
    approval: str | None = None,
) -> Ask[Broadcast]:
    """`broadcast` a `Freeze`."""
    message = Freeze(symbol=symbol, amount=amount, memo=memo)
    return broadcast(wallet_name, message, sync=sync, approval=approval)


def sign_unfreeze(
    wallet_name: str, *, symbol: str, amount: Amount, memo: str = "", approval: str | None = None
) -> Ask[SignedTransaction]:
    """`sign` an `Unfreeze`."""
    return sign(wallet_name, Unfreeze(symbol=symbol, amount=amount, memo=memo), approval=approval)


def broadcast_unfreeze(
    wallet_name: str,
    *,
    symbol: str,
    amount: Amount,
    memo: str = "",
    sync: bool = True,
    approval: str | None = None,
) -> Ask[Broadcast]:
    """`broadcast` an `Unfreeze`."""
    message = Unfreeze(symbol=symbol, amount=amount, memo=memo)
    return broadcast(wallet_name, message, sync=sync, approval=approval)


def sign_vote(
    wallet_name: str, *, proposal_id: int, option: str | int, memo: str = "", approval: str | None = None
) -> Ask[SignedTransaction]:
    """`sign` a `Vote`."""
    return sign(wallet_name, Vote(proposal_id=proposal_id, option=option, memo=memo), approval=approval)


def broadcast_vote(
    wallet_name: str,
    *,
    proposal_id: int,
    option: str | int,
    memo: str = "",
    sync: bool = True,
    approval: str | None = None,
) -> Ask[Broadcast]:
    """`broadcast` a `Vote`."""
    message = Vote(proposal_id=proposal_id, option=option, memo=memo)
    return broadcast(wallet_name, message, sync=sync, approval=approval)
