"""config.yml to frozen settings, with every error told at once. Reads files; knows nothing of servers."""
