"""Losses and gradients of unpaired translation against the plain formulation."""

import keras
import numpy as np
import pytest
from keras import ops

from atelier.gradients import gradient_function, value_and_gradients
from atelier.translate import diffaugment
from atelier.translate.config import CUT_MONET, CYCLEGAN_MONET, FASTCUT_MONET
from atelier.translate.cut import patch_loss
from atelier.translate.engine import ThenLinear, distance, squares
from atelier.translate.networks import frozen
from atelier.translate.replay import ReplayBuffer
from atelier.translate.train import build

TINY = {
    "size": 32,
    "load_size": 36,
    "channels": 4,
    "blocks": 1,
    "critic_channels": 4,
    "critic_levels": 1,
    "replay": 4,
    "patches": 16,
    "head": 8,
    "precision": "float32",
}


def pictures(count=1, size=32, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 255, (count, size, size, 3)).astype("float32")


def gradients(loss, variables):
    """Gradients of a loss with respect to variables, as a list of arrays."""

    def with_values(values):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return loss()

    values = [ops.convert_to_numpy(variable) for variable in variables]
    found = gradient_function(with_values)(values)[1]
    return [ops.convert_to_numpy(x) for x in found]


def test_all_four_gradients_are_those_of_the_plain_formulation():
    config = CYCLEGAN_MONET.replace(augment=(), **TINY)
    gan, photo, monet = build(config), pictures(seed=1), pictures(seed=2)

    def ours():
        return gan.compute_loss((photo, monet), y_pred=gan((photo, monet)))

    def generators():
        painted, photographed = gan.to_monet(photo), gan.to_photo(monet)
        cycle = distance(gan.to_photo(painted), photo) + distance(gan.to_monet(photographed), monet)
        identity = distance(gan.to_photo(photo), photo) + distance(gan.to_monet(monet), monet)
        fooled = squares(gan.monet_critic(painted), 1) + squares(gan.photo_critic(photographed), 1)
        return fooled + 10 * cycle + 5 * identity

    def critic(network, generator, real, given):
        made = ops.stop_gradient(generator(given))
        return (squares(network(real), 1) + squares(network(made), 0)) / 2

    def critics():
        monet_critic = critic(gan.monet_critic, gan.to_monet, monet, photo)
        photo_critic = critic(gan.photo_critic, gan.to_photo, photo, monet)
        return monet_critic + photo_critic

    halves = {
        generators: [*gan.to_monet.trainable_variables, *gan.to_photo.trainable_variables],
        critics: [*gan.monet_critic.trainable_variables, *gan.photo_critic.trainable_variables],
    }
    found = iter(gradients(ours, [v for half in halves.values() for v in half]))
    for loss, variables in halves.items():
        expected = gradients(loss, variables)
        scale = max(np.abs(gradient).max() for gradient in expected)
        for wanted in expected:
            np.testing.assert_allclose(next(found), wanted, atol=1e-4 * scale)


@pytest.fixture
def small_body(monkeypatch):
    """A body of two taps in the place of a pretrained one."""

    def build(name, *, taps):
        assert (name, len(taps)) == ("vgg19", 2)
        picture = keras.Input((None, None, 3))
        first = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(picture)
        second = keras.layers.Conv2D(6, 3, strides=2, padding="same")(first)
        return keras.Model(picture, [first, second])

    monkeypatch.setattr("atelier.translate.aid.backbones.build_backbone", build)
    return {**TINY, "augment": (), "replay": 0, "aid": "vgg19", "aid_layers": ("a", "b")}


@pytest.mark.parametrize("recipe", [CYCLEGAN_MONET, CUT_MONET])
def test_aid_adds_its_losses_to_both_sides_and_its_body_stays_as_it_is(recipe, small_body):
    config = recipe.replace(**small_body, aid_weight=0.5)
    model, photo, monet = build(config), pictures(seed=1), pictures(seed=2)
    body, aid, critic = model.body, model.monet_aid, model.monet_critic
    assert not body.trainable_variables
    assert not {v.path for v in body.variables} & {v.path for v in model.trainable_variables}
    made = model.to_monet(photo)

    def plain(network, x, wanted):
        return squares(network(x), wanted)

    def heads(x, wanted):
        maps = body(aid.shrink(x))
        judged = [squares(head(m), wanted) for head, m in zip(aid.heads, maps, strict=True)]
        return 0.5 * sum(judged) / 2

    fooled, errors = model.against(critic, model.monets, monet, made, aid)
    assert float(fooled) == pytest.approx(float(plain(critic, made, 1) + heads(made, 1)), rel=1e-4)
    sides = ((monet, 1), (made, 0))
    expected = sum(float(plain(critic, x, wanted) + heads(x, wanted)) for x, wanted in sides) / 2
    assert float(errors) == pytest.approx(expected, rel=1e-4)


def test_heads_learn_from_their_errors_alone_and_the_generator_from_being_seen_through(small_body):
    gan = build(CYCLEGAN_MONET.replace(**small_body))
    photo, monet = pictures(seed=1), pictures(seed=2)
    heads, generator = gan.monet_aid.trainable_variables, gan.to_monet.trainable_variables

    def side(number):
        def loss():
            made = gan.to_monet(photo)
            return gan.against(gan.monet_critic, gan.monets, monet, made, gan.monet_aid)[number]

        return loss

    def reached(number, variables):
        return max(np.abs(gradient).max() for gradient in gradients(side(number), variables))

    assert reached(0, heads) == 0 < reached(1, heads)
    assert reached(1, generator) == 0 < reached(0, generator)


def test_what_identity_does_not_weigh_is_not_passed_through():
    gan = build(CYCLEGAN_MONET.replace(**TINY, augment=(), identity_weight=0.0))
    photo, monet = pictures(seed=1), pictures(seed=2)
    made = gan((photo, monet))
    np.testing.assert_array_equal(ops.convert_to_numpy(made["monet_as_it_is"]), monet)
    np.testing.assert_allclose(
        *(ops.convert_to_numpy(x) for x in (made["painted"], gan.to_monet(photo))), atol=1e-2
    )
    gan.compute_loss((photo, monet), y_pred=made)
    assert "identity" not in gan.terms


def test_a_frozen_network_passes_gradients_on_but_takes_none():
    gan = build(CYCLEGAN_MONET.replace(**TINY))
    critic, x = gan.monet_critic, pictures()
    np.testing.assert_allclose(
        ops.convert_to_numpy(frozen(critic, x)), ops.convert_to_numpy(critic(x)), atol=1e-5
    )
    for gradient in gradients(lambda: squares(frozen(critic, x), 1), critic.trainable_variables):
        assert not gradient.any()
    through = value_and_gradients(lambda x: squares(frozen(critic, x), 1), x)[1]
    assert np.abs(ops.convert_to_numpy(through)).max() > 0


@pytest.mark.parametrize("config", [CUT_MONET, FASTCUT_MONET])
def test_contrastive_losses_reach_generator_heads_and_critic(config):
    cut = build(config.replace(**TINY, batch_size=2))
    photo, monet = pictures(2, seed=1), pictures(2, seed=2)

    def loss():
        return cut.compute_loss((photo, monet), y_pred=cut((photo, monet)))

    kernels = [v for v in cut.trainable_variables if len(v.shape) > 1]
    found = {
        v.path: np.abs(g).max() for v, g in zip(kernels, gradients(loss, kernels), strict=True)
    }
    assert min(found.values()) > 0, found


@pytest.mark.once
def test_a_patch_is_told_by_its_own_key():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 5, 8)).astype("float32")
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    right = float(patch_loss(ops.convert_to_tensor(x), ops.convert_to_tensor(x), 0.07))
    wrong = float(patch_loss(ops.convert_to_tensor(x), ops.convert_to_tensor(x[:, ::-1]), 0.07))
    cosines = np.einsum("bnd,bmd->bnm", x, x) / 0.07
    chosen = np.exp(cosines) / np.exp(cosines).sum(axis=-1, keepdims=True)
    expected = -np.log(np.einsum("bnn->bn", chosen)).mean()
    assert right == pytest.approx(expected, rel=1e-4)
    assert wrong > right + 1


def test_the_store_gives_back_what_it_was_given():
    store, given, swapped = ReplayBuffer(4, 8, 2, seed=3), [], 0
    for turn in range(30):
        new = np.full((2, 8, 8, 3), turn, "float32")
        new[1] += 100
        given += list(new[:, 0, 0, 0])
        back = ops.convert_to_numpy(store(new))[:, 0, 0, 0]
        assert set(back) <= set(given)
        if turn < 2:  # it is filling up
            np.testing.assert_array_equal(back, new[:, 0, 0, 0])
        swapped += int((back != new[:, 0, 0, 0]).sum())
        kept = set(ops.convert_to_numpy(store.kept)[:, 0, 0, 0].tolist())
        assert turn < 1 or (len(kept) == 4 and kept <= set(given))
    assert 15 < swapped < 45  # about half of 56
    assert int(store.count) == 4


def test_a_store_of_nothing_is_none():
    x = pictures(2)
    np.testing.assert_array_equal(ops.convert_to_numpy(ReplayBuffer(0, 32, 2)(x)), x)
    np.testing.assert_array_equal(ops.convert_to_numpy(ReplayBuffer(1, 32, 2)(x)), x)


def drawn(**values):
    names = ("brightness", "saturation", "contrast", "down", "across", "row", "column")
    found = dict.fromkeys(names, 0.5) | values
    return {name: np.float32([value]) for name, value in found.items()}


def test_the_neutral_draw_changes_no_color():
    x = pictures(1)
    same = diffaugment.augment(x, drawn(), ("color", "translation"))
    np.testing.assert_allclose(ops.convert_to_numpy(same), x, atol=1e-2)


def test_a_shift_moves_pictures_and_leaves_grey_behind():
    x = pictures(1)
    moved = diffaugment.augment(x, drawn(down=0.999, across=0.0), ("translation",))
    moved = ops.convert_to_numpy(moved)
    np.testing.assert_allclose(moved[:, :-4, 4:], x[:, 4:, :-4], atol=1e-2)
    np.testing.assert_allclose(moved[:, -4:], 127.5, atol=1e-2)
    np.testing.assert_allclose(moved[:, :, :4], 127.5, atol=1e-2)


def test_a_hole_is_half_a_side_and_grey():
    x = pictures(1)
    holed = ops.convert_to_numpy(diffaugment.augment(x, drawn(), ("cutout",)))
    np.testing.assert_allclose(holed[:, 8:24, 8:24], 127.5, atol=1e-2)
    np.testing.assert_allclose(holed[:, :8], x[:, :8], atol=1e-2)
    assert diffaugment.augment(x, drawn(), ()) is x


def test_draws_are_of_their_generator():
    first, second = (diffaugment.draw(3, keras.random.SeedGenerator(seed)) for seed in (1, 1))
    for name in first:
        np.testing.assert_array_equal(*(ops.convert_to_numpy(d[name]) for d in (first, second)))
        assert first[name].shape == (3,)


@pytest.mark.once
def test_the_rate_stays_then_falls():
    schedule = ThenLinear(2e-4, 100, final=0.1)
    rates = [float(schedule(step)) for step in (0, 50, 75, 100)]
    assert rates == pytest.approx([2e-4, 2e-4, 1.1e-4, 0.2e-4], rel=1e-5)
    assert ThenLinear.from_config(schedule.get_config()).final == 0.1
