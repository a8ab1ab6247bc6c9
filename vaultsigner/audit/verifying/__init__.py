"""Whether chains are what they were: by hashes, signatures, anchors and Vault's own log.

Needs files alone: no configuration, no service.
"""
