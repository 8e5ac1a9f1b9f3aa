"""Serving: FastAPI and ONNX Runtime; no torch."""
