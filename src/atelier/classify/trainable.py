"""What learns in a phase: the head always, of the body as much as the phase says.

A phase's `trainable` is

    "all"          the whole body,
    "head"         nothing of the body,
    "last:50"      its last 50 layers,
    "after:40"     all but its first 40 layers, the input among them,
    (names...)     layers of these names; `*` stands for any letters.

Layers count as Keras lists them, those without weights too, as the published
scripts counted. Batch normalisation that does not learn also keeps its running
statistics, as Keras has it since 2.1.3; `batch_norm="frozen"` holds it so
throughout the body, whatever else learns.
"""

import fnmatch

import keras

from atelier.errors import AtelierError
from atelier.weights import check_layer


def body_and_head(network):
    """A network's layers in order, as two lists; its last layer at least is head."""
    parts = {True: [], False: []}
    for layer in network.layers:
        parts[layer.name.startswith("head_") or layer.name == "probabilities"].append(layer)
    return parts[False], parts[True]


def set_trainable(network, phase):
    """Let the layers learn that a phase names, and no others; compile afterwards.

    Raises:
        AtelierError: if the phase names a layer that is not there, or more than there are.
    """
    body, head = body_and_head(network)
    chosen = {layer.name for layer in _chosen(body, phase.trainable, network.name)}
    for layer in body:
        held = phase.batch_norm == "frozen" and isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = layer.name in chosen and not held
    for layer in head:
        layer.trainable = True


def _chosen(body, trainable, model_name):
    """The layers of the body that learn."""
    if trainable == "all":
        return body
    if trainable == "head":
        return []
    if isinstance(trainable, str):
        return _counted(body, trainable)
    names = [layer.name for layer in body]
    for pattern in trainable:
        if not fnmatch.filter(names, pattern):
            check_layer(names, pattern, model_name)
    return [
        layer
        for layer in body
        if any(fnmatch.fnmatchcase(layer.name, pattern) for pattern in trainable)
    ]


def _counted(body, trainable):
    """The layers that `last:N` or `after:N` means."""
    kind, _, text = trainable.partition(":")
    if kind not in ("last", "after") or not text.isdigit():
        raise AtelierError(
            "all, head, last:N, after:N or names of layers",
            repr(trainable),
            "Correct the phase's trainable.",
        )
    number = int(text)
    if number > len(body):
        raise AtelierError(
            f"at most the body's {len(body)} layers", trainable, "Correct the phase's trainable."
        )
    return body[len(body) - number :] if kind == "last" else body[number:]


def rates(network, body_rate):
    """Multiples of the learning rate, one for each of the network's trainable variables."""
    head = {id(v) for layer in body_and_head(network)[1] for v in layer.trainable_variables}
    return [1.0 if id(v) in head else float(body_rate) for v in network.trainable_variables]
