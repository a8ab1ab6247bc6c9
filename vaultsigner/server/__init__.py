"""HTTP only: routes, statuses, documents, health. Knows no key, no client secret, no Vault token and nothing of custody's
inside.
"""
