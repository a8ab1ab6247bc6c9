"""What callers are told when something could not be done: what happened and what to do, without Vault's paths or our innards.

The record has the error's own words.
"""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.authentication.bearer import invalid_token
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import VaultsignerError

_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "custody_unavailable": "The custody process is not there just now, or no longer knows this request; nothing was signed. "
        "Try again; what a client signs it has to sign anew, with a new timestamp",
        "vault_unavailable": "Vault cannot be reached; nothing was signed. Try again",
        "vault_sealed": "Vault is sealed; nothing was signed. An operator has to unseal it",
        "vault_denied": "Vault does not let custody read this; nothing was signed. An operator has to run "
        "`vaultsigner vault setup` (something new in config.yml?), or to renew custody's token",
        "key_missing": "The key is not in Vault where the configuration says; nothing was signed. Ask an operator",
        "key_malformed": "What Vault holds there is no usable key or secret; nothing was signed. Ask an operator",
        "wrong_key": "Vault holds another key there than the one expected; nothing was signed. Ask an operator",
        "replayed": "This signature was used already: each counts once. Sign the request anew, with a new timestamp",
        "policy_mismatch": "Policies are changing just now; nothing was signed. Try again",
        "policy_denied": "Custody's own policy does not allow this; nothing was signed",
        "no_permission": "Custody finds no permission for this; nothing was signed",
        "state_unavailable": "The state database cannot be used just now. Try again",
        "audit_unavailable": "The record cannot be written, so nothing may be answered; what was signed is dropped. Try again",
    }
)


def refusal_for(error: VaultsignerError, *, used_up: bool = False) -> Refusal:
    """The answer to a request that failed with this error.

    Args:
        used_up: its signature counts as used already.
    """
    if error.code == "invalid_token":
        return invalid_token(str(error))
    message = _TOLD.get(error.code, str(error))
    if used_up:
        message = message.replace("Try again", "Sign the request anew and try again")
    return Refusal(error.code, message, reason=str(error))
