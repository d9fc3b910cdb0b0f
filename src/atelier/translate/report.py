"""What notebooks say of a trained translation: captions, distances by epoch, tables of methods."""

import time
import zlib

import keras
import numpy as np
import pandas as pd
from PIL import Image

from atelier import models, storage
from atelier.data.images import fit_picture
from atelier.data.reading import read_rgb
from atelier.environment import device_name, today
from atelier.plots.look import caption_line
from atelier.translate.cards import card_text
from atelier.translate.config import KIND, TranslateConfig
from atelier.translate.metrics import (
    absolute_error,
    floor_and_ceiling,
    judge,
    share_of_the_way,
)
from atelier.translate.networks import UPSAMPLINGS, build_generator
from atelier.translate.paint import Translator
from atelier.translate.watch import PICTURES, SNAPSHOTS, load_snapshot, seen_by

_CHECKED = 128  # pixels of the picture that shows a checkerboard; a quarter is a wave


def history(folder):
    """One row an epoch: all losses."""
    return pd.read_csv(models.find(folder, KIND) / "history.csv")


def caption(folder, data=None):
    """The line below a figure: data, the network's training, seed, device, date.

    Args:
        folder: of the network.
        data: what was painted; None is what it was trained on.
    """
    loaded = models.load(folder, KIND)
    metrics, recipe = loaded.metrics, loaded.recipe
    return caption_line(
        data=data or metrics["photos"],
        note=f"{metrics['recipe']}, {metrics['steps']:,} steps at {recipe['size']} pixels",
        seed=metrics["seed"],
        device=metrics["device"],
        date=metrics["date"],
    )


def at_size(pictures, size):
    """(n, size, size, 3) uint8 of (n, side, side, 3)."""
    return np.stack([fit_picture(np.uint8(picture), (size, size)) for picture in pictures])


def paintings_by_epoch(folder, columns=8):
    """Paintings of the same held-out photos, as training left them.

    Args:
        folder: of the network.
        columns: epochs at most, the first and the last among them.

    Returns:
        Dict of epoch -> list of pictures, empty where the run's pictures are not there.
    """
    files = sorted((models.find(folder, KIND) / PICTURES).glob("epoch-*.png"))
    rows = np.unique(np.linspace(0, len(files) - 1, columns).astype(int)) if files else []
    return {int(files[row].stem[-4:]): _paintings(files[row], folder) for row in rows}


def _paintings(path, folder):
    """The second column of a grid."""
    size = TranslateConfig.from_json(models.load(folder, KIND).recipe).whole_size
    grid = read_rgb(path)
    return [grid[top : top + size, size : 2 * size] for top in range(0, grid.shape[0], size)]


def judge_run(folder, domains, embedder):
    """Distances of a network and of the generators kept on its way; noted in its metrics.

    Held-out photos, at the scale of training, against all paintings. Where that was done before
    with the same features and pictures, it is read back.

    Args:
        folder: of the network.
        domains: `Domains` that it was trained on.
        embedder: an `Embedder`.

    Returns:
        Dict of the results, which `metrics.json` has as `judged`: `by_epoch`, a list of
        {epoch, fid, kid}, among them.
    """
    loaded = models.load(folder, KIND)
    config, metrics = TranslateConfig.from_json(loaded.recipe), loaded.metrics
    what = {"what": embedder.describe(), "photos": len(domains.held_out), "mark": domains.mark}
    known = metrics.get("judged", {})
    if {name: known.get(name) for name in what} == what:
        return known
    size = config.whole_size
    photos, monets = at_size(domains.held_out, size), at_size(domains.monets, size)
    vectors = embedder(monets)
    floor, ceiling = floor_and_ceiling(vectors, photos, embedder)
    network = loaded.model.get_layer("to_monet")

    def row(generator):
        painted = seen_by(generator, photos)
        return judge(painted, vectors, photos, embedder=embedder)

    judged = what | row(network) | {"floor": floor, "ceiling": ceiling}
    judged["way"] = share_of_the_way(judged["fid"], floor, ceiling)
    judged |= _returns(loaded.model, photos, monets)
    then = keras.models.clone_model(network)
    judged["by_epoch"] = []
    for path in sorted((loaded.folder / SNAPSHOTS).glob("*.npz")):
        load_snapshot(then, path)
        found = row(then)
        judged["by_epoch"].append(
            {"epoch": int(path.stem[-4:]), "fid": found["fid"], "kid": found["kid"]}
        )
    judged |= {"date": today(), "device": device_name()}
    metrics["judged"] = judged
    models.record(loaded.folder, metrics, card_text(config, metrics))
    return judged


def _returns(model, photos, monets):
    """Errors of the cycle, where there is a way back, and of paintings painted once more."""
    names = [layer.name for layer in model.layers]
    there = model.get_layer("to_monet")
    found = {"identity_error": absolute_error(monets, seen_by(there, monets))}
    if "to_photo" in names:
        back = model.get_layer("to_photo")
        found["cycle_error"] = absolute_error(photos, seen_by(back, seen_by(there, photos)))
    return found


def compare(ways, photos, monets, embedder, folder):
    """One row a method: distances of what it paints, and milliseconds a picture.

    What was painted is kept in `folder`, a file a method, and read back by a second call.

    Args:
        ways: dict of name -> (function of an (h, w, 3) uint8 photo, text that decides its result).
        photos: (n, h, w, 3) uint8.
        monets: (m, h, w, 3) uint8.
        embedder: an `Embedder`.
        folder: where the pictures are kept.

    Returns:
        (table, dict of name -> (n, h, w, 3) uint8). The table begins with real paintings and
        ends with each method; `way` is 0 for real paintings and 1 for untouched photos.
    """
    vectors = embedder(monets)
    floor, ceiling = floor_and_ceiling(vectors, photos, embedder)
    rows, painted = [{"method": "paintings among themselves", "fid": floor, "way": 0.0}], {}
    for name, (paint, mark) in ways.items():
        pictures, milliseconds = _kept(name, paint, photos, folder, mark)
        found = judge(pictures, vectors, photos, embedder=embedder)
        way = share_of_the_way(found["fid"], floor, ceiling)
        rows.append({"method": name, **found, "way": way, "milliseconds": milliseconds})
        painted[name] = pictures
    return pd.DataFrame(rows), painted


def _kept(name, paint, photos, folder, mark):
    """Pictures of a method and milliseconds of one, painted or read back."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.replace(' ', '_')}.npz"
    mark = storage.fingerprint([mark, zlib.crc32(photos.tobytes())])
    if path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["mark"]) == mark:
                return kept["pictures"], float(kept["milliseconds"])
    paint(photos[0])  # compiles
    began = time.perf_counter()
    made = [np.uint8(np.rint(np.clip(paint(photo), 0, 255))) for photo in photos]
    milliseconds = 1000 * (time.perf_counter() - began) / len(photos)
    with storage.atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, pictures=np.stack(made), milliseconds=milliseconds, mark=mark)
    return np.stack(made), milliseconds


def cycle_pictures(folder, photos):
    """Paintings of photos, and maps of what is lost when they become photos again.

    Args:
        folder: of a network that knows the way back.
        photos: list of (h, w, 3) uint8.

    Returns:
        Two lists: paintings, and the mean absolute difference of photo and photo again, as
        (h, w, 3) uint8 pictures on which 64 levels are white; the photos themselves are
        others', and are not shown.
    """
    there, back = Translator(folder), Translator(folder, reverse=True)
    painted = [np.uint8(np.rint(there(photo))) for photo in photos]
    lost = []
    for photo, painting in zip(photos, painted, strict=True):
        gap = np.abs(back(painting) - photo).mean(axis=-1)
        lost.append(np.repeat(np.uint8(np.clip(4 * gap, 0, 255))[..., None], 3, axis=-1))
    return painted, lost


def checkerboards(config, seed=0):
    """What untrained generators make of soft waves, by how they enlarge maps.

    Args:
        config: a `TranslateConfig`.
        seed: of the weights.

    Returns:
        Dict of upsampling -> (picture about middle grey, contrast drawn out alike for all;
        root mean square of what alternates from pixel to pixel, in levels).
    """
    wave = np.sin(2 * np.pi * np.arange(_CHECKED) / (_CHECKED // 4))
    waves = np.float32(127.5 + 90 * wave[:, None] * wave[None])[None, :, :, None]
    made, found = {}, {}
    for upsampling in UPSAMPLINGS:
        keras.utils.set_random_seed(seed)
        network = build_generator(config.replace(upsampling=upsampling), "to_monet")
        picture = keras.ops.convert_to_numpy(network(np.repeat(waves, 3, axis=-1)))[0].mean(axis=-1)
        inner = picture[_CHECKED // 4 : -_CHECKED // 4, _CHECKED // 4 : -_CHECKED // 4]
        made[upsampling] = inner - inner.mean()
    most = max(max(np.abs(gap).max() for gap in made.values()), 1e-6)
    for upsampling, gap in made.items():
        spectrum, half = np.square(np.abs(np.fft.fft2(gap)) / gap.size), gap.shape[0] // 2
        power = spectrum[half].sum() + spectrum[:, half].sum() - spectrum[half, half]
        shown = Image.fromarray(np.uint8(127.5 + 127 * gap / most))
        large = np.array(shown.resize((256, 256), Image.Resampling.NEAREST))
        found[upsampling] = (np.repeat(large[..., None], 3, axis=-1), float(np.sqrt(power)))
    return found
