"""A complete local world for `vaultsigner dev`: a real OpenBao, fresh keys, a Beacon node stand-in."""
