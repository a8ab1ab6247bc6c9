"""Which password hashes are accepted: Argon2id, and bcrypt from configurations of the old service.

Too much work would let every log-in, right or wrong, stall the service: refused. Too little makes a stolen file guessable: taken,
since such hashes come over from the old service, and `vaultsigner check` warns of each.
"""

import base64
import binascii
import re

from vaultsigner.config.problems import UnusableValueError

_ARGON2ID = re.compile(
    r"\$argon2id\$v=19\$m=(?P<memory>[1-9][0-9]{0,9}),t=(?P<passes>[1-9][0-9]{0,9}),p=(?P<lanes>[1-9][0-9]{0,7})"
    r"\$(?P<salt>[A-Za-z0-9+/]{11,86})\$(?P<hash>[A-Za-z0-9+/]{22,86})"
)
_BCRYPT = re.compile(r"\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53}")
_LEAST_MEMORY_KIB = 7168
_LEAST_WORK = 35_840
"""Memory in KiB times passes: the weakest set of the OWASP Password Storage Cheat Sheet (7 MiB, 5 passes)."""
_MOST_MEMORY_KIB = 1_048_576
_MOST_PASSES = 20
_BCRYPT_COSTS = range(4, 17)
_LEAST_BCRYPT_COST = 10
_HINT = 'run "vaultsigner users hash-password" and put what it prints here, in quotes'


def read_password_hash(text: str) -> str:
    """The hash itself, once its form and its cost are acceptable.

    Raises:
        UnusableValueError: for anything else; a password in clear is one of the cases.
    """
    argon2id, bcrypt = _ARGON2ID.fullmatch(text), _BCRYPT.fullmatch(text)
    if argon2id is not None:
        _check_argon2id(argon2id)
    elif bcrypt is not None:
        if int(bcrypt["cost"]) not in _BCRYPT_COSTS:
            raise UnusableValueError("bcrypt's cost must be 4 to 16", _HINT)
    elif text.startswith(("$argon2i$", "$argon2d$")):
        raise UnusableValueError("of the Argon2 family only argon2id is accepted", _HINT)
    else:
        raise UnusableValueError("this is no Argon2id or bcrypt hash; never write the password itself", _HINT)
    return text


def is_guessable(text: str) -> bool:
    """Whether an accepted hash was made with so little work that whoever steals the file can guess passwords."""
    argon2id, bcrypt = _ARGON2ID.fullmatch(text), _BCRYPT.fullmatch(text)
    if argon2id is not None:
        memory, passes = int(argon2id["memory"]), int(argon2id["passes"])
        return memory < _LEAST_MEMORY_KIB or memory * passes < _LEAST_WORK
    return bcrypt is not None and int(bcrypt["cost"]) < _LEAST_BCRYPT_COST


def _check_argon2id(match: re.Match[str]) -> None:
    memory, passes = int(match["memory"]), int(match["passes"])
    if memory > _MOST_MEMORY_KIB or passes > _MOST_PASSES or int(match["lanes"]) > 16:
        raise UnusableValueError("this hash costs so much that log-ins would stall the service", _HINT)
    if not (_is_base64(match["salt"]) and _is_base64(match["hash"])):
        raise UnusableValueError("this Argon2id hash is damaged", _HINT)


def _is_base64(text: str) -> bool:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return False
    return base64.b64encode(data).decode().rstrip("=") == text
