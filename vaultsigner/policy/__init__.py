"""May they: rules from YAML files and their evaluation, and the outer fence of permissions. Knows no keys and no HTTP.

Evaluation is pure; only `load` reads files.
"""

from vaultsigner.policy.explanation import Explanation, RuleExplanation
from vaultsigner.policy.loader import load
from vaultsigner.policy.policy_set import PolicySet
from vaultsigner.policy.rules import Rule
from vaultsigner.policy.unknown_names import UnknownName, unknown_names

__all__ = [
    "Explanation",
    "PolicySet",
    "Rule",
    "RuleExplanation",
    "UnknownName",
    "load",
    "unknown_names",
]
