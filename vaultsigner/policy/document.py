"""One policy file: its YAML form (version 1)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from vaultsigner.config.fields import StrictModel, text_read_by
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.domain.decisions import Effect, LimitScope
from vaultsigner.policy import words
from vaultsigner.policy.condition_models import DECIMAL_SCHEMA, WhenModel
from vaultsigner.policy.fields import DECIMAL_FIELDS
from vaultsigner.policy.operations import FAMILIES, OPERATIONS

DATE_KEYS = frozenset({"expires"})
"""Where YAML's own dates are meant."""
PRINCIPAL_KINDS = ("user", "client")
TARGET_KINDS = ("wallet", "exchange", "open_api")


_NOT_FOR_DENY = {
    "limits": "what is denied is not counted",
    "approvals": "nobody can approve what is denied",
    "expires": "nothing may open by itself",
}


def _given(value: Any, info: ValidationInfo) -> Any:
    """A member that is there says something, and something that its rule can say; `null` would read as if it were not there."""
    why = _NOT_FOR_DENY.get(info.field_name or "")
    if why is not None and info.data.get("effect") == "deny":
        raise UnusableValueError(
            f"a deny rule has no {info.field_name}: {why}", "remove it, or write effect: allow"
        )
    if value is None:
        raise UnusableValueError("there is nothing here", "write it out, or leave the member out")
    return value


def _pattern(pattern: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, **more})


_NAME = words.NAME
_SECONDS = _pattern("^[1-9][0-9]*[smhd]$", examples=["30s", "1m", "24h", "7d"])
Seconds = Annotated[int, PlainValidator(words.read_seconds), _SECONDS]
ListName = Annotated[str, text_read_by(words.read_list_name)]
ListEntry = Annotated[str, text_read_by(words.read_list_entry), WithJsonSchema({"type": "string"})]
Member = Annotated[str, text_read_by(words.plain_name(PRINCIPAL_KINDS)), _pattern(f"^(user|client):{_NAME}$")]
Approver = Annotated[
    str, text_read_by(words.plain_name(("group", "user"))), _pattern(f"^(group|user):{_NAME}$")
]
PrincipalPattern = Annotated[
    str,
    text_read_by(words.name_pattern(PRINCIPAL_KINDS, ("group",))),
    _pattern(f"^\\*$|^(user|client):\\*$|^(user|client|group):{_NAME}$"),
]
TargetPattern = Annotated[
    str,
    text_read_by(words.name_pattern(TARGET_KINDS)),
    _pattern(f"^\\*$|^(wallet|exchange|open_api):(\\*|{_NAME})$"),
]
OperationPattern = Annotated[
    str,
    text_read_by(words.read_operation_pattern),
    WithJsonSchema({"enum": ["*", *(f"{family}.*" for family in FAMILIES), *OPERATIONS]}),
]


class LimitModel(StrictModel):
    """A rolling window: so many requests, or so much of a field, within so much time."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["count"], "not": {"required": ["max"]}},
                {"required": ["sum", "max"]},
            ]
        }
    )

    count: Annotated[int, Field(ge=1, le=1_000_000_000)] = 0
    sum: Annotated[
        str | None, text_read_by(words.read_summed_field), WithJsonSchema({"enum": list(DECIMAL_FIELDS)})
    ] = None
    max: Annotated[Decimal | None, PlainValidator(words.read_cap), DECIMAL_SCHEMA] = None
    every: Seconds
    per: Annotated[
        LimitScope, text_read_by(words.read_scope), WithJsonSchema({"enum": ["principal", "target", "rule"]})
    ] = "principal"

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = self.model_fields_set & {"count", "sum"}
        if len(given) != 1:
            message = "a limit counts or sums, not both" if given else "this limit neither counts nor sums"
            hint = 'write {count: 60, every: 1m}, or {sum: amount, max: "100", every: 24h}'
            raise UnusableValueError(message, hint)
        if (self.sum is None) is not (self.max is None):
            message = (
                "`max` belongs to `sum`" if self.sum is None else '"max" is missing: what it may sum up to'
            )
            raise UnusableValueError(message, 'write {count: 60, ...}, or {sum: amount, max: "100", ...}')
        return self


class ApprovalsModel(StrictModel):
    """How many people must say yes, who may, and within what time."""

    count: Annotated[int, Field(ge=1, le=100)]
    of: Annotated[list[Approver], Field(min_length=1)]
    within: Seconds


class RuleModel(StrictModel):
    """One of `rules`. Of principals, targets and operations, what is left out means any."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"effect": {"const": "deny"}}},
            "then": {"properties": dict.fromkeys(_NOT_FOR_DENY, False)},
        }
    )
    id: Annotated[str, text_read_by(words.read_rule_id), _pattern("^[a-z0-9][a-z0-9-]{0,63}$")]
    effect: Annotated[Effect, text_read_by(words.read_effect), WithJsonSchema({"enum": ["allow", "deny"]})]
    principals: Annotated[list[PrincipalPattern], Field(min_length=1)] = Field(default_factory=lambda: ["*"])
    targets: Annotated[list[TargetPattern], Field(min_length=1)] = Field(default_factory=lambda: ["*"])
    operations: Annotated[list[OperationPattern], Field(min_length=1)] = Field(default_factory=lambda: ["*"])
    when: Annotated[WhenModel | None, BeforeValidator(_given)] = None  # type: ignore[valid-type]  # made from a table
    limits: Annotated[list[LimitModel], Field(min_length=1), BeforeValidator(_given)] = Field(
        default_factory=list
    )
    approvals: Annotated[ApprovalsModel | None, BeforeValidator(_given)] = None
    expires: Annotated[
        date | None,
        text_read_by(words.read_day),
        BeforeValidator(_given),
        WithJsonSchema({"type": "string", "format": "date"}),
    ] = None


class PolicyModel(StrictModel):
    """All of one policy file."""

    version: Annotated[int, PlainValidator(words.read_version), WithJsonSchema({"const": 1})]
    lists: dict[ListName, Annotated[list[ListEntry], Field(min_length=1)]] = Field(default_factory=dict)
    groups: dict[ListName, Annotated[list[Member], Field(min_length=1)]] = Field(default_factory=dict)
    rules: Annotated[list[RuleModel], Field(min_length=1)]
