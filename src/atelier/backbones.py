"""Pretrained bodies by name, each with its preprocessing inside.

A body takes RGB in [0, 255] and gives feature maps. It can be cut at a named
layer, and tapped at several. Weights are ImageNet's, and are looked for in
`ATELIER_WEIGHTS` (see `weight_files`), then in Keras's cache, then downloaded.

Sources: the architectures, weights and preprocessing are those of Keras
applications (https://keras.io/api/applications), each with its own paper there,
and of keras-hub's image encoders (see `atelier.hub`).
"""

import contextlib
import dataclasses
import difflib
import logging
import os
import warnings
from pathlib import Path

import keras
import numpy as np
from keras import layers

from atelier import hub, paths
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

_NAMED = 8  # layers that an error names

# ImageNet's statistics as Keras's `preprocess_input` uses them.
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
TORCH_MEAN_RGB = tuple(255 * value for value in (0.485, 0.456, 0.406))
TORCH_STD = (0.229, 0.224, 0.225)


@dataclasses.dataclass(frozen=True)
class Backbone:
    """A body of Keras applications and what it expects."""

    name: str
    application: str  # of keras.applications
    preprocessing: str  # "caffe", "torch", "tf"; "inside" where the body scales by itself;
    # "efficientnet" where it does so, but for one factor
    file: str  # what Keras calls the weights without the top
    options: tuple = ()  # further arguments of the application
    size: int = 224  # pixels that the weights were trained at

    @property
    def cached(self):
        """Where Keras keeps the weights that it fetched."""
        home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
        return home / "models" / self.file


_KERNELS = "weights_tf_dim_ordering_tf_kernels"
_CATALOG = (
    Backbone("resnet50", "ResNet50", "caffe", f"resnet50_{_KERNELS}_notop.h5"),
    Backbone("resnet50v2", "ResNet50V2", "tf", f"resnet50v2_{_KERNELS}_notop.h5"),
    Backbone("vgg19", "VGG19", "caffe", f"vgg19_{_KERNELS}_notop.h5"),
    Backbone("densenet121", "DenseNet121", "torch", f"densenet121_{_KERNELS}_notop.h5"),
    Backbone("densenet169", "DenseNet169", "torch", f"densenet169_{_KERNELS}_notop.h5"),
    Backbone("mobilenetv2", "MobileNetV2", "tf", f"mobilenet_v2_{_KERNELS}_1.0_224_no_top.h5"),
    Backbone("efficientnetb0", "EfficientNetB0", "efficientnet", "efficientnetb0_notop.h5"),
    Backbone(
        "efficientnetb2", "EfficientNetB2", "efficientnet", "efficientnetb2_notop.h5", size=260
    ),
    Backbone(
        "efficientnetb4", "EfficientNetB4", "efficientnet", "efficientnetb4_notop.h5", size=380
    ),
    Backbone("efficientnetv2b0", "EfficientNetV2B0", "inside", "efficientnetv2-b0_notop.h5"),
    Backbone("efficientnetv2s", "EfficientNetV2S", "inside", "efficientnetv2-s_notop.h5", size=384),
    Backbone("convnext_tiny", "ConvNeXtTiny", "inside", "convnext_tiny_notop.h5"),
    Backbone("convnext_small", "ConvNeXtSmall", "inside", "convnext_small_notop.h5"),
)
BACKBONES = {backbone.name: backbone for backbone in (*_CATALOG, *hub.CATALOG)}


def get_backbone(name):
    """A `Backbone` or `HubBackbone` by name.

    Raises:
        AtelierError: if there is none; names that are near are listed.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    near = difflib.get_close_matches(str(name).lower(), BACKBONES, n=3, cutoff=0.3)
    raise AtelierError(
        f"a backbone among {', '.join(BACKBONES)}",
        repr(name),
        f"Did you mean {' or '.join(near or BACKBONES)}?",
    )


def build_backbone(name, *, cut=None, taps=None, image_size=(None, None), weights="imagenet"):
    """Build a body whose input is RGB in [0, 255].

    Args:
        name: see `BACKBONES`.
        cut: name of the last layer to keep; None keeps all but the classifier.
        taps: names of layers whose outputs are wanted, in order; None gives the
            last layer's alone. With taps and no cut, the body ends at the last of them.
        image_size: (height, width) in pixels; None leaves either free.
        weights: "imagenet", or None for random ones.

    Returns:
        A model, (batch, height, width, 3) -> (batch, rows, columns, channels), or a
        list of these, one for each tap.

    Raises:
        AtelierError: if there is no such body, no such layer with feature maps, or no weights.
    """
    backbone = get_backbone(name)
    inputs = keras.Input((*image_size, 3), name="image")
    body = _application(backbone, _preprocess(inputs, backbone.preprocessing))
    last = _last_layer(body, backbone.name, cut, taps or [])
    body = _until(body, [last], inputs)
    if weights is not None:
        body.set_weights(_pretrained(backbone, last).get_weights())
        _settle(body, backbone.preprocessing)
    return _until(body, taps, inputs) if taps else body


def _last_layer(body, name, cut, taps):
    """Name of the layer where the body ends; None for its own end."""
    order = [layer.name for layer in body.layers if len(layer.output.shape) == 4]
    wanted = [*taps, *([cut] if cut else [])]
    for layer in wanted:
        check_layer(order, layer, name)
    last = max(wanted, key=order.index, default=None)
    if cut and last != cut:
        raise AtelierError(
            f"taps of {name} no later than the cut at {cut}", last, "Cut later, or tap earlier."
        )
    return None if last == order[-1] else last


def check_layer(there, wanted, model_name):
    """Refuse the name of a layer that a model does not have.

    Raises:
        AtelierError: names those that are near.
    """
    if wanted not in there:
        near = difflib.get_close_matches(str(wanted), there, n=5, cutoff=0.4) or there[-5:]
        raise AtelierError(
            f"a layer of {model_name}", repr(wanted), f"Near it are {', '.join(near)}."
        )


def weight_files(name, last=None):
    """Files of `ATELIER_WEIGHTS` that would do for a body cut at `last`, likeliest first.

    `NAME_notop.weights.h5` holds the whole body, `NAME_to_LAYER.weights.h5` one that
    was cut at that layer, and Keras's own file name is understood too.
    """
    names = list(dict.fromkeys([f"{name}_notop.weights.h5", get_backbone(name).file]))
    return [f"{name}_to_{last}.weights.h5", *names] if last else names


def _application(backbone, inputs):
    if isinstance(backbone, hub.HubBackbone):
        return hub.body(hub.encoder(backbone), inputs)
    build = getattr(keras.applications, backbone.application)
    return build(include_top=False, weights=None, input_tensor=inputs, **dict(backbone.options))


def _until(model, names, inputs=None):
    """The part of a model that gives these layers' outputs; a name of None is its own output."""
    outputs = [model.get_layer(name).output if name else model.output for name in names]
    return keras.Model(
        model.input if inputs is None else inputs,
        outputs if len(outputs) > 1 else outputs[0],
        name=model.name,
    )


def _preprocess(x, how):
    """What the application's `preprocess_input` does, as layers that are saved with the model."""
    if how == "caffe":
        x = keras.ops.flip(x, axis=-1)  # RGB -> BGR
        return layers.Normalization(mean=CAFFE_MEAN_BGR, variance=(1.0,) * 3, name="preprocess")(x)
    if how == "torch":
        return layers.Normalization(
            mean=TORCH_MEAN_RGB,
            variance=tuple((255 * value) ** 2 for value in TORCH_STD),
            name="preprocess",
        )(x)
    if how == "tf":
        return layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocess")(x)
    return x


def _settle(body, how):
    """Let normalisation layers take up their weights, and what EfficientNet keeps beside them.

    Keras divides EfficientNet's normalised input by the square root of ImageNet's
    deviation once more, but only where it loads ImageNet's weights by itself.
    """
    for layer in body.layers:
        if isinstance(layer, layers.Normalization) and layer.weights:
            if how == "efficientnet":
                layer.adapt_variance.assign(layer.adapt_variance * np.float32(TORCH_STD))
            layer.finalize_state()


def _pretrained(backbone, last):
    """The body without preprocessing, until `last`, filled from the first file that fits."""
    folder = paths.weights_dir()
    if folder is not None:
        for file in weight_files(backbone.name, last):
            if (folder / file).is_file():
                return _until(_read_weights(backbone, folder / file), [last])
        for file in sorted(folder.glob(f"{backbone.name}_to_*.weights.h5")):
            if last and _reaches(backbone, file, last):
                return _until(_read_weights(backbone, file), [last])
    return _until(_download(backbone, folder, last), [last])


def _plain(backbone):
    return _application(backbone, keras.Input((None, None, 3)))


def _end_of(backbone, file):
    """The layer that a cut file's name ends at; None for a whole one."""
    if not file.name.startswith(f"{backbone.name}_to_"):
        return None
    return file.name.removeprefix(f"{backbone.name}_to_").removesuffix(".weights.h5")


def _reaches(backbone, file, last):
    """Whether a cut file reaches as far as `last`."""
    order = [layer.name for layer in _plain(backbone).layers]
    end = _end_of(backbone, file)
    return end in order and order.index(end) >= order.index(last)


def _read_weights(backbone, file):
    """The body, as far as the file goes, with its weights."""
    end = _end_of(backbone, file)
    if end is None and isinstance(backbone, hub.HubBackbone):
        return hub.body(_filled(hub.encoder(backbone), backbone, file))
    whole = _plain(backbone)
    if end:
        check_layer([layer.name for layer in whole.layers], end, f"{backbone.name}, by {file}")
    return _filled(_until(whole, [end]), backbone, file)


def _filled(model, backbone, file):
    """The model with the file's weights."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a layer that found nothing only warns
            model.load_weights(file)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        reason = str(error).strip().splitlines()[0]
        raise AtelierError(
            f"weights of {backbone.name} in {file}", reason, "Fetch the file again."
        ) from error
    log.info("Weights of %s: %s", backbone.name, file)
    return model


def _download(backbone, folder, last):
    """The whole body with the weights that Keras finds in its cache or fetches."""
    try:
        with _quiet():
            return _fetched(backbone)
    except Exception as error:  # Keras raises a bare Exception where a download fails
        places = f"{folder} (ATELIER_WEIGHTS)" if folder else "ATELIER_WEIGHTS, which is not set"
        files = ", ".join(_offered(backbone, folder, last)) or "none"
        until = f" up to {last}" if last else ""
        raise AtelierError(
            f"weights of {backbone.name}{until}: "
            f"{' or '.join(weight_files(backbone.name, last))} in {places}, "
            f"or {backbone.cached.name} in {backbone.cached.parent}",
            f"{files} at hand, and no download ({type(error).__name__})",
            "Put one of these files there, name layers that are there, or run once with a network.",
        ) from error


def _fetched(backbone):
    if isinstance(backbone, hub.HubBackbone):
        return hub.body(hub.encoder(backbone, fetch=True))
    build = getattr(keras.applications, backbone.application)
    return build(include_top=False, weights="imagenet", **dict(backbone.options))


def _offered(backbone, folder, last):
    """The files of a body that are at hand, and of cut ones the layers that they have."""
    files = [] if folder is None else sorted(folder.glob(f"{backbone.name}_*"))
    return [f"{file.name}{_with_layers(backbone, file, last)}" for file in files]


def _with_layers(backbone, file, last):
    names = [layer.name for layer in _plain(backbone).layers if len(layer.output.shape) == 4][1:]
    end = _end_of(backbone, file)
    if end not in names:
        return ""
    names = names[: names.index(end) + 1]
    near = difflib.get_close_matches(last, names, n=_NAMED, cutoff=0.0) if last else names[-_NAMED:]
    others = f" and {len(names) - len(near)} others" if len(near) < len(names) else ""
    return f" (with the layers {', '.join(sorted(near, key=names.index))}{others}, up to {end})"


@contextlib.contextmanager
def _quiet():
    """No progress bar of Keras between our own."""
    before = keras.config.is_interactive_logging_enabled()
    keras.config.disable_interactive_logging()
    try:
        yield
    finally:
        if before:
            keras.config.enable_interactive_logging()
