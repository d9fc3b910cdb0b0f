"""The public collections that Atelier reads, each a small declaration.

Pictures are never part of this repository: each is fetched by whoever wants it,
under the terms of its publisher, which the notes below repeat as stated there.
"""

import difflib
from dataclasses import dataclass

from atelier.errors import AtelierError


@dataclass(frozen=True)
class Source:
    """A public collection.

    Attributes:
        name: its folder in `data/` and its name on the command line.
        title: what people call it.
        handles: (kind, handle) for kagglehub, tried in turn; kind is "dataset" or "competition".
        url: a zip for those that are not on Kaggle.
        layout: what `atelier.data.layouts.layout_of` says of it; "lists" holds no pictures.
        expects: what its root holds, in words.
        page: where people read about it, accept its rules and download it by hand.
        citation: whom to name.
        licence: the publisher's terms, in short.
        by_hand: what to do when the download is refused.
    """

    name: str
    title: str
    layout: str
    expects: str
    page: str
    citation: str
    licence: str
    by_hand: str
    handles: tuple[tuple[str, str], ...] = ()
    url: str | None = None


_RESEARCH_ONLY = (
    "Non-commercial research only, under WikiArt.org's terms of use; many artists are in copyright."
)

BEST_ARTWORKS = Source(
    name="best-artworks-of-all-time",
    title="Best Artworks of All Time",
    handles=(("dataset", "ikarus777/best-artworks-of-all-time"),),
    layout="artists",
    expects="artists.csv and images/images/<Artist>/<Artist>_<n>.jpg",
    page="https://www.kaggle.com/datasets/ikarus777/best-artworks-of-all-time",
    citation="Icaro (2019). Best Artworks of All Time. Kaggle; pictures from artchallenge.ru.",
    licence="CC BY-NC-SA 4.0 as stated on Kaggle; check the page before redistributing pictures.",
    by_hand="Download the zip (2 GB) from its page while signed in",
)
WIKIART = Source(
    name="wikiart",
    title="WikiArt",
    handles=(("dataset", "steubk/wikiart"),),
    layout="wikiart",
    expects="27 style folders of <artist-name>_<title>.jpg",
    page="https://www.kaggle.com/datasets/steubk/wikiart",
    citation="WikiArt.org; Saleh and Elgammal (2015), arXiv:1505.00855; Kaggle edition by steubk.",
    licence=_RESEARCH_ONLY,
    by_hand="Download the zip (over 30 GB) from its page while signed in",
)
ARTGAN_LISTS = Source(
    name="wikiart_csv",
    title="ArtGAN's lists for WikiArt",
    url="http://web.fsktm.um.edu.my/~cschan/source/ICIP2017/wikiart_csv.zip",
    layout="lists",
    expects="{artist,genre,style}_class.txt, _train.csv and _val.csv",
    page="https://github.com/cs-chan/ArtGAN/tree/master/WikiArt%20Dataset",
    citation="Tan, Chan, Aguirre and Tanaka (2019). Improved ArtGAN for Conditional Synthesis of "
    "Natural Image and Artwork. IEEE Transactions on Image Processing 28(1), 394-409.",
    licence=_RESEARCH_ONLY,
    by_hand="Download wikiart_csv.zip by the link on its page, or the lists from its folders",
)
PAINTER_BY_NUMBERS = Source(
    name="painter-by-numbers",
    title="Painter by Numbers",
    handles=(("competition", "painter-by-numbers"),),
    layout="painter-by-numbers",
    expects="all_data_info.csv and the pictures it names, in folders such as train/ and test/",
    page="https://www.kaggle.com/competitions/painter-by-numbers",
    citation="Nichol (2016). Painter by Numbers. Kaggle; pictures mostly from WikiArt.org.",
    licence="The competition's rules; " + _RESEARCH_ONLY,
    by_hand="Join the competition on its page and download the files there (about 60 GB)",
)
GAN_GETTING_STARTED = Source(
    name="gan-getting-started",
    title="I'm Something of a Painter Myself",
    handles=(
        ("competition", "gan-getting-started"),
        ("dataset", "ayaderaghul/gan-getting-started-2"),
    ),
    layout="gan-getting-started",
    expects="monet_jpg/ (300 pictures) and photo_jpg/ (7,038)",
    page="https://www.kaggle.com/competitions/gan-getting-started",
    citation="Jang, Uzsoy and Culliton (2020). I'm Something of a Painter Myself. Kaggle.",
    licence="The competition's rules; check the page before redistributing pictures.",
    by_hand="Join the competition on its page and download the zip there",
)

SOURCES = {
    source.name: source
    for source in (BEST_ARTWORKS, WIKIART, ARTGAN_LISTS, PAINTER_BY_NUMBERS, GAN_GETTING_STARTED)
}
_OTHER_NAMES = {"artgan-lists": "wikiart_csv", "artgan": "wikiart_csv"}


def get_source(name):
    """The declaration of a public collection.

    Raises:
        AtelierError: if there is none of that name.
    """
    name = _OTHER_NAMES.get(name, name)
    if name not in SOURCES:
        near = difflib.get_close_matches(name, SOURCES, n=1, cutoff=0.4)
        raise AtelierError(
            f"a collection among {', '.join(SOURCES)}",
            repr(name),
            f"Did you mean {near[0]}?" if near else "Name one of these.",
        )
    return SOURCES[name]
