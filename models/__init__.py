"""The contract between training and service: what a model is, on disk."""
