"""Where a body's pretrained weights are looked for, and how they are read.

`ATELIER_WEIGHTS` comes first, with whole files or those of a body that was cut (see
`weight_files`), then Keras's cache, then the download. What is missing is an error that names the
file, the places and the layers that are there.
"""

import contextlib
import difflib
import logging
import warnings

import keras

from atelier import hub, paths
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

_NAMED = 8  # layers that an error names


def weight_files(backbone, last=None):
    """Files of `ATELIER_WEIGHTS` that would do for a body cut at `last`, likeliest first.

    `NAME_notop.weights.h5` holds the whole body, `NAME_to_LAYER.weights.h5` one that
    was cut at that layer, and Keras's own file name is understood too.
    """
    names = list(dict.fromkeys([f"{backbone.name}_notop.weights.h5", backbone.file]))
    return [f"{backbone.name}_to_{last}.weights.h5", *names] if last else names


def at_hand(backbone, last=None):
    """Whether a body's weights up to a layer are in `ATELIER_WEIGHTS`, or in Keras's cache.

    Args:
        backbone: a `backbones.Backbone`.
        last: a layer; None asks for the whole body.
    """
    folder = paths.weights_dir()
    if backbone.cached.exists():
        return True
    if folder is None:
        return False
    if any((folder / file).is_file() for file in weight_files(backbone, last)):
        return True
    cut = folder.glob(f"{backbone.name}_to_*.weights.h5")
    return last is not None and any(_reaches(backbone, file, last) for file in cut)


def application(backbone, inputs):
    """The body on these inputs, with random weights and without preprocessing."""
    if isinstance(backbone, hub.HubBackbone):
        return hub.body(hub.encoder(backbone), inputs)
    build = getattr(keras.applications, backbone.application)
    return build(include_top=False, weights=None, input_tensor=inputs, **dict(backbone.options))


def until(model, names, inputs=None):
    """The part of a model that gives these layers' outputs; a name of None is its own output."""
    outputs = [model.get_layer(name).output if name else model.output for name in names]
    return keras.Model(
        model.input if inputs is None else inputs,
        outputs if len(outputs) > 1 else outputs[0],
        name=model.name,
    )


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


def pretrained(backbone, last):
    """The body without preprocessing, until `last`, filled from the first file that fits."""
    folder = paths.weights_dir()
    if folder is not None:
        for file in weight_files(backbone, last):
            if (folder / file).is_file():
                return until(_read_weights(backbone, folder / file), [last])
        for file in sorted(folder.glob(f"{backbone.name}_to_*.weights.h5")):
            if last and _reaches(backbone, file, last):
                return until(_read_weights(backbone, file), [last])
    return until(_download(backbone, folder, last), [last])


def _plain(backbone):
    return application(backbone, keras.Input((None, None, 3)))


def _end_of(backbone, file):
    """The layer that a cut file's name ends at; None for a whole one."""
    if not file.name.startswith(f"{backbone.name}_to_"):
        return None
    return file.name.removeprefix(f"{backbone.name}_to_").removesuffix(".weights.h5")


_ORDERS = {}  # by a body's name, the names of its layers from the input on


def _order(backbone):
    if backbone.name not in _ORDERS:
        _ORDERS[backbone.name] = [layer.name for layer in _plain(backbone).layers]
    return _ORDERS[backbone.name]


def _reaches(backbone, file, last):
    """Whether a cut file reaches as far as `last`."""
    order, end = _order(backbone), _end_of(backbone, file)
    return end in order and order.index(end) >= order.index(last)


def _read_weights(backbone, file):
    """The body, as far as the file goes, with its weights."""
    end = _end_of(backbone, file)
    if end is None and isinstance(backbone, hub.HubBackbone):
        return hub.body(_filled(hub.encoder(backbone), backbone, file))
    whole = _plain(backbone)
    if end:
        check_layer([layer.name for layer in whole.layers], end, f"{backbone.name}, by {file}")
    return _filled(until(whole, [end]), backbone, file)


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
            f"{' or '.join(weight_files(backbone, last))} in {places}, "
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
