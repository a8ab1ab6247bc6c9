"""Every message, account and transaction that the codec has a form for."""

import string

from hypothesis import strategies as st

from vaultsigner.formats.bnb_beacon.address import address_of
from vaultsigner.formats.bnb_beacon.messages import (
    CancelOrder,
    Coin,
    Freeze,
    Message,
    NewOrder,
    Output,
    Transfer,
    Unfreeze,
    Vote,
)
from vaultsigner.formats.bnb_beacon.transaction import Account, Transaction

MAX_INT64 = 2**63 - 1

amounts = st.integers(1, MAX_INT64)
counters = st.integers(0, 300) | st.integers(0, MAX_INT64)
tokens = st.text(string.ascii_letters + string.digits + ".-", min_size=1, max_size=32)
pairs = st.tuples(tokens, tokens).map("_".join)
order_ids = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=128)
addresses = st.binary(min_size=20, max_size=20)
memos = st.text(max_size=32) | st.text(max_size=400)
public_keys = st.tuples(st.sampled_from([b"\x02", b"\x03"]), st.binary(min_size=32, max_size=32)).map(
    b"".join
)

orders = st.builds(
    NewOrder,
    symbol=pairs,
    side=st.sampled_from([1, 2]),
    time_in_force=st.sampled_from([1, 3]),
    price=amounts,
    quantity=amounts,
)


@st.composite
def transfers(draw: st.DrawFn) -> Transfer:
    """Up to four receivers, whose coins add up to at most 2^63-1 units a token."""
    outputs = []
    for address in draw(st.lists(addresses, min_size=1, max_size=4, unique=True)):
        denoms = sorted(draw(st.sets(tokens | st.just("BNB"), min_size=1, max_size=4)))
        outputs.append(
            Output(address, tuple(Coin(denom, draw(st.integers(1, MAX_INT64 // 4))) for denom in denoms))
        )
    return Transfer(tuple(outputs))


messages: st.SearchStrategy[Message] = st.one_of(
    orders,
    st.builds(CancelOrder, pairs, order_ids),
    transfers(),
    st.builds(Freeze, tokens, amounts),
    st.builds(Unfreeze, tokens, amounts),
    st.builds(Vote, amounts, st.integers(1, 4)),
)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    public_key = draw(public_keys)
    return Transaction(
        message=draw(messages),
        sender=address_of(public_key),
        public_key=public_key,
        signature=draw(st.binary(min_size=64, max_size=64)),
        account_number=draw(counters),
        sequence=draw(counters),
        memo=draw(memos),
        source=draw(counters),
    )


def account_of(transaction: Transaction) -> Account:
    """The account that this transaction is bound to, on a chain of the tests' own."""
    return Account(
        transaction.sender, "tbnb", "chain-of-tests", transaction.account_number, transaction.sequence
    )
