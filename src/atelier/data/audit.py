"""What is in a collection: each file checked, odd ones named, duplicates found.

Files are read once and in blocks; of each picture only a row of text and a
thumbnail on disk stay, so memory does not grow with the pictures' size and
hardly with their number. Nothing in the collection is changed.
"""

import dataclasses
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from atelier import storage
from atelier.data.duplicates import DuplicateConfig, leak_groups, near_pairs
from atelier.data.inspection import inspect_file
from atelier.data.thumbnails import thumbnail_store
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

BLOCK = 256  # files read before their reports are filed
LABELS = ("artist", "style", "genre", "movement")


@dataclasses.dataclass(frozen=True)
class Audit:
    """What was found in a collection, as three tables.

    `manifest`: one row a file: path, artist, style, genre, movement, width, height
    (pixels, upright), mode, sha256, readable, leak_group. `problems`: one row a
    problem: path, problem, action. `pairs`: one row a pair of pictures: first and
    second (paths), kind ("exact", "near", or "version": one composition painted twice,
    kept in one leak group all the same), correlation, mirrored, same_artist.
    """

    manifest: pd.DataFrame
    problems: pd.DataFrame
    pairs: pd.DataFrame


def audit_collection(directory, *, table=None, config=None, progress=None, workers=None):
    """Check every file of a collection and find pictures of the same painting.

    Args:
        directory: the collection's root.
        table: path (posix, relative to `directory`), artist, style, genre, movement;
            None reads it by `layouts.read_layout`.
        config: a `duplicates.DuplicateConfig`.
        progress: called with (done, total); each file counts twice, once when
            read and once when compared.
        workers: threads; None takes one for each core.

    Raises:
        AtelierError: if there are no pictures.
    """
    directory = Path(directory).expanduser()
    table = _layout(directory) if table is None else table
    if not len(table):
        raise AtelierError(
            f"pictures below {directory}", "none", "Name a folder that holds pictures."
        )
    table = table.reindex(columns=["path", *LABELS]).astype("string")
    table = table.sort_values("path", ignore_index=True)
    workers, config = workers or os.cpu_count() or 1, config or DuplicateConfig()
    total = len(table)
    with thumbnail_store(total) as store:
        files = _inspect_all(directory, table["path"], store, workers, _part(progress, 0, total))
        records = store[: len(files.kept)]
        report = _part(progress, total, total)
        near = near_pairs(records, config, versions=True, workers=workers, progress=report)
    pairs = _pairs_table(table, files, near)
    near_enough = pairs["same_artist"] | (pairs["correlation"] >= config.other_artist)
    pairs = pairs[near_enough].reset_index(drop=True)
    _log_summary(directory, files, pairs)
    return Audit(_manifest(table, files, pairs), _problems_table(table, files), pairs)


def write_audit(audit, out_csv):
    """Write one row per file, and beside it `<name>_pairs.csv` with the pairs.

    The first table is the manifest with the columns problem and action (several
    joined by "; "), duplicate_of (the first file with the same bytes) and
    near_duplicates (other reproductions of the painting).

    Returns:
        The path of the first.
    """
    out_csv = Path(out_csv)
    table = _annotated(audit)
    for path, rows in ((out_csv, table), (pairs_path(out_csv), audit.pairs)):
        with storage.atomic_path(path) as temporary:
            rows.to_csv(temporary, index=False, lineterminator="\n")
    return out_csv


def pairs_path(out_csv):
    """Where `write_audit` puts the pairs: audit.csv -> audit_pairs.csv."""
    out_csv = Path(out_csv)
    return out_csv.with_name(f"{out_csv.stem}_pairs{out_csv.suffix or '.csv'}")


def _layout(directory):
    from atelier.data.layouts import read_layout

    return read_layout(directory)


def _part(progress, done_before, steps):
    """A progress callable for one half of the work, or None."""
    if progress is None:
        return None

    def report(done, total):
        progress(done_before + round(steps * done / total), 2 * steps)

    return report


@dataclasses.dataclass
class _Files:
    """Reports in the table's order; `kept`: rows whose thumbnails are in the store, in its order."""

    reports: list
    kept: list
    exact: list  # (first row, row with the same bytes)


def _inspect_all(directory, names, store, workers, progress):
    files, first = _Files([], [], []), {}
    with ThreadPoolExecutor(workers) as pool:
        for low in range(0, len(names), BLOCK):
            paths = [directory / name for name in names[low : low + BLOCK]]
            for row, report in enumerate(pool.map(inspect_file, paths), start=low):
                _file_away(files, store, row, report, first)
            if progress is not None:
                progress(len(files.reports), len(names))
    return files


def _file_away(files, store, row, report, first):
    """Keep a report, and the thumbnail where its bytes are new."""
    thumbnail, report.thumbnail = report.thumbnail, None
    files.reports.append(report)
    if not report.readable:
        return
    if report.sha256 in first:
        files.exact.append((first[report.sha256], row))
        return
    first[report.sha256] = row
    store[len(files.kept)] = thumbnail
    files.kept.append(row)


def _pairs_table(table, files, near):
    rows = [(one, two, "exact", 1.0, False) for one, two in files.exact]
    rows += [
        (
            files.kept[pair.first],
            files.kept[pair.second],
            "version" if pair.version else "near",
            pair.correlation,
            pair.mirrored,
        )
        for pair in near
    ]
    pairs = pd.DataFrame(sorted(rows), columns=["first", "second", *_PAIR_COLUMNS])
    artists = table["artist"].fillna("").to_numpy(object)
    same = [
        artists[one] == artists[two]
        for one, two in zip(pairs["first"], pairs["second"], strict=True)
    ]
    names = table["path"].to_numpy(object)
    return pairs.assign(
        first=pd.array([names[row] for row in pairs["first"]], dtype="string"),
        second=pd.array([names[row] for row in pairs["second"]], dtype="string"),
        kind=pairs["kind"].astype("string"),
        correlation=pairs["correlation"].astype("float64").round(4),
        mirrored=pairs["mirrored"].astype("bool"),
        same_artist=pd.array(same, dtype="bool"),
    )


_PAIR_COLUMNS = ("kind", "correlation", "mirrored")


def _manifest(table, files, pairs):
    reports = files.reports
    rows = {name: row for row, name in enumerate(table["path"])}
    joined = [
        (rows[one], rows[two]) for one, two in zip(pairs["first"], pairs["second"], strict=True)
    ]
    return table.assign(
        width=pd.array([report.width for report in reports], dtype="Int64"),
        height=pd.array([report.height for report in reports], dtype="Int64"),
        mode=pd.array([report.mode for report in reports], dtype="string"),
        sha256=pd.array([report.sha256 for report in reports], dtype="string"),
        readable=pd.array([report.readable for report in reports], dtype="boolean"),
        leak_group=pd.array(leak_groups(len(table), joined), dtype="Int64"),
    )


def _problems_table(table, files):
    rows = [
        (path, problem, action)
        for path, report in zip(table["path"], files.reports, strict=True)
        for problem, action in report.problems
    ]
    return pd.DataFrame(rows, columns=["path", "problem", "action"], dtype="string")


def _annotated(audit):
    problems = audit.problems.groupby("path")[["problem", "action"]].agg("; ".join)
    table = audit.manifest.join(problems, on="path")
    exact = audit.pairs[audit.pairs["kind"] == "exact"]
    table["duplicate_of"] = table["path"].map(exact.set_index("second")["first"])
    near = audit.pairs[audit.pairs["kind"] == "near"]
    others = {}
    for one, two in zip(near["first"], near["second"], strict=True):
        others.setdefault(one, []).append(two)
        others.setdefault(two, []).append(one)
    near_names = {path: "; ".join(sorted(names)) for path, names in others.items()}
    table["near_duplicates"] = table["path"].map(near_names)
    return table


def _log_summary(directory, files, pairs):
    skipped = sum(not report.readable for report in files.reports)
    kinds = pairs["kind"].value_counts()
    log.info(
        "%s: %d files, %d skipped, %d exact and %d near-duplicate pairs",
        directory,
        len(files.reports),
        skipped,
        kinds.get("exact", 0),
        kinds.get("near", 0),
    )
