"""A complete local world for `vaultsigner dev`: a real OpenBao, fresh keys, stand-ins of a Beacon node and an exchange."""
