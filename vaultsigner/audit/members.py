"""The members of records that need care: texts bounded in length, numbers that every reader takes, who asked and about what."""

from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.targets import Target
from vaultsigner.domain.vault_reads import VaultRead

TEXT_LIMIT = 512


def bounded(text: str) -> str:
    """Text of at most 512 characters and a mark that says how many there were; lone surrogates become visible escapes.

    JSON itself escapes the rest (control characters, U+2028); a lone surrogate's escape is one that strict readers refuse.
    """
    if len(text) > TEXT_LIMIT:
        text = f"{text[:TEXT_LIMIT]}…({len(text)} characters)"
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def bounded_value(value: JsonValue) -> JsonValue:
    """A JSON value whose texts are bounded and whose integers fit 64 bits; a larger one becomes bounded hexadecimal text."""
    if isinstance(value, str):
        return bounded(value)
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else bounded(hex(value))
    if isinstance(value, dict):
        return {bounded(name): bounded_value(member) for name, member in value.items()}
    if isinstance(value, list):
        return [bounded_value(member) for member in value]
    return value


def bounded_or_none(text: str | None) -> str | None:
    """`bounded`, where there is a text."""
    return None if text is None else bounded(text)


def principal_member(principal: Principal | None) -> JsonValue:
    """Who asked, and how they showed it."""
    if principal is None:
        return None
    return {"type": principal.kind, "name": principal.name, "scheme": principal.scheme}


def certificate_members(digest: str | None) -> dict[str, JsonValue]:
    """`client_certificate`, where the caller has shown one to a trusted proxy."""
    return {} if digest is None else {"client_certificate": digest}


def target_members(target: Target | None) -> dict[str, JsonValue]:
    """`wallet`, which every record of a request has, null where it is about none; for others their kind and name beside it."""
    if target is None or target.kind == "wallet":
        return {"wallet": target.name if target else None}
    return {"wallet": None, target.kind: target.name}


def vault_reads_member(reads: tuple[VaultRead, ...]) -> JsonValue:
    """Uses of keys beside the one that `vault_request_id` names."""
    return [
        {"use": read.use, "path": bounded(read.path), "request_id": bounded_or_none(read.request_id)}
        for read in reads
    ]
