"""The types of single settings of anchors."""

import re
from typing import Annotated, get_args

from vaultsigner.config.addresses import read_anchor_url
from vaultsigner.config.anchor_settings import RetentionMode
from vaultsigner.config.fields import text_read_by
from vaultsigner.config.problems import UnusableValueError, suggestion

_MODES: tuple[RetentionMode, ...] = get_args(RetentionMode)
_BUCKET = re.compile(r"(?!xn--|\d{1,3}(?:\.\d{1,3}){3}\Z)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""Amazon S3 User Guide, "General purpose bucket naming rules"."""
_PREFIX = re.compile(r"(?:(?!\.{1,2}/)[A-Za-z0-9!_.*'()-]+/)*")
"""Amazon S3 User Guide, "Naming Amazon S3 objects": the characters that are safe everywhere."""
_REGION = re.compile(r"[a-z0-9-]{1,64}")
_ROLLBACK = re.compile(r"(?:state:)?[0-9a-f]{16}:[1-9][0-9]{0,17}")


def _witness_url(text: str) -> str:
    return read_anchor_url(text, example="https://witness.example/vaultsigner", path=True)


def _endpoint_url(text: str) -> str:
    return read_anchor_url(text, example="https://minio.example:9000", path=False)


def _bucket(text: str) -> str:
    if _BUCKET.fullmatch(text) is None:
        hint = (
            "write 3 to 63 lower-case letters, digits, hyphens and dots; the prefix is a setting of its own"
        )
        raise UnusableValueError("this is no bucket's name", hint)
    return text


def _prefix(text: str) -> str:
    if _PREFIX.fullmatch(text) is None or len(text) > 512:
        raise UnusableValueError(
            "this is no prefix", 'write it like vaultsigner/desk-1/ with a slash at its end, or ""'
        )
    return text


def _region(text: str) -> str:
    if _REGION.fullmatch(text) is None:
        raise UnusableValueError("this is no region", "write it like eu-west-1, or null")
    return text


def _mode(text: str) -> RetentionMode:
    for mode in _MODES:
        if text == mode:
            return mode
    raise UnusableValueError("object lock has no such mode", suggestion(text, _MODES))


def _accepted_rollback(text: str) -> str:
    if _ROLLBACK.fullmatch(text) is None:
        hint = 'write "CHAIN:SIZE" or "state:CHAIN:SIZE" in quotes, as the refusal to start has it'
        raise UnusableValueError("this names no anchored checkpoint", hint)
    return text


WitnessUrl = Annotated[str, text_read_by(_witness_url)]
EndpointUrl = Annotated[str, text_read_by(_endpoint_url)]
BucketName = Annotated[str, text_read_by(_bucket)]
KeyPrefix = Annotated[str, text_read_by(_prefix)]
Region = Annotated[str, text_read_by(_region)]
Mode = Annotated[RetentionMode, text_read_by(_mode)]
AcceptedRollback = Annotated[str, text_read_by(_accepted_rollback)]
