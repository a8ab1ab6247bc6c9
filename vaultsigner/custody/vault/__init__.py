"""Talking to Vault: connections whose bytes are wiped, questions, answers. Shows the token that it is given, and knows no way to
get one.
"""
