"""The estimate of memory against what a process of its own takes."""

import subprocess
import sys

import pytest

from atelier.errors import AtelierError
from atelier.stylize import memory
from atelier.stylize.features import Features, map_bytes

MEASURED = """
import numpy as np
from atelier.stylize import memory
from atelier.stylize.gatys import features_of, stylize
from atelier.stylize.presets import ATELIER
layers = ("block1_conv1", "block2_conv1")
config = ATELIER.replace(content_layers=("block2_conv1",), style_layers=layers,
    style_layer_weights=(1.0, 1.0), size=448, sizes=1, steps=2)
features = features_of(config, weights=None)
picture = np.random.default_rng(0).integers(0, 256, (448, 448, 3), "uint8")
print(memory.estimate_bytes(features, (448, 448)))
stylize(picture, picture, config, features=features)
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(peak[0].split()[1]) * 1024)  # what getrusage says counts the parent's too
"""


@pytest.fixture(scope="module")
def features():
    return Features("vgg19", ("block1_conv2",), ("block1_conv1",), padding=16, weights=None)


def test_maps_are_counted_with_the_reflection_around_them(features):
    sizes = map_bytes(features, (64, 96))
    assert max(sizes) == 4 * 96 * 128 * 64
    assert sizes[-2:] == [4 * 96 * 128 * 64] * 2  # both convolutions


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
def test_the_estimate_is_within_a_third_of_the_measured_peak():
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True
    )
    estimated, peak = map(int, done.stdout.split())
    assert estimated == pytest.approx(peak, rel=0.3)


def test_what_will_not_fit_is_refused_with_a_size_that_does(features, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000 * memory.MB)
    memory.check_memory(features, (64, 64))
    with pytest.raises(AtelierError, match=r"GB of free memory .* Choose a size of \d+ or less"):
        memory.check_memory(features, (4000, 4000))
