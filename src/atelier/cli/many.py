"""Painting many pictures: where each one goes, and what becomes of a bad one among them."""

import time
from pathlib import Path

import typer

from atelier.cli.output import progress_bar, show, show_json, stdout_to_stderr
from atelier.data.reading import pictures_in, read_rgb
from atelier.data.writing import SUFFIXES, check_suffix, write_picture
from atelier.errors import AtelierError


def targets_of(pictures, out, bits):
    """List of (picture to paint, file to write).

    Args:
        pictures: files and folders. One file goes to the file `out`, or into it where it has no
            ending; others go into the folder `out` under their names, pictures of a folder
            under their places in it.
        out: a file or a folder.
        bits: of the files; what cannot be written as it is becomes a PNG.

    Raises:
        AtelierError: if there are no pictures, or one would be written over.
    """
    if len(pictures) == 1 and not pictures[0].is_dir() and not out.is_dir() and out.suffix:
        check_suffix(out, bits)
        return [(pictures[0], out)]
    targets = [
        (file, _written(file, entry if entry.is_dir() else file.parent, out, bits))
        for entry in pictures
        for file in pictures_in([entry])
    ]
    if not targets:
        there = ", ".join(str(entry) for entry in pictures)
        raise AtelierError("pictures", f"none in {there}", "Name another folder.")
    written = [target for _, target in targets]
    files = {file.resolve() for file, _ in targets}
    lost = {path.name for path in written if written.count(path) > 1 or path.resolve() in files}
    if lost:
        raise AtelierError(
            "a folder to write to that keeps every picture",
            f"{', '.join(sorted(lost)[:3])} written over",
            "Name another --out, or rename pictures that differ in their ending alone.",
        )
    return targets


def _written(file, root, out, bits):
    keeps = bits == 8 and file.suffix.lower() in SUFFIXES
    return (out / file.relative_to(root)).with_suffix(file.suffix if keeps else ".png")


def paint_each(targets, paint, note, *, bits, as_json):
    """Paint every target, and tell of it; a bad picture among several is skipped and named.

    Args:
        targets: from `targets_of`.
        paint: (h, w, 3) uint8 -> (rows, columns, 3) in [0, 255].
        note: how it is made, kept in each file beside the picture's name.
        bits: of the files.
        as_json: tell it as JSON.

    Raises:
        AtelierError: of the picture, if there is only one or none is good.
    """
    done, skipped = [], []
    with stdout_to_stderr(), progress_bar("Painting") as progress:
        for number, (file, out) in enumerate(targets, start=1):
            began = time.perf_counter()
            try:
                pixels = paint(read_rgb(file))
            except AtelierError as error:
                if len(targets) == 1:
                    raise
                skipped.append((file, str(error)))
                continue
            done.append({"file": out, "seconds": round(time.perf_counter() - began, 2)})
            write_picture(out, pixels, note={"content": Path(file).name, **note}, bits=bits)
            progress(number, len(targets))
    _tell(done, skipped, as_json)
    if not done:
        raise AtelierError("at least one readable picture", skipped[0][1], "Name another folder.")


def _tell(done, skipped, as_json):
    if as_json:
        show_json({"painted": done, "skipped": skipped})
        return
    for row in done:
        show(f"{row['file']}: {row['seconds']:.2f} s")
    for path, reason in skipped:
        typer.echo(f"Skipped {path}: {reason}", err=True)
