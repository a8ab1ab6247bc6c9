"""One policy file: its YAML form (version 1) and the rules that it means."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field, PlainValidator

from vaultsigner.config.fields import StrictModel, text_read_by
from vaultsigner.config.problems import KnownWords, UnusableValueError, suggestion
from vaultsigner.domain.decisions import Effect
from vaultsigner.domain.names import Operation
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE
from vaultsigner.policy.rules import OPERATIONS, NamePatterns, Rule

_NAME = r"[A-Za-z0-9_.-]{1,64}"
_EFFECTS: dict[str, Effect] = {"allow": "allow", "deny": "deny"}
_LATER = "it comes with a later version; without it the rule would mean more than it says"
LATER_KEYS = dict.fromkeys(("lists", "when", "limits", "approvals", "expires"), _LATER)
"""Keys that a later version of the language has. Skipping one silently would widen a rule, so they are refused."""


def _version(value: Any) -> int:
    if value != 1 or isinstance(value, bool):
        raise UnusableValueError("this version of the policy language is not known", "write version: 1")
    return 1


def _rule_id(text: str) -> str:
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", text) is None:
        raise UnusableValueError("this is no rule id", "write 1 to 64 small letters, digits and hyphens")
    return text


def _effect(text: str) -> Effect:
    effect = _EFFECTS.get(text)
    if effect is None:
        raise UnusableValueError("the effect is allow or deny", suggestion(text, list(_EFFECTS)))
    return effect


def _name_pattern(kinds: tuple[str, ...], later: tuple[str, ...]) -> Callable[[str], str]:
    """A reader for `*`, `kind:*` and `kind:name`."""

    def read(text: str) -> str:
        kind, colon, name = text.partition(":")
        if text == "*" or (kind in kinds and (name == "*" or re.fullmatch(_NAME, name))):
            return text
        if kind in later:
            raise UnusableValueError(f"{kind}: comes with a later version", f"write {kinds[0]}:NAME")
        if kind in kinds and "*" in name:
            raise UnusableValueError("a star stands for a whole name only", f"write {kind}:* or {kind}:NAME")
        meant = KnownWords(kinds).nearest(kind) or kinds[0]
        shown = f"{meant}:{name}" if colon and (name == "*" or re.fullmatch(_NAME, name)) else f"{meant}:NAME"
        raise UnusableValueError("this names nothing that rules know", f'write {shown}, {meant}:* or "*"')

    return read


def _operation_pattern(text: str) -> str:
    """`*`, `order.*` or `order.sign`."""
    message, _, action = text.partition(".")
    if text == "*" or text in OPERATIONS or (message in PERMISSION_FOR_MESSAGE and action == "*"):
        return text
    meant = KnownWords(PERMISSION_FOR_MESSAGE).nearest(message)
    if meant is not None:
        hint = f"did you mean {meant}.{KnownWords(('sign', 'broadcast')).nearest(action) or '*'}?"
    else:
        messages = ", ".join(PERMISSION_FOR_MESSAGE)
        hint = f'write "*", or one of {messages} followed by .sign, .broadcast or .*'
    raise UnusableValueError("there is no such operation", hint)


Principals = list[Annotated[str, text_read_by(_name_pattern(("user", "client"), ("group",)))]]
Targets = list[Annotated[str, text_read_by(_name_pattern(("wallet",), ("exchange", "open_api")))]]
Operations = list[Annotated[str, text_read_by(_operation_pattern)]]


class RuleModel(StrictModel):
    """One of `rules`. Of principals, targets and operations, what is left out means any."""

    id: Annotated[str, text_read_by(_rule_id)]
    effect: Annotated[Effect, text_read_by(_effect)]
    principals: Annotated[Principals, Field(min_length=1)] = Field(default_factory=lambda: ["*"])
    targets: Annotated[Targets, Field(min_length=1)] = Field(default_factory=lambda: ["*"])
    operations: Annotated[Operations, Field(min_length=1)] = Field(default_factory=lambda: ["*"])

    def rule(self, place: str) -> Rule:
        """The rule that this entry means; `place` is where it stands."""
        return Rule(
            self.id,
            self.effect,
            _patterns(self.principals),
            _patterns(self.targets),
            _resolved(self.operations),
            place,
        )


class PolicyModel(StrictModel):
    """All of one policy file."""

    version: Annotated[int, PlainValidator(_version)]
    rules: Annotated[list[RuleModel], Field(min_length=1)]


def _patterns(words: list[str]) -> NamePatterns:
    return NamePatterns(
        everything="*" in words,
        kinds=frozenset(word[:-2] for word in words if word.endswith(":*")),
        names=frozenset(word for word in words if not word.endswith("*")),
    )


def _resolved(words: list[str]) -> frozenset[Operation]:
    prefixes = tuple(word[:-1] for word in words if word.endswith(".*"))
    return frozenset(
        operation
        for operation in OPERATIONS
        if "*" in words or operation in words or (prefixes and operation.startswith(prefixes))
    )
