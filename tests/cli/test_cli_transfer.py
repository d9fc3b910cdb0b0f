"""`atelier train` on another body."""

import pytest


@pytest.fixture
def trained(run, monkeypatch, tmp_path, atelier_root):
    """Run `atelier train` with these arguments up to the training; its result and its recipe."""
    seen = []
    monkeypatch.setattr("atelier.cli.training.read_collection", lambda data: tmp_path)
    monkeypatch.setattr(
        "atelier.classify.train.train", lambda recipe, *_, **__: seen.append(recipe) or tmp_path
    )
    return lambda *arguments: (run("train", *arguments), seen)


def test_a_body_and_a_cut_are_put_in_the_recipe(trained):
    options = ("--backbone", "densenet169", "--cut", "pool4_conv")
    result, (recipe,) = trained("resnet50_two_phase", *options)
    assert result.exit_code == 0, result.stderr
    assert (recipe.name, recipe.backbone) == ("resnet50_two_phase", "densenet169")
    assert recipe.cut == "pool4_conv"


def test_a_cut_alone_keeps_the_recipes_body(trained):
    _, (recipe,) = trained("resnet50_two_phase", "--cut", "conv4_block6_out")
    assert (recipe.backbone, recipe.cut) == ("resnet50", "conv4_block6_out")


def test_a_recipe_without_a_body_or_an_unknown_body_is_one_line(trained):
    for arguments, word in (
        (("published_cnn", "--backbone", "vgg19"), "Leave out --backbone"),
        (("resnet50_two_phase", "--backbone", "vgg91"), "vgg19"),
    ):
        result, seen = trained(*arguments)
        assert result.exit_code == 1
        assert seen == []
        assert word in result.stderr
        assert len(result.stderr.splitlines()) == 1
