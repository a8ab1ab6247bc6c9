"""Which refusal codes routes have in common, for their documents."""

ALWAYS = ("malformed_request", "unsupported_encoding", "internal_error", "audit_unavailable")
READ = ("body_too_large", "request_timeout")
BEHIND = ("custody_unavailable", "vault_unavailable", "vault_sealed", "vault_denied")
_SIGNED = ("authentication_failed", "malformed_parameters", "replayed", "rate_limited", "state_unavailable")
_STOPPED = ("suspended", "suspensions_unknown")
DECIDED = ("no_permission", "policy_denied", "limit_exceeded", "policy_mismatch", "approval_not_granted")
KEY_TROUBLE = ("key_missing", "key_malformed", "wrong_key")
AUTHENTICATED = ("not_authenticated", "invalid_token", *_SIGNED, *_STOPPED, *READ, *BEHIND)
"""What everybody may meet who has to show who asks."""
