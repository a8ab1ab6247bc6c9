"""Attacks on a whole vaultsigner: the real server and custody, a real OpenBao, a node that judges for itself."""
