"""May they: the YAML document, its rules and the evaluator. Pure but for reading the files."""
