"""A body of two small blocks, and a transfer recipe that trains on it in seconds."""

import dataclasses

import pytest


def tiny_net(*, include_top, weights, input_tensor):
    """As the functions of Keras applications: ten layers after the input."""
    import keras
    from keras import layers

    x = input_tensor
    for number, channels in enumerate((4, 8, 8), start=1):
        x = layers.Conv2D(channels, 3, strides=2, padding="same", name=f"conv{number}")(x)
        x = layers.BatchNormalization(name=f"conv{number}_bn")(x)
        x = layers.ReLU(name=f"conv{number}_relu")(x)
    return keras.Model(keras.utils.get_source_inputs(x), x, name="tiny_net")


@pytest.fixture(scope="session")
def tiny_body():
    """The name of a small body, known to `backbones` while the tests run."""
    import keras

    from atelier.backbones import BACKBONES, Backbone

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.applications, "TinyNet", tiny_net, raising=False)
        patch.setitem(BACKBONES, "tiny", Backbone("tiny", "TinyNet", "tf", "tiny_notop.h5"))
        yield "tiny"


@pytest.fixture(scope="session")
def transfer_recipe(tiny_recipe, tiny_body):
    """The head from cached features, the upper body, the head again: three short phases."""
    from atelier.classify.recipe import Phase
    from atelier.data.augment import IDENTITY

    return tiny_recipe.replace(
        name="tiny_transfer",
        network="transfer",
        network_options={},
        backbone=tiny_body,
        cut="conv3_bn",
        weights=None,
        head="pooled",
        head_options={"dropout": 0.2, "batch_norm": True},
        augment=dataclasses.replace(IDENTITY, flip=True),
        phases=(
            Phase(
                "head",
                epochs=2,
                learning_rate=1e-2,
                trainable="head",
                augment=None,
                reduce_on_plateau=(0.5, 1, 1e-4),
            ),
            Phase(
                "upper_body",
                epochs=2,
                learning_rate=1e-2,
                trainable="last:4",
                body_rate=0.1,
                patience=3,
                reduce_on_plateau=(0.5, 1, 1e-4),
            ),
            Phase("head_again", epochs=2, learning_rate=1e-3, trainable="head", augment=None),
        ),
    )
