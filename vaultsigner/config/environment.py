"""Environment variables over the file: `VAULTSIGNER_SERVER__LISTEN` and the like, and `VAULT_ADDR`.

Names of settings are joined by two underscores and match in any letter case; list entries go by their index. Values of text
settings count as they are, everything else is read by the same strict YAML rules as the file. What names a secret is never
taken from here: an environment leaks into child processes, crash reports and `docker inspect`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from vaultsigner.config.models import ConfigModel
from vaultsigner.config.problems import suggestion
from vaultsigner.config.report import Report, known_keys, member_type, model_in, section_in
from vaultsigner.config.settings import KvReference, TransitReference
from vaultsigner.strict_yaml import YamlPath, YamlValue, parse

_PREFIX = "VAULTSIGNER_"
_RESERVED = frozenset({"VAULTSIGNER_CONFIG"})
"""Read by the command line itself."""
_MAX_VALUE_BYTES = 65_536
_KINDS_NOT_TEXT = frozenset({int, bool})


def apply_environment(
    tree: dict[str, YamlValue], environ: Mapping[str, str], known_environments: Iterable[str], report: Report
) -> None:
    """Put the values of environment variables into the tree; what cannot be used is reported.

    Args:
        tree: the file's root, changed in place.
        environ: variables by name.
        known_environments: names of chain environments that exist even where the file has none.
    """
    if environ.get("VAULT_ADDR"):
        _set(tree, ("vault", "address"), environ["VAULT_ADDR"])
        report.note_origin(("vault", "address"), "VAULT_ADDR")
    for variable in sorted(environ):
        if variable.startswith(_PREFIX) and variable not in _RESERVED:
            _Override(tree, variable, environ[variable], list(known_environments), report).apply()


class _Override:
    """One variable on its way into the tree."""

    def __init__(
        self,
        tree: dict[str, YamlValue],
        variable: str,
        text: str,
        known_environments: list[str],
        report: Report,
    ) -> None:
        self._tree = tree
        self._variable = variable
        self._text = text
        self._known_environments = known_environments
        self._report = report

    def apply(self) -> None:
        found = self._find()
        if found is None:
            return
        path, annotation = found
        if _names_secret(path, annotation):
            hint = "set it in the file, as a reference to Vault or a hash"
            self._refuse("this setting has to do with a secret and is never taken from the environment", hint)
        elif model_in(annotation) is not None:
            self._refuse("this names a whole section", f"set its members one by one: {self._variable}__...")
        else:
            self._store(path, annotation)

    def _find(self) -> tuple[YamlPath, Any] | None:
        """The setting that the variable's name means, and its type."""
        path: YamlPath = ()
        annotation: Any = ConfigModel
        node: YamlValue = self._tree
        for segment in self._variable.removeprefix(_PREFIX).split("__"):
            names = self._names_below(annotation, node, path)
            step = _match(segment, names)
            if step is None:
                self._refuse("there is no such setting", suggestion(segment, [str(name) for name in names]))
                return None
            annotation = member_type(annotation, step)
            node = _child(node, step)
            path = (*path, step)
        return path, annotation

    def _names_below(self, annotation: Any, node: YamlValue, path: YamlPath) -> list[str | int]:
        if get_origin(annotation) is list and model_in(annotation) is not None:
            return list(range(len(node))) if isinstance(node, list) else []
        if get_origin(annotation) is dict:
            present = list(node) if isinstance(node, dict) else []
            known = self._known_environments if path == ("environments",) else []
            return [*present, *(name for name in known if name not in present)]
        found = section_in(annotation)
        return list(known_keys(found, ())) if found is not None else []

    def _store(self, path: YamlPath, annotation: Any) -> None:
        value: YamlValue = self._text
        if type(None) in get_args(annotation) and self._text == "null":
            value = None
        elif get_origin(annotation) is list or not _KINDS_NOT_TEXT.isdisjoint(_kinds(annotation)):
            document = parse(
                self._text.encode("utf-8", "surrogateescape"), max_bytes=_MAX_VALUE_BYTES, max_depth=3
            )
            if document.problems:
                self._refuse(document.problems[0].message, document.problems[0].hint)
                return
            value = document.value
        if _set(self._tree, path, value):
            self._report.note_origin(path, self._variable)

    def _refuse(self, message: str, hint: str) -> None:
        self._report.add_variable(self._variable, message, hint)


def _names_secret(path: YamlPath, annotation: Any) -> bool:
    kinds = _kinds(annotation)
    return path[-1] == "password_hash" or KvReference in kinds or TransitReference in kinds


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """A type, and those that it is made of, as `Annotated[int, ...] | None` is of `int`."""
    inner = get_args(annotation)
    return (annotation, *inner, *(kind for part in inner for kind in get_args(part)))


def _match(segment: str, names: list[str | int]) -> str | int | None:
    """The one name that a segment means: exactly, or in another letter case where that leaves no doubt."""
    if segment in names:
        return segment
    close = [name for name in names if str(name).lower() == segment.lower()]
    return close[0] if len(close) == 1 else None


def _child(node: YamlValue, step: str | int) -> YamlValue:
    if isinstance(node, dict):
        return node.get(str(step))
    return node[step] if isinstance(node, list) and isinstance(step, int) else None


def _set(tree: dict[str, YamlValue], path: YamlPath, value: YamlValue) -> bool:
    """Set a value, making the mappings on the way; False where the file has something else there."""
    node: YamlValue = tree
    for step in path[:-1]:
        if isinstance(node, dict):
            node = node.setdefault(str(step), {})
        elif isinstance(node, list) and isinstance(step, int):
            node = node[step]
    if not isinstance(node, dict):
        return False
    node[str(path[-1])] = value
    return True
