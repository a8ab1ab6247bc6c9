"""Collects problems with their places, and turns what pydantic finds into words that help."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from vaultsigner.config.problems import ConfigProblems, Problem, UnusableValueError, dotted, suggestion
from vaultsigner.strict_yaml import Document, Position, YamlPath, names_secret, shown_key

VARIABLE_ORIGIN = "environment variable "
M = TypeVar("M", bound=BaseModel)

_DIGITS = "write plain decimal digits, without quotes, a point or a leading zero"
_TYPE_WORDS = {
    "int_type": ("this must be a whole number", _DIGITS),
    "int_parsing": ("this must be a whole number", _DIGITS),
    "bool_type": ("this must be true or false", "write true or false, without quotes"),
    "string_type": ("this must be text", "write text; numbers and words such as true need quotes"),
    "list_type": ("this must be a list", "write [a, b], or one entry a line after a dash"),
    "dict_type": ("this must be a mapping", "write name: value pairs"),
    "model_type": ("this must be a mapping", "write name: value pairs"),
    "too_short": ("this list is empty", "write at least one entry"),
}


class Report:
    """The problems of one file. One place is complained about once, by who saw it first.

    Args:
        file: as it is named in messages.
        document: what the file says, with places; its own problems are taken over.
        key_hints: what to say about unknown keys that people are known to write, by their dotted path without indexes.
    """

    def __init__(self, file: str, document: Document, key_hints: Mapping[str, str] | None = None) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._document = document
        self._key_hints = key_hints or {}
        self._origins: dict[YamlPath, str] = {}
        self._told: set[YamlPath] = set()
        self._unreadable: set[YamlPath] = set()
        """Paths whose value is not what the file's author meant: complaints below them would mislead."""
        for problem in document.problems:
            self._unreadable.add(problem.path)
            place = (problem.position.line, problem.position.column)
            self.problems.append(Problem(file, *place, dotted(problem.path), problem.message, problem.hint))

    def note_origin(self, path: YamlPath, variable: str) -> None:
        """The value at `path` comes from an environment variable: complaints about it name that."""
        self._origins[path] = f"{VARIABLE_ORIGIN}{variable}"

    def add(
        self, path: YamlPath, message: str, hint: str, *, at_key: bool = False, replace: bool = False
    ) -> None:
        """Complain about the value (or the key) at `path`, unless that was done already.

        Args:
            path: of the setting.
            message, hint: as in Problem.
            at_key: the key is what is wrong.
            replace: say this instead of what the YAML reader said about the same value. Always so for secrets: "put it in
                quotes" would be bad advice for a key.
        """
        if path in self._told or any(path[:depth] in self._unreadable for depth in range(1, len(path))):
            return
        if path in self._unreadable:
            if not (replace or names_secret(path)):
                return
            self.problems = [problem for problem in self.problems if problem.where != dotted(path)]
        self._told.add(path)
        for depth in range(len(path), 0, -1):
            origin = self._origins.get(path[:depth])
            if origin is not None:
                self.problems.append(Problem(origin, None, None, dotted(path), message, hint))
                return
        line, column = self._place(path, at_key=at_key)
        self.problems.append(Problem(self._file, line, column, dotted(path), message, hint))

    def complained_of(self, path: YamlPath) -> bool:
        """Whether something is wrong with the value at `path` itself."""
        return path in self._told or path in self._unreadable

    def origin_of(self, path: YamlPath) -> str | None:
        """`environment variable NAME` where that gave the value at `path`; None where the file did."""
        return self._origins.get(path)

    def add_overridden(self, path: YamlPath, message: str, hint: str) -> None:
        """Complain about what the file itself says at `path`, where a variable's value counts instead of it."""
        self.problems.append(
            Problem(self._file, *self._place(path, at_key=False), dotted(path), message, hint)
        )

    def add_at(self, position: Position, message: str, hint: str) -> None:
        """Complain about a place that belongs to no value, such as a comment."""
        self.problems.append(Problem(self._file, position.line, position.column, "", message, hint))

    def add_variable(self, variable: str, message: str, hint: str) -> None:
        """Complain about an environment variable as such."""
        self.problems.append(Problem(f"{VARIABLE_ORIGIN}{variable}", None, None, "", message, hint))

    def validated(self, model: type[M], value: Any, path: YamlPath = ()) -> M | None:
        """`value` as a model, or None once all that is wrong with it is noted."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                self._add_detail(model, path, detail)
        return None

    def failure(self, policies: Path | None = None) -> ConfigProblems:
        """The exception that carries what was noted."""
        return ConfigProblems(self.problems, policies)

    def _place(self, path: YamlPath, *, at_key: bool) -> tuple[int, int]:
        if at_key and path in self._document.keys:
            position = self._document.keys[path]
            return position.line, position.column
        for depth in range(len(path), -1, -1):
            found = self._document.values.get(path[:depth])
            if found is not None:
                return found.line, found.column
        return 1, 1

    def _add_detail(self, model: type[BaseModel], base: YamlPath, detail: Any) -> None:
        location: YamlPath = detail["loc"]
        at_key = bool(location) and location[-1] == "[key]"
        location = location[:-1] if at_key else location
        kind, context = detail["type"], detail.get("ctx", {})
        path = base + location
        if kind == "extra_forbidden":
            self._unknown_key(model, location, path)
        elif kind == "missing":
            self._missing(path)
        elif isinstance(context.get("error"), UnusableValueError):
            self.add(path, context["error"].message, context["error"].hint, at_key=at_key)
        elif kind in ("greater_than_equal", "less_than_equal"):
            least, most = context.get("ge"), context.get("le")
            bound = f"at least {least}" if least is not None else f"at most {most}"
            self.add(path, f"this must be {bound}", "write another number")
        else:
            message, hint = _TYPE_WORDS.get(
                kind, ("this value is not valid here", "see the README's example")
            )
            # The YAML reader, which does not know what is wanted, says of 10.0 to put it in quotes.
            self.add(path, message, hint, replace=hint is _DIGITS)

    def _missing(self, path: YamlPath) -> None:
        self.add(path, f'"{path[-1]}" is missing', f"add `{path[-1]}: ...`")

    def _unknown_key(self, model: type[BaseModel], location: YamlPath, path: YamlPath) -> None:
        key = str(path[-1])
        known = known_keys(model, location[:-1])
        named = ".".join(step for step in path if isinstance(step, str))
        hint = self._key_hints.get(named) or suggestion(key, known)
        self.add(path, f"{shown_key(key, path[:-1])} is not known here", hint, at_key=True)


def known_keys(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys that the model at `location` inside `model` knows."""
    annotation: Any = model
    for step in location:
        annotation = member_type(annotation, step)
    found = model_in(annotation)
    return [field.alias or name for name, field in found.model_fields.items()] if found is not None else []


def member_type(annotation: Any, step: str | int) -> Any:
    """The type of a member: a model's field, a list's entry, a mapping's value. None where there is no such member."""
    found = section_in(annotation)
    if found is not None:
        known = found.model_fields.get(str(step))
        return known.annotation if known is not None else None
    arguments = get_args(annotation)
    return arguments[-1] if arguments else None


def section_in(annotation: Any) -> type[BaseModel] | None:
    """The model whose members stand directly at a setting of this type, which may be optional; None for lists and mappings."""
    return None if get_origin(annotation) in (list, dict) else model_in(annotation)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is or contains; None where it has none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = model_in(argument)
        if found is not None:
            return found
    return None
