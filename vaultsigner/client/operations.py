"""The names of both clients: everything that can be asked for, by family."""

from vaultsigner.client import composed
from vaultsigner.client.calls import audit, control, exchanges, transactions
from vaultsigner.client.calls import wallets as wallet_calls
from vaultsigner.client.operation import Operation, asks


class Operations:
    """What `SigningClient` and `AsyncSigningClient` have in common: the names, the parameters and the answers."""

    log_in = Operation(composed.log_in)
    sync_time = Operation(composed.sync_time)
    check = asks(wallet_calls.check)

    wallets = asks(wallet_calls.wallets)
    wallet = asks(wallet_calls.wallet)
    resync = asks(wallet_calls.resync)

    sign = asks(transactions.sign)
    sign_order = asks(transactions.sign_order)
    sign_cancel_order = asks(transactions.sign_cancel_order)
    sign_transfer = asks(transactions.sign_transfer)
    sign_freeze = asks(transactions.sign_freeze)
    sign_unfreeze = asks(transactions.sign_unfreeze)
    sign_vote = asks(transactions.sign_vote)
    broadcast = asks(transactions.broadcast)
    broadcast_order = asks(transactions.broadcast_order)
    broadcast_cancel_order = asks(transactions.broadcast_cancel_order)
    broadcast_transfer = asks(transactions.broadcast_transfer)
    broadcast_freeze = asks(transactions.broadcast_freeze)
    broadcast_unfreeze = asks(transactions.broadcast_unfreeze)
    broadcast_vote = asks(transactions.broadcast_vote)

    forward = asks(exchanges.forward)
    sign_exchange_request = asks(exchanges.sign_exchange_request)
    sign_exchange_message = asks(exchanges.sign_exchange_message)

    open_api_token = asks(exchanges.open_api_token)
    open_api_decrypt = asks(exchanges.open_api_decrypt)
    open_api_user_data = asks(exchanges.open_api_user_data)

    partner_time = Operation(composed.partner_time)
    partner_task_completion = Operation(composed.partner_task_completion)

    approvals = asks(control.approvals)
    approval = asks(control.approval)
    approve = asks(control.approve)
    reject = asks(control.reject)
    wait_for_approval = Operation(composed.wait_for_approval)
    complete = Operation(composed.complete)

    suspensions = asks(control.suspensions)
    suspend = asks(control.suspend)
    resume = asks(control.resume)
    explain = asks(control.explain)

    audit_summary = asks(audit.audit_summary)
    audit_records = asks(audit.audit_records)
    audit_record = asks(audit.audit_record)
    audit_chains = asks(audit.audit_chains)
    limits = asks(audit.limits)
