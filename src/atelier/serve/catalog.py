"""The trained models that pages offer, and what to do for those that are not here."""

import dataclasses
import logging

from atelier import models, registry
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

CHAMPION, CHALLENGER = "artist@champion", "artist@challenger"


@dataclasses.dataclass(frozen=True)
class Offer:
    """A model that a page knows of.

    Attributes:
        name: its folder in `models/`.
        title: for people.
        remedy: how one gets it where it is not there.
    """

    name: str
    title: str
    remedy: str = "It comes with the repository: get its folder in models/ again."


OURS = Offer("atelier", "Ours: 11 painters")
CLASSIFIERS = (
    OURS,
    Offer("atelier_all_painters", "Ours: 50 painters"),
    Offer("atelier_cnn", "Custom CNN: 11 painters"),
    Offer("resnet50_two_phase", "ResNet50: 11 painters", "Run notebook 03 to train it."),
    Offer("densenet121_movements", "Movements (DenseNet121)", "Run notebook 05 to train it."),
    Offer("efficientnetb2_style", "Art style (EfficientNetB2)", "Run notebook 06 to train it."),
    Offer("efficientnetb2_genre", "Genre (EfficientNetB2)", "Run notebook 06 to train it."),
)
TRANSLATORS = (
    Offer("cyclegan_monet", "CycleGAN"),
    Offer("cut_monet", "CUT"),
)


def sorted_by_presence(offers, kind):
    """(those that are here, those that are not), each a list of `Offer`.

    Args:
        offers: those that are known.
        kind: such as `models.CLASSIFIER`; what else of it lies in `models/` is here, too.
    """
    found = models.names(kind)
    here = [offer for offer in offers if offer.name in found]
    known = {offer.name for offer in offers}
    here += [Offer(name, name.replace("_", " ")) for name in found if name not in known]
    return here, [offer for offer in offers if offer.name not in found]


def absent_note(offers):
    """One line a model that is not here, Markdown; empty where all are."""
    return "\n".join(f"- **{offer.title}** is not here. {offer.remedy}" for offer in offers)


def version_of(alias):
    """The `registry.Version` that an alias means now; None where there is none, or it is damaged."""
    try:
        return registry.resolve(alias)
    except AtelierError as error:
        log.warning("%s cannot answer, the folder in models/ does: %s", alias, error)
        return None
