"""Coverage-guided fuzzing of what reads bytes of strangers, by atheris (libFuzzer for Python)."""
