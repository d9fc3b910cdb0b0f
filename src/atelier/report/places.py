"""Single facts: (key, file, place, form, whether it may be missing), and those derived from others.

The words of a place are as its file has them: `benchmarks/RUNS.md` is the record of benchmark
runs, and a notebook's outputs are its own.
"""

_RUNS = "benchmarks/RUNS.md"
_NOTEBOOK = {
    "01": "notebooks/01_explore_the_collection.ipynb",
    "02": "notebooks/02_custom_cnn.ipynb",
    "04": "notebooks/04_art_styles_efficientnet.ipynb",
    "05": "notebooks/05_movements_densenet_gradcam.ipynb",
    "06": "notebooks/06_artist_style_genre.ipynb",
    "07": "notebooks/07_our_classifier.ipynb",
    "08": "notebooks/08_style_transfer_gatys.ipynb",
}
_FAST, _REFERENCE = "models/fast/metrics.json", "models/atelier/reference.npz"
_RECIPE = "models/atelier/recipe.json"
_SETTINGS = "src/atelier/serve/settings.py"


def _said(key, notebook, pattern, form="as is"):
    return key, _NOTEBOOK[notebook], ("text", pattern), form


def _printed(key, notebook, near, row, column, form="as is"):
    return key, _NOTEBOOK[notebook], ("table", near, row, column), form


def _ran(key, pattern, form="as is"):
    return key, _RUNS, ("text", pattern), form


def _timed(key, near, row, column):
    return key, _RUNS, ("table", near, row, column), "as is"


_COLLECTION = [
    _said("data.painters", "01", r"painters\W+(\d+)\W+files\W"),
    _said("data.stated", "01", r"paintings that the table states\W+(\d+)", "count"),
    _said("data.files", "01", r"files found\W+(\d+)", "count"),
    _said("data.unreadable", "01", r"unreadable files\W+(\d+)", "word"),
    _said("data.twins.paintings", "01", r"(\d+) paintings are there more than once"),
    _said("data.twins.files", "01", r"more than once, in (\d+) files"),
    _said("data.grey", "01", r"(\d+) pictures are without color"),
    _said("data.grey.duerer", "01", r"without color; (\d+)%"),
    _said("data.leaking.share", "01", r"validation pictures with a twin\W+([\d.]+)%"),
    _said("data.largest.share", "01", r"largest class, share of its pictures\W+([\d.]+)%"),
    _said("data.mean", "01", r"mean\W+([\d.]+)\W+std", "0"),
    _said("data.median", "01", r"50%\W+([\d.]+)\W", "0"),
    _said("data.fewest", "01", r"\Wmin\W+([\d.]+)\W", "0"),
    _said("data.most", "01", r"\Wmax\W+([\d.]+)\W", "0"),
    _printed("data.twins.degas.paintings", "01", "paintings | files", "Edgar Degas", "1"),
    _printed("data.twins.degas.files", "01", "paintings | files", "Edgar Degas", "2"),
    _printed("data.twins.gogh.paintings", "01", "paintings | files", "Vincent van Gogh", "1"),
    _printed("data.twins.gogh.files", "01", "paintings | files", "Vincent van Gogh", "2"),
    _printed("leak.pictures", "02", "pictures | leaking", "random", "pictures"),
    _printed("leak.leaking", "02", "pictures | leaking", "random", "leaking"),
    (
        "data.classes",
        "figures/02_results.json",
        ("path", "published", "test", "per_class"),
        "length",
    ),
    _printed("data.train", "02", "train | val | test", "all", "train", "count"),
    _printed("data.val", "02", "train | val | test", "all", "val", "count"),
    _printed("data.test", "02", "train | val | test", "all", "test", "count"),
    _said("wikiart.pictures", "06", r"ours: ([\d,]+) pictures by"),
    _said("wikiart.painters", "06", r"pictures by (\d+) painters"),
    ("rights.year", "src/atelier/data/rights.py", ("text", r"DIED_BEFORE = (\d+)")),
]
_CLASSIFYING = [
    ("search.trials", _NOTEBOOK["02"], ("text", r"search (\d+) trials")),
    (
        "search.best",
        "models/published_cnn_search/trials.csv",
        ("cell", "*", "score"),
        "3",
    ),
    _ran("resnet_tuned.plain", r"read on test \(([\d.]+);"),
    _ran("spread.mean", r"mean ([\d.]+), standard deviation"),
    _ran("spread.deviation", r"standard deviation ([\d.]+)\."),
    _ran("atelier.milliseconds", r"answers one picture in (\d+) ms"),
    ("atelier.layers", _RECIPE, ("path", "network_options", "taps"), "word"),
    ("atelier.directions", _RECIPE, ("path", "network_options", "directions")),
    ("atelier.pixels", _RECIPE, ("path", "image_size", 0)),
    (
        "everyone.classes",
        "figures/07_results.json",
        ("path", "all painters", "test", "per_class"),
        "length",
    ),
    _printed("looks.once", "07", "looked_at | accuracy", "whole", "accuracy"),
    _printed("looks.thrice", "07", "looked_at | accuracy", "whole, mirrored, inner", "accuracy"),
    _printed("similar.first", "07", "queries | left_out", "test", "recall@1"),
    _printed("similar.ten", "07", "queries | left_out", "test", "recall@10"),
    _printed("similar.map", "07", "queries | left_out", "test", "map"),
    _said("odd.pictures", "07", r"'pictures': (\d+), 'odd'", "count"),
    _said("odd.odd", "07", r"'odd': (\d+)"),
    _said("odd.wrong", "07", r"'misclassified': (\d+)"),
    _said("odd.labels", "07", r"'label error': (\d+)"),
    _said("styles.by_painter", "04", r"commonest style: right for ([\d.]+) of"),
    _said("styles.unknown_painters", "04", r"By others: (\d+) pictures"),
    _printed("tasks.style.by_painter", "06", "a constant answer | knowing", "style", "2"),
    _printed("tasks.genre.by_painter", "06", "a constant answer | knowing", "genre", "2"),
    _printed("tasks.artist.constant", "06", "a constant answer | knowing", "artist", "1"),
    _printed("tasks.style.constant", "06", "a constant answer | knowing", "style", "1"),
    _printed("tasks.genre.constant", "06", "a constant answer | knowing", "genre", "1"),
    _printed("views.whole", "05", "view | accuracy", "whole", "accuracy"),
    _printed("views.middle", "05", "view | accuracy", "middle", "accuracy"),
    _printed("views.mean", "05", "view | accuracy", "mean of the six", "accuracy"),
    _said("movements.constant", "05", r"most frequent one: ([\d.]+) of"),
    ("movements.count", "figures/05_results.json", ("path", "DenseNet, 3 movements", "test", "per_class"), "word"),
    ("unknown.date", _REFERENCE, ("path", "date")),
    ("unknown.known", _REFERENCE, ("path", "measured", "known", "outlying"), "percent"),
    ("unknown.paintings", _REFERENCE, ("path", "measured", "paintings", "outlying"), "percent"),
    ("unknown.photographs", _REFERENCE, ("path", "measured", "photographs", "outlying"), "percent0"),
    ("unknown.paintings.auroc", _REFERENCE, ("path", "measured", "paintings", "auroc")),
    ("unknown.paintings.doubt", _REFERENCE, ("path", "measured", "paintings", "auroc_of_doubt_alone")),
    ("unknown.photographs.auroc", _REFERENCE, ("path", "measured", "photographs", "auroc")),
    ("unknown.photographs.doubt", _REFERENCE, ("path", "measured", "photographs", "auroc_of_doubt_alone")),
    ("unknown.n.known", _REFERENCE, ("path", "measured", "known", "pictures")),
    ("unknown.n.paintings", _REFERENCE, ("path", "measured", "paintings", "pictures")),
    ("unknown.n.photographs", _REFERENCE, ("path", "measured", "photographs", "pictures")),
    _timed("train.cnn.ratio", "benchmarks/classify.py", "custom CNN | ours, bfloat16", "ratio"),
    _timed("train.resnet.ratio", "benchmarks/classify.py", "ResNet50 | ours, bfloat16", "ratio"),
]  # fmt: skip
_PAINTING = [
    _printed("pair.none", "08", "picture | content | perceptual", "the content itself", "style"),
    *(
        _printed(f"pair.{name}.{field}", "08", "picture | content | perceptual", name, field)
        for name in ("vgg19", "resnet50", "ours")
        for field in ("content", "style")
    ),
    _printed("pair.ours.seconds", "08", "run | body | pixels", "ours", "seconds"),
    _said("search.paintings", "08", r"the cheapest of (\d+) trials"),
    _printed("search.cheapest.content", "08", "trial | learning_rate", "*", "content_distance"),
    _printed("search.cheapest.style", "08", "trial | learning_rate", "*", "style_distance"),
    _printed("search.rank.weight", "08", "rank correlation with", "style_weight", "1"),
    _printed("search.rank.style", "08", "rank correlation with", "style_distance", "1"),
    ("fast.date", _FAST, ("path", "date")),
    ("fast.parameters", _FAST, ("path", "parameters"), "count"),
    ("fast.pairs", _FAST, ("path", "pairs_seen"), "count"),
    ("fast.minutes", _FAST, ("path", "minutes"), "count"),
    ("fast.photographs", _FAST, ("path", "counts", "train", "photographs"), "count"),
    ("fast.paintings", _FAST, ("path", "counts", "train", "paintings"), "count"),
    ("fast.style", _FAST, ("path", "val_losses", "style"), "3"),
    ("fast.content", _FAST, ("path", "val_losses", "content"), "3"),
    ("fast.size", "models/fast/recipe.json", ("path", "size")),
    ("fast.code", "models/fast/recipe.json", ("path", "code")),
    _ran("fast.alone", r"about (\d+) alone"),
    _ran("fast.small", r"(512 x 512) in [\d.]+ s"),
    _ran("fast.small.seconds", r"512 x 512 in ([\d.]+) s \(median"),
    _ran("fast.small.memory", r"512 x 512 in [\d.]+ s [^)]*\) and ([\d.]+) GB"),
    _ran("fast.large", r"(1920 x 1080) in [\d.]+ s"),
    _ran("fast.large.seconds", r"1920 x 1080 in ([\d.]+) s"),
    _ran("fast.large.memory", r"1920 x 1080 in [\d.]+ s and ([\d.]+) GB"),
    _ran("methods.contents", r"on (\d+) contents x"),
    _ran("methods.styles", r"contents x (\d+) styles"),
    _ran("methods.pixels", r"styles at (\d+) px"),
    *(
        _timed(f"gatys.{body.lower()}.{kind}", "benchmarks/gatys.py", f"TensorFlow | {body} | {row}", "ratio")
        for body in ("VGG19", "ResNet50")
        for kind, row in (("plain", "ours, float32"), ("half", "ours, bfloat16"))
    ),
    _timed("gatys.before", "benchmarks/gatys.py", "TensorFlow | VGG19 | predecessor's", "seconds a step"),
    _timed("gatys.now", "benchmarks/gatys.py", "TensorFlow | VGG19 | ours, bfloat16", "seconds a step"),
    _timed("cyclegan.tensorflow", "benchmarks/cyclegan.py", "TensorFlow | ours | float32", "ratio"),
    _timed("cyclegan.jax", "benchmarks/cyclegan.py", "JAX | ours | float32", "ratio"),
    _timed("monet.milliseconds", "benchmarks/translate.py", "TensorFlow | cyclegan_monet", "milliseconds"),
    _timed("monet.memory", "benchmarks/translate.py", "TensorFlow | cyclegan_monet", "MB at the peak"),
]  # fmt: skip
_SERVING = [
    _ran("serve.start", r"First page ([\d.]+) s after"),
    _ran("serve.memory.before", r"memory ([\d,]+) MB before the last"),
    _ran("serve.memory.after", r"and ([\d,]+) MB after them"),
    _ran("serve.memory.growth", r"after them \(\+([\d.]+) %"),
    _ran("serve.soak", r"before the last ([\d,]+) requests"),
    _timed("serve.one", "benchmarks/serve.py", "1", "p50, s"),
    _timed("serve.many", "benchmarks/serve.py", "32", "p50, s"),
    _timed("serve.many.clients", "benchmarks/serve.py", "32", "clients at once"),
    _timed("serve.rate", "benchmarks/serve.py", "8", "requests a second"),
    ("serve.upload.bytes", _SETTINGS, ("text", r"max_bytes: int = ([\d_]+)"), "millions"),
    ("serve.upload.pixels", _SETTINGS, ("text", r"max_pixels: int = ([\d_]+)"), "millions"),
    ("serve.days", _SETTINGS, ("text", r"kept_days: int = (\d+)")),
    ("python", "pyproject.toml", ("text", r'requires-python = ">=([\d.]+),')),
    ("python.below", "pyproject.toml", ("text", r'requires-python = ">=[\d.]+,<([\d.]+)')),
]
_OURS = "07.one_body_fine_tuned"
_DERIVED = [
    ("gain.resnet", ("points", "03.the_same_tuned.test.accuracy", "03.resnet50_two_phases.test.accuracy"), "1"),
    ("gain.second_order", ("points", "07.deviations_and_covariances.test.accuracy", "07.a_ridge_instead.test.accuracy"), "1"),
    ("gain.layers", ("points", "07.four_earlier_layers.test.accuracy", "07.deviations_and_covariances.test.accuracy"), "1"),
    ("gain.pixels", ("points", "07.256_px_160_directions.test.accuracy", "07.four_earlier_layers.test.accuracy"), "1"),
    ("gain.all", ("points", f"{_OURS}.test.accuracy", "07.resnet50_two_phase.test.accuracy"), "1"),
    ("smaller.body", ("ratio", "07.a_second_body_densenet169.parameters", f"{_OURS}.parameters"), "1"),
    ("data.used", ("sum", "data.train", "data.val", "data.test"), "count"),
    ("times.fast", ("ratio", "09.gatys_vgg19_as_published.milliseconds", "09.fast.milliseconds"), "0"),
    ("times.ours", ("ratio", "09.gatys_ours.milliseconds", "09.fast.milliseconds"), "0"),
]  # fmt: skip
SINGLE = [
    *_COLLECTION,
    *_CLASSIFYING,
    *_PAINTING,
    *_SERVING,
    *((key, _source, place, form) for key, place, form in _DERIVED for _source in ("",)),
]
