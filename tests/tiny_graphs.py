"""The graphs of the tiny bundle, in the text format of ONNX.

ONNX names a value once: where an operation gives back another `x` than it takes, the graph's output is `x_out`.
"""

from collections.abc import Mapping

import numpy as np
import onnx


def build(name: str, constants: Mapping[str, np.ndarray], *, conditional: bool) -> bytes:
    """The graph GRAPHS[name]; one without labels finds label 0 in an initializer of that name."""
    source = GRAPHS[name].replace(", LABEL", ", int64[batch] label" if conditional else "")
    model = onnx.parser.parse_model('<ir_version: 10, opset_import: ["": 20]>\n' + source)
    arrays = {key: np.asarray(value, np.float32) for key, value in (constants | NUMBERS).items()}
    arrays |= {key: np.array(value, np.int64) for key, value in INDICES.items()}
    read = {key for node in model.graph.node for key in node.input} - {tensor.name for tensor in model.graph.input}
    model.graph.initializer.extend(onnx.numpy_helper.from_array(arrays[key], key) for key in arrays if key in read)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


NUMBERS = {"zero": [0], "half": [0.5], "one": [1], "hundred": 100}
INDICES = {
    "trips": 2**62,
    "flat": [-1, 4],
    "sampled": [-1, 1, 4],
    "images": [-1, 2, 2],
    "column": [-1, 1, 1],
    "last": [-1],
    "label": [0],
}

_POSTERIOR = """
    centre = MatMul(rows, encoder)  mean = Add(centre, shift)  log_variance = MatMul(rows, spread)
    half_log = Mul(log_variance, half)  sigma = Exp(half_log)  noise = Mul(sigma, epsilon)  z = Add(mean, noise)
    mean2 = Mul(mean, mean)  variance = Exp(log_variance)  second = Add(mean2, variance)
    excess = Sub(second, log_variance)  twice_kl = Sub(excess, one)  kl_per_dimension = Mul(twice_kl, half)
"""
_DECODER = """
    shift = Gather(shifts, label)  linear = MatMul(code, decoder)  centred = Add(linear, pixels)
    row = Add(centred, shift)  logits = Reshape(row, images)  mean = Sigmoid(logits)
    noisy = Add(logits, pixel)  on = Greater(noisy, zero)  x = Cast <to = 1> (on)
}"""
_LOG_PROB = """
    chosen = Mul(rows, logits)  total = Softplus(logits)  each = Sub(chosen, total)
"""
GRAPHS = {
    "decode": """
decode (float[batch, 2] z, float[batch, 2, 2] pixel, LABEL)
    => (float[batch, 2, 2] x, float[batch, 2, 2] mean, float[batch, 2] z) {
    code = Identity(z)"""
    + _DECODER,
    "looping": """
looping (float[batch, 2] z, float[batch, 2, 2] pixel, LABEL)
    => (float[batch, 2, 2] x, float[batch, 2, 2] mean, float[batch, 2] z) {
    largest = ReduceMax <keepdims = 0> (z)  is_endless = Greater(largest, hundred)
    code = Loop <body = round (int64 i, bool go_on, float[batch, 2] before) => (bool again, float[batch, 2] after) {
        again = Identity(go_on)  after = Identity(before)
    }> (trips, is_endless, z)"""
    + _DECODER,
    "encode": """
encode (float[batch, 2, 2] x, float[batch, 2] epsilon, LABEL) => (float[batch, 2] z,
    float[batch, 2] mean, float[batch, 2] log_variance, float[batch, 2] kl_per_dimension) {
    shift = Gather(shifts, label)  rows = Reshape(x, flat)"""
    + _POSTERIOR
    + "}",
    "score": """
score (float[batch, 2, 2] x, float[batch, samples, 2] epsilon, LABEL) => (float[batch, samples] log_weight,
    float[batch, samples] elbo, float[batch, samples] reconstruction, float[batch, samples] kl) {
    added = Gather(shifts, label)  shift = Reshape(added, column)  rows = Reshape(x, sampled)"""
    + _POSTERIOR
    + """
    linear = MatMul(z, decoder)  centred = Add(linear, pixels)  logits = Add(centred, shift)"""
    + _LOG_PROB
    + """
    reconstruction = ReduceSum <keepdims = 0> (each, last)
    kl_once = ReduceSum <keepdims = 0> (kl_per_dimension, last)
    axes = Shape(reconstruction)  kl = Expand(kl_once, axes)  elbo = Sub(reconstruction, kl)
    epsilon2 = Mul(epsilon, epsilon)  z2 = Mul(z, z)  gained = Add(epsilon2, log_variance)
    twice = Sub(gained, z2)  ratios = Mul(twice, half)
    log_ratio = ReduceSum <keepdims = 0> (ratios, last)  log_weight = Add(reconstruction, log_ratio)
}""",
    "exact": """
exact (float[batch, 2, 2] x, LABEL) => (float[batch, 1] log_weight) {
    shift = Gather(shifts, label)  logits = Add(pixels, shift)  rows = Reshape(x, flat)"""
    + _LOG_PROB
    + """
    log_weight = ReduceSum(each, last)
}""",
    "complete": """
complete (float[batch, 2, 2] x, float[batch, 2, 2] mask, float[batch, 2, 2] pixel) => (float[batch, 2, 2] x_out) {
    noise = Reshape(pixel, flat)  noisy = Add(noise, pixels)  on = Greater(noisy, zero)  bits = Cast <to = 1> (on)
    drawn = Reshape(bits, images)  keep = Cast <to = 9> (mask)  x_out = Where(keep, x, drawn)
}""",
    "criticize": """
criticize (float[batch, 2, 2] x) => (float[batch] realness) {
    rows = Reshape(x, flat)  score = MatMul(rows, critic)  realness = Add(score, bias)
}""",
}
