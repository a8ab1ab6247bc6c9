"""The shared words: names, principals, intents, decisions, refusals. Pure; knows no other package of ours."""
