"""Gradients with respect to arrays, on TensorFlow and on JAX: the only code that knows a backend.

The function is written in `keras.ops`, and its weights are constants: only what it is
given as `inputs` is differentiated. Arrays go in from NumPy or the backend; tensors of
the backend come out, so that a loop (Gatys) never leaves the device.
`keras.ops.convert_to_numpy` brings them home.
"""

import keras
from keras import ops

from atelier.errors import AtelierError


def gradient_function(function, variables=(), *, has_aux=False):
    """Compile the gradients of a function once, to be called many times.

    Args:
        function: `function(inputs, *others)` gives a scalar, or `(scalar, aux)` with
            `has_aux`; `inputs` is an array, or a list or dict of arrays.
        variables: the Keras variables that it reads, such as `model.variables`. Later calls
            see their new values; on JAX those that are left out are frozen as they are now.
        has_aux: the function also gives tensors that are not differentiated.

    Returns:
        `compiled(inputs, *others)`, which gives the function's result and the scalar's
        gradients: float32, shaped as `inputs`, zero where it does not depend on them.
        It is compiled anew for every new shape of its arguments.

    Raises:
        AtelierError: if Keras runs on another backend.
    """
    return _prepare(function, variables, has_aux, compiled=True)


def value_and_gradients(function, inputs, *others, variables=(), has_aux=False):
    """What `gradient_function` gives, computed once without being compiled."""
    return _prepare(function, variables, has_aux, compiled=False)(inputs, *others)


def computed_whole(x):
    """The same tensor, kept by XLA from being fused with what reads it; so is its gradient.

    For the maps that Gram matrices are of, fusing is the slower way on a CPU. On TensorFlow,
    which does not compile with XLA here, nothing is done.
    """
    if keras.backend.backend() != "jax":
        return x
    import jax

    return jax.lax.optimization_barrier(x)


def _prepare(function, variables, has_aux, compiled):
    backend = keras.backend.backend()
    if backend not in _BACKENDS:
        raise AtelierError(
            f"Keras on {' or '.join(_BACKENDS)}, for gradients",
            f"Keras on {backend}",
            "Set KERAS_BACKEND to one of them and start again.",
        )
    differentiated = _BACKENDS[backend](function, list(variables), has_aux, compiled)

    def call(inputs, *others):
        inputs = keras.tree.map_structure(lambda x: ops.convert_to_tensor(x, "float32"), inputs)
        return differentiated(inputs, *others)

    return call


def _on_tensorflow(function, variables, has_aux, compiled):
    """A graph reads variables where they are, so it needs no list of them."""
    import tensorflow as tf

    def differentiated(inputs, *others):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            result = function(inputs, *others)
            value = result[0] if has_aux else result
        zero = tf.UnconnectedGradients.ZERO
        return result, tape.gradient(value, inputs, unconnected_gradients=zero)

    return tf.function(differentiated) if compiled else differentiated


def _on_jax(function, variables, has_aux, compiled):
    """Variables are handed over as arguments: a compiled function keeps what it closes over."""
    import jax

    def with_values(inputs, values, *others):
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
            return function(inputs, *others)

    differentiated = jax.value_and_grad(with_values, has_aux=has_aux)
    if compiled:
        differentiated = jax.jit(differentiated)

    def call(inputs, *others):
        return differentiated(inputs, [variable.value for variable in variables], *others)

    return call


_BACKENDS = {"tensorflow": _on_tensorflow, "jax": _on_jax}
