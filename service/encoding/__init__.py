"""Tensors to and from the wire: JSON, npy, PNG, lines of JSON, and the inference protocol's binary form."""
