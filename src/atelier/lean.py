"""Running a network on a large picture without keeping every map that it makes."""

import collections

import keras


def run_lean(model, *inputs, instead=None):
    """Run a functional model layer by layer, each map dropped after its last use.

    Called as usual, a model keeps all its maps until it is done, which at the size of a screen is
    gigabytes; compiled, it would be compiled anew for every size.

    Args:
        model: a functional model of one output, in which every layer is called once.
        inputs: tensors or arrays, in the model's order.
        instead: dict of layer -> function that is called in its place.

    Returns:
        The output, a tensor of the backend.

    Raises:
        ValueError: if a layer is called several times, or there are several outputs.
    """
    steps = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    wanted = collections.Counter(id(x) for layer in steps for x in _flat(layer.input))
    made = {id(x) for x in (*model.inputs, *(layer.output for layer in steps))}
    if len(model.outputs) != 1 or not {*wanted, id(model.outputs[0])} <= made:
        raise ValueError(
            "Expected one output and every layer called once. "
            f"Received: {len(model.outputs)} outputs of {len(steps)} layers."
        )
    known = {
        id(x): keras.ops.convert_to_tensor(y) for x, y in zip(model.inputs, inputs, strict=True)
    }
    for layer in steps:
        names = [id(x) for x in _flat(layer.input)]
        given = [known[name] for name in names]
        for name in names:
            wanted[name] -= 1
            if not wanted[name]:
                del known[name]
        call = (instead or {}).get(layer, layer)
        known[id(layer.output)] = call(given if len(names) > 1 else given[0])
    return known[id(model.outputs[0])]


def _flat(tensors):
    return tensors if isinstance(tensors, list | tuple) else [tensors]
