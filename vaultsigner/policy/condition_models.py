"""The YAML form of `when`: one member for each field, each with the operators that suit it."""

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema, create_model, model_validator

from vaultsigner.config.fields import StrictModel, text_read_by
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.policy import words
from vaultsigner.policy.decimals import MAX_CHARACTERS, PATTERN
from vaultsigner.policy.fields import FIELDS
from vaultsigner.policy.times import DAYS, MINUTES_OF_DAY

ALL_DAYS = frozenset(range(len(DAYS)))
_DAY_PATTERN = "(" + "|".join(DAYS) + ")"
"""For JSON Schema."""


def _one_or_many(value: Any) -> str | list[Any]:
    """`$name`, or a list whose entries are looked at later: only then is it known what they must be."""
    if isinstance(value, str):
        if not value.startswith("$"):
            raise UnusableValueError("this must be a list", "write [a, b], or $name for one of `lists`")
        return value
    if not isinstance(value, list):
        raise UnusableValueError("this must be a list", "write [a, b], or $name for one of `lists`")
    if not value:
        raise UnusableValueError("this list is empty", "write at least one entry")
    return value


Values = Annotated[
    str | list[Any] | None,
    PlainValidator(_one_or_many),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "pattern": "^\\$[A-Za-z0-9_-]{1,64}$"},
                {"type": "array", "minItems": 1, "items": {"type": "string"}},
            ],
            "description": "a list, or $name for one of `lists`",
        }
    ),
]
DECIMAL_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "maxLength": MAX_CHARACTERS,
        "pattern": f"^{PATTERN}$",
        "description": "a decimal, as text",
    }
)
Text = Annotated[str | None, text_read_by(words.read_list_entry), WithJsonSchema({"type": "string"})]
Bound = Annotated[
    Decimal | None,
    PlainValidator(words.read_bound),
    DECIMAL_SCHEMA,
]
_MINUTE = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
Begin = Annotated[int, text_read_by(words.read_begin), WithJsonSchema({"type": "string", "pattern": _MINUTE})]
End = Annotated[
    int, text_read_by(words.read_end), WithJsonSchema({"type": "string", "pattern": f"{_MINUTE}|^24:00$"})
]


class ConditionModel(StrictModel):
    """What all of them have in common: at least one operator, and a complaint of their own where none is written."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise UnusableValueError("a condition is a mapping", f"write it like {_EXAMPLES[cls]}")
        return value

    @model_validator(mode="after")
    def _has_operator(self) -> Self:
        if not self.model_fields_set:
            raise UnusableValueError("this condition asks nothing", f"write it like {_EXAMPLES[type(self)]}")
        return self


class TextModel(ConditionModel):
    """A field that compares as text, letter by letter. Several operators must all hold."""

    equals: Text = None
    among: Values = Field(default=None, alias="in")
    not_in: Values = None


class DecimalModel(ConditionModel):
    """A field that compares as an exact decimal. Several operators must all hold."""

    equals: Bound = None
    among: Values = Field(default=None, alias="in")
    not_in: Values = None
    max: Bound = Field(default=None, description="at most this")
    min: Bound = Field(default=None, description="at least this")
    above: Bound = None
    below: Bound = None


class NetworksModel(ConditionModel):
    """Where a request comes from."""

    among: Values = Field(default=None, alias="in")
    not_in: Values = None


class TimeModel(ConditionModel):
    """When a request comes. Where `from` is later than `to`, the window goes over midnight and belongs to the day it began."""

    days: Annotated[
        frozenset[int],
        text_read_by(words.read_days),
        WithJsonSchema({"type": "string", "pattern": f"^{_DAY_PATTERN}", "examples": ["mon-fri", "sat,sun"]}),
    ] = ALL_DAYS
    begins: Begin = Field(default=0, alias="from")
    ends: End = Field(default=MINUTES_OF_DAY, alias="to")
    zone: Annotated[
        str,
        text_read_by(words.read_zone),
        WithJsonSchema({"type": "string", "examples": ["UTC", "Europe/Zurich"]}),
    ] = "UTC"

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.model_fields_set == {"zone"}:
            raise UnusableValueError("a zone alone says no time", f"write it like {_EXAMPLES[TimeModel]}")
        if self.begins == self.ends:
            hint = 'leave both out for the whole day, or write from: "00:00", to: "24:00"'
            raise UnusableValueError("the window ends when it begins", hint)
        return self


_EXAMPLES: dict[type[ConditionModel], str] = {
    TextModel: "{equals: BNB}, {in: [BTCUSDT, ETHUSDT]} or {in: $majors}",
    DecimalModel: '{max: "10000"} or {above: "100"}',
    NetworksModel: "{in: [10.0.0.0/8]}",
    TimeModel: '{days: mon-fri, from: "08:00", to: "18:00", zone: Europe/Zurich}',
}
MODELS: dict[str, type[ConditionModel]] = {
    **{name: TextModel if kind == "text" else DecimalModel for name, kind in FIELDS.items()},
    "ip": NetworksModel,
    "time": TimeModel,
}


class AnyConditions(StrictModel):
    """What must hold for the rule to match. A field that a request lacks: allow rules do not match, deny rules do."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def _has_condition(self) -> Self:
        if not self.model_fields_set:
            raise UnusableValueError("there is no condition in it", "write one, or leave `when` out")
        return self


_MEMBERS: dict[str, Any] = {name: (model, Field(default=None)) for name, model in MODELS.items()}
WhenModel: type[AnyConditions] = create_model("WhenModel", __base__=AnyConditions, **_MEMBERS)
WhenModel.__doc__ = AnyConditions.__doc__
