"""The predecessor's loop and ours go down the same slope."""

import keras
import numpy as np
import pytest
from keras import ops

from atelier.backbones import build_backbone
from atelier.gradients import gradient_function
from atelier.stylize.features import Features
from atelier.stylize.objective import Objective
from atelier.stylize.predecessor import PredecessorsLoss, predecessors_step
from atelier.stylize.presets import PRESETS
from atelier.stylize.styles import Style


def pictures(count=3, size=(40, 40)):
    return np.random.default_rng(0).integers(0, 256, (count, *size, 3), "uint8")


@pytest.mark.parametrize("name", ["vgg19_published", "resnet50_published"])
def test_ours_gives_the_predecessors_loss_and_gradient(name):
    config, (content, style, picture) = PRESETS[name].replace(size=40), pictures()
    keras.utils.set_random_seed(0)
    features = Features(config.backbone, config.content_layers, config.style_layers, weights=None)
    objective = Objective(content, [Style(style)], features, config, content.shape[:2])
    ours = gradient_function(objective, has_aux=True)
    body = build_backbone(config.backbone, taps=features.layers, weights=None)  # Keras's own layers
    body.set_weights(features.model.get_weights())
    theirs = PredecessorsLoss(np.float32(content)[None], np.float32(style)[None], config, body)
    (total, _), gradient = ours(np.float32(picture)[None])
    variable = keras.Variable(np.float32(picture)[None])
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build([variable])
    expected = predecessors_step(theirs, variable, optimizer)
    assert float(total) == pytest.approx(float(expected), rel=1e-4)
    moved = np.clip(np.float32(picture) - ops.convert_to_numpy(gradient)[0], 0, 255)
    found = ops.convert_to_numpy(variable.value)[0]
    scale = np.abs(moved - picture).max()
    np.testing.assert_allclose(found - picture, moved - picture, atol=1e-4 * scale + 1e-5)
