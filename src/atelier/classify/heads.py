"""Heads: from a body's feature maps to class probabilities.

Each takes (batch, rows, columns, channels) and gives (batch, units), on which
`probabilities` puts the last layer. Names of their layers begin with `head_`,
by which `classify.trainable` tells them from the body.

Sources: `flatten_512_16` is the head of the predecessor's ResNet50 on 11
painters. `pooled` is that of the published DenseNet-121 and EfficientNet-B0
classifiers. `artist`, `stack` and `cnn_gru` are those of the published
EfficientNet-B2 on ArtGAN's lists; squeeze-and-excitation is Hu et al. 2017
(arXiv:1709.01507), the gated recurrent unit Cho et al. 2014 (arXiv:1406.1078).
Differs: where the published text gives no width or activation, ours is a default below.
"""

from keras import layers

from atelier.errors import AtelierError

POOL = "head_pool"  # a pooling layer of this name may be computed once, with a frozen body


def probabilities(x, num_classes):
    """Softmax in float32: bfloat16 would round probabilities to three digits."""
    return layers.Dense(num_classes, activation="softmax", dtype="float32", name="probabilities")(x)


def flatten_512_16(x, *, units=(512, 16), pool=1, dropout=0.0):
    """Flatten, then a Dense, batch normalisation and ReLU for each width.

    Args:
        x: feature maps of a fixed size.
        units: widths of the hidden layers.
        pool: mean over squares of so many positions first; 1, as published, keeps all.
        dropout: share of each hidden layer dropped while training; none as published.
    """
    if pool > 1:
        x = layers.AveragePooling2D(pool, padding="same", name=POOL)(x)
    x = layers.Flatten(name="head_flatten")(x)
    return _hidden(x, units, (dropout,) * len(units), initializer="he_uniform")


def pooled(x, *, dropout=0.5, batch_norm=False):
    """Mean over positions, dropout, batch normalisation where asked for."""
    x = layers.GlobalAveragePooling2D(name=POOL)(x)
    x = layers.Dropout(dropout, name="head_dropout")(x)
    return layers.BatchNormalization(name="head_norm")(x) if batch_norm else x


def artist(x, *, units=1536, last=768, dropout=(0.4, 0.3), squeeze=16):
    """A residual block of Dense layers, squeeze-and-excitation, then a narrower layer.

    Args:
        x: feature maps.
        units: width of the residual block.
        last: width of the layer after it.
        dropout: after the first layer of the block, and after the last layer.
        squeeze: how many times narrower the excitation's hidden layer is.
    """
    x = layers.GlobalAveragePooling2D(name=POOL)(x)
    shortcut = layers.Dense(units, name="head_project")(x)
    y = _hidden(x, (units,), dropout[:1])
    y = layers.Dense(units, use_bias=False, name="head_residual")(y)
    y = layers.BatchNormalization(name="head_residual_norm")(y)
    y = _excited(y, units, squeeze)
    x = layers.ReLU(name="head_residual_relu")(layers.Add(name="head_add")([shortcut, y]))
    return _hidden(x, (last,), dropout[1:], name="head_last")


def stack(x, *, units=(1024, 512, 256), dropout=(0.3, 0.25, 0.2)):
    """Mean over positions, then narrowing Dense layers with batch normalisation and dropout."""
    return _hidden(layers.GlobalAveragePooling2D(name=POOL)(x), units, dropout)


def cnn_gru(x, *, units=256, columns=False, dropout=0.3):
    """Read the feature map line by line with a bidirectional gated recurrent unit.

    Args:
        x: feature maps of a fixed size.
        units: of the recurrent unit, in each direction.
        columns: read the columns too, with a unit of their own, beside the rows.
        dropout: share of what was read that is dropped while training.
    """
    read = [_read_lines(x, units, "rows")]
    if columns:
        turned = layers.Permute((2, 1, 3), name="head_turn")(x)
        read.append(_read_lines(turned, units, "columns"))
    x = layers.Concatenate(name="head_join")(read) if columns else read[0]
    return layers.Dropout(dropout, name="head_dropout")(x)


def _read_lines(x, units, name):
    """(b, lines, positions, channels) -> (b, 2 * units), the lines as a sequence."""
    _, lines, positions, channels = x.shape
    x = layers.Reshape((lines, positions * channels), name=f"head_{name}")(x)
    return layers.Bidirectional(layers.GRU(units), name=f"head_{name}_gru")(x)


def _hidden(x, units, dropout, *, name="head_hidden", initializer="glorot_uniform"):
    """Dense, batch normalisation, ReLU and dropout for each width."""
    for number, (width, share) in enumerate(zip(units, dropout, strict=True), start=1):
        stem = f"{name}{number}" if len(units) > 1 else name
        x = layers.Dense(width, kernel_initializer=initializer, name=stem)(x)
        x = layers.BatchNormalization(name=f"{stem}_norm")(x)
        x = layers.ReLU(name=f"{stem}_relu")(x)
        if share:
            x = layers.Dropout(share, name=f"{stem}_dropout")(x)
    return x


def _excited(x, units, squeeze):
    """Squeeze-and-excitation of a vector: each unit times a gate that sees them all."""
    gate = layers.Dense(max(1, units // squeeze), activation="relu", name="head_squeeze")(x)
    gate = layers.Dense(units, activation="sigmoid", name="head_excite")(gate)
    return layers.Multiply(name="head_gate")([x, gate])


HEADS = {head.__name__: head for head in (flatten_512_16, pooled, artist, stack, cnn_gru)}
FIXED_SIZE = ("flatten_512_16", "cnn_gru")  # heads that need to know the map's size


def build_head(name, features, **options):
    """Put a head on feature maps.

    Args:
        name: see `HEADS`.
        features: the body's output, (batch, rows, columns, channels).
        options: see the head.

    Returns:
        (batch, units).

    Raises:
        AtelierError: if no head has that name, or it takes no such option.
    """
    if name not in HEADS:
        raise AtelierError(
            f"one of the heads {', '.join(HEADS)}", repr(name), "Correct the recipe's head."
        )
    known = HEADS[name].__kwdefaults__
    if unknown := sorted(set(options) - set(known)):
        raise AtelierError(
            f"options of {name} among {', '.join(known)}",
            ", ".join(unknown),
            "Correct the recipe's head_options.",
        )
    return HEADS[name](features, **options)
