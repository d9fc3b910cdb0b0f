"""DINOv2 and SigLIP as bodies: keras-hub's image encoders, their patch tokens as feature maps.

Every map is a layer to cut and tap at: `patches`, then `block_1_map` to
`block_12_map`, and `norm_map` after the last normalisation. All have the same size:
a row and column for every 14 or 16 pixels. The class token and registers take part
in the blocks, but not in the maps.

keras-hub is an extra: `pip install atelier-paintings[hub]`. Weights are looked for as
`NAME_notop.weights.h5` in `ATELIER_WEIGHTS`, as the encoder itself saves them, else
fetched from Kaggle; `encoder(get_backbone(NAME), fetch=True).save_weights(FILE)` writes one.

Sources: Oquab et al. 2023 (arXiv:2304.07193) for DINOv2, Darcet et al. 2023
(arXiv:2309.16588) for its registers, Zhai et al. 2023 (arXiv:2303.15343) for SigLIP;
blocks, sizes and weights are those of keras-hub's presets. Differs from keras-hub:
pictures need be neither square nor of one size; SigLIP's attention pooling is left out.
"""

import dataclasses
import os
from pathlib import Path

import keras
import numpy as np
from keras import ops

from atelier.errors import AtelierError
from atelier.tokens import MapTokens, PatchTokens, TokenMap


@dataclasses.dataclass(frozen=True)
class HubBackbone:
    """An image encoder of keras-hub and what it expects; see `backbones.Backbone`."""

    name: str
    model: str  # class of keras_hub.models
    handle: str  # of Kaggle's models, without the version; the preset's name ends it
    preprocessing: str
    options: dict  # of the class, as the preset has them
    size: int = 224  # pixels that the weights were trained at; DINOv2 in its last steps at 518

    @property
    def file(self):
        """What its weights are called in `ATELIER_WEIGHTS`."""
        return f"{self.name}_notop.weights.h5"

    @property
    def cached(self):
        """Where kagglehub keeps the preset."""
        cache = Path(os.environ.get("KAGGLEHUB_CACHE", "~/.cache/kagglehub")).expanduser()
        return cache / "models" / self.handle


_SMALL = {"num_layers": 12, "hidden_dim": 384, "num_heads": 6, "intermediate_dim": 1536}
_BASE = {"num_layers": 12, "hidden_dim": 768, "num_heads": 12, "intermediate_dim": 3072}
_REGISTERS = {"num_register_tokens": 4, "antialias_in_interpolation": True}


def _dinov2(name, options):
    handle = f"keras/dinov2/keras/{name}"
    return HubBackbone(name, "DINOV2Backbone", handle, "torch", {"patch_size": 14, **options})


CATALOG = (
    _dinov2("dinov2_small", _SMALL),
    _dinov2("dinov2_base", _BASE),
    _dinov2("dinov2_with_registers_small", {**_SMALL, **_REGISTERS}),
    _dinov2("dinov2_with_registers_base", {**_BASE, **_REGISTERS}),
    HubBackbone(
        "siglip_base",
        "SigLIPVisionEncoder",
        "keras/siglip/keras/siglip_base_patch16_224",
        "tf",
        {"patch_size": 16, **_BASE},
    ),
)


def load_keras_hub():
    """The module `keras_hub`, imported where it is used first.

    Raises:
        AtelierError: if it is not installed.
    """
    try:
        import keras_hub
    except ModuleNotFoundError as error:
        raise AtelierError(
            "keras-hub, for DINOv2 and SigLIP",
            "it is not installed",
            "Run `pip install keras-hub`, or choose another backbone.",
        ) from error
    return keras_hub


def encoder(backbone, *, fetch=False):
    """keras-hub's own model of an image encoder, with random weights or the preset's.

    Args:
        backbone: a `HubBackbone`.
        fetch: take the preset's weights from kagglehub's cache, or download them.
    """
    models = load_keras_hub().models
    if not fetch:
        return getattr(models, backbone.model)(**backbone.options)
    preset = models.Backbone.from_preset(Path(backbone.handle).name)
    return getattr(preset, "vision_encoder", preset)  # SigLIP's comes with one for text


def body(source, inputs=None):
    """An encoder's blocks one after another, each followed by its map, on weights of their own.

    Args:
        source: a model as `encoder` gives it.
        inputs: preprocessed pictures, symbolic; None makes an input of any size.

    Returns:
        A functional model, (batch, height, width, 3) -> (batch, rows, columns, channels).
    """
    inputs = keras.Input((None, None, 3)) if inputs is None else inputs
    projection, grid, front, blocks, norm = _parts(source)
    patches = _copied(projection, "patches", inputs)
    extra = len(front)
    antialias = getattr(source, "antialias_in_interpolation", False)
    tokens = PatchTokens(len(grid), extra, antialias, name="tokens")
    x = tokens(patches)
    tokens.set_weights([grid, front] if extra else [grid])
    for number, block in enumerate(blocks, start=1):
        x = _copied(block, f"block_{number}", x)
        kept = TokenMap(extra, name=f"block_{number}_map")([x, patches])
        x = MapTokens(extra, name=f"block_{number}_tokens")([x, kept])
    x = _copied(norm, "norm", x)
    outputs = TokenMap(extra, name="norm_map")([x, patches])
    return keras.Model(keras.utils.get_source_inputs(inputs), outputs, name=source.name)


def _parts(source):
    """(patch convolution, positions as a grid, tokens in front, blocks, last normalisation)."""
    if hasattr(source, "encoder_layers"):  # SigLIP
        first, blocks, norm = source.embedding, source.encoder_layers, source.post_layer_norm
        positions = ops.convert_to_numpy(first.position_embedding.embeddings)
        return first.patch_embedding, _square(positions), (), blocks, norm
    first, blocks, norm = source.embeddings, source.encoder.layers, source.layernorm
    (own, *positions) = ops.convert_to_numpy(first.position_embeddings)[0]
    front = [ops.convert_to_numpy(first.cls_token)[0] + own]
    if first.num_register_tokens:
        front.append(ops.convert_to_numpy(first.register_tokens)[0])
    projection = first.patch_embeddings.projection
    return projection, _square(np.array(positions)), np.concatenate(front), blocks, norm


def _square(positions):
    """(side * side, channels) -> (side, side, channels)."""
    side = round(len(positions) ** 0.5)
    return positions.reshape(side, side, -1)


def _copied(layer, name, x):
    """What a layer of the same kind and weights makes of x, under another name."""
    config = {key: value for key, value in layer.get_config().items() if key != "dtype"}
    copy = type(layer).from_config({**config, "name": name})
    outputs = copy(x)
    copy.set_weights(layer.get_weights())
    return outputs
