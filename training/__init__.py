"""Training: PyTorch, offline; writes bundles."""
