"""Building: facts, tables and figures laid in `build/report/`, and typst run over them.

Everything that typst reads lies in that folder, so that nothing depends on where the repository
is. A PDF's date is that of the newest result, fonts are those within typst, and so the same
results give the same bytes. Its keyword is a fingerprint of all that it was made of, by which a
test notices that results are newer than the PDFs.
"""

import dataclasses
import datetime
import logging
import re
import shutil

from PIL import Image

from atelier import paths, storage
from atelier.errors import AtelierError
from atelier.report.checking import check_text, keys_used
from atelier.report.cropping import without_title
from atelier.report.facts import gather, with_outstanding
from atelier.report.tables import tables

log = logging.getLogger(__name__)

DOCUMENTS = {"report": "ProjectReport.pdf", "slides": "ProjectSlides.pdf"}
SOURCES = ("report.typ", "slides.typ", "look.typ", "references.yml", "literature.json")
WIDEST = 1240  # pixels of a figure in a PDF
_SMALL = 70_000  # bytes up to which a PNG is kept as it is: charts, whose edges JPEG would blur
_FIGURE = re.compile(r'#?(?:fig|img)\("([\w-]+)"')
_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


def build(root=None, folder=None, out=None):
    """Make both PDFs.

    Args:
        root: of the repository; None finds it.
        folder: where everything is laid; None is `build/report`.
        out: where the PDFs go; None is the root.

    Returns:
        List of paths of the PDFs.

    Raises:
        AtelierError: where a number in the text has no source, a fact is unknown, or typst is absent.
    """
    root = root or paths.root()
    folder = lay_out(root, folder or root / "build" / "report")
    return [compile_pdf(folder, name, (out or root) / file) for name, file in DOCUMENTS.items()]


def lay_out(root, folder):
    """Put what typst reads into a folder: texts, facts, tables, figures.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        shutil.copyfile(root / "report" / name, folder / name)
    texts = {
        f"{name}.typ": (folder / f"{name}.typ").read_text(encoding="utf-8") for name in DOCUMENTS
    }
    used = {key for text in texts.values() for key in keys_used(text)}
    facts = with_outstanding(root, gather(root), used)
    for name, text in texts.items():
        check_text(text, set(facts), name=name)
    names = {name for text in texts.values() for name in _FIGURE.findall(text)}
    made = {
        "date": newest(facts),
        "facts": {key: dataclasses.asdict(fact) for key, fact in facts.items()},
        "tables": tables(root, facts),
        "figures": {name: _figure(root, folder, name) for name in sorted(names)},
    }
    mark = storage.fingerprint([made, _sums(root, names)])
    storage.write_json(folder / "facts.json", {"fingerprint": mark, **made})
    return folder


def _sums(root, names):
    """Checksums of the texts and of the figures that they show."""
    files = [root / "report" / name for name in SOURCES]
    files += [root / "figures" / f"{name}.png" for name in sorted(names)]
    return [storage.file_sha256(file) for file in files if file.is_file()]


def newest(facts):
    """The date of the newest result, as in `2026-11-22`."""
    dates = [fact.value for key, fact in facts.items() if key.endswith(".date") and fact.value]
    return max(dates, default=_EPOCH.date().isoformat())


def _figure(root, folder, name):
    """Lay a figure into the folder; its name there, or None where it is not drawn yet."""
    source = root / "figures" / f"{name}.png"
    if not source.is_file():
        return None
    picture = Image.open(source).convert("RGB")
    if not name.startswith("app_"):
        picture = without_title(picture)
    if source.stat().st_size < _SMALL and picture.width <= WIDEST:
        with storage.atomic_path(folder / source.name) as temporary:
            picture.save(temporary, optimize=True)
        return source.name
    if picture.width > WIDEST:
        height = round(picture.height * WIDEST / picture.width)
        picture = picture.resize((WIDEST, height), Image.Resampling.LANCZOS)
    made = folder / f"{name}.jpg"
    with storage.atomic_path(made) as temporary:
        picture.save(temporary, quality=86, subsampling=0, optimize=True)
    return made.name


def compile_pdf(folder, name, path):
    """Run typst over one document, whole or not at all.

    Args:
        folder: laid out by `lay_out`.
        name: "report" or "slides".
        path: of the PDF.

    Returns:
        The path.
    """
    typst = _typst()
    day = datetime.date.fromisoformat(storage.read_json(folder / "facts.json")["date"])
    stamp = datetime.datetime.combine(day, datetime.time(), tzinfo=datetime.UTC)
    with storage.atomic_path(path) as temporary:
        _run(
            typst,
            typst.compile,
            folder / f"{name}.typ",
            output=str(temporary),
            format="pdf",
            timestamp=int(stamp.timestamp()),
        )
    log.info("%s, %d kB", path, path.stat().st_size // 1000)
    return path


def pages(folder, name, ppi=None):
    """Pages of a document as PNG files' bytes.

    Args:
        folder: laid out by `lay_out`.
        name: "report" or "slides".
        ppi: pixels an inch.
    """
    typst = _typst()
    made = _run(typst, typst.compile, folder / f"{name}.typ", format="png", ppi=ppi or 100)
    return made if isinstance(made, list) else [made]


def _run(typst, compile_, source, **options):
    try:
        return compile_(
            str(source),
            root=str(source.parent),
            ignore_system_fonts=True,  # those within typst are the same everywhere
            sys_inputs={"document": source.stem},
            **options,
        )
    except typst.TypstError as error:
        first = str(error).splitlines()[0]
        raise AtelierError(
            f"{source.name} to compile", first, "Correct the text in report/."
        ) from error


def _typst():
    try:
        import typst
    except ModuleNotFoundError as error:
        raise AtelierError(
            "the package typst", "no such package", "Run `pip install '.[report]'`."
        ) from error
    return typst
