"""Dividing groups of pictures among splits, each class as near to its share as groups allow.

Largest groups go first, each to the split that lacks most of what it holds; a
class left with as many groups as it has empty splits fills those. scikit-learn's
`StratifiedGroupKFold` has the same aim, but equal folds only and no promise that
each class reaches each of them.
"""

from collections import Counter

from atelier.errors import AtelierError

_NAMED = 8  # classes that one error names


def quotas(count, fractions):
    """Whole numbers that sum to `count`, near `fractions` of it, none below 1 if it can be.

    Largest remainders, then one each for empty places from the largest.
    """
    exact = [count * part for part in fractions]
    shares = [int(value + 1e-9) for value in exact]
    by_remainder = sorted(
        range(len(exact)), key=lambda place: (shares[place] - exact[place], place)
    )
    for place in by_remainder[: count - sum(shares)]:
        shares[place] += 1
    for place, share in enumerate(shares):
        if share == 0 and max(shares) > 1:
            shares[shares.index(max(shares))] -= 1
            shares[place] = 1
    return shares


def apportion(labels, groups, keys, fractions):
    """Give each picture a split so that groups stay whole and every class is in every split.

    Args:
        labels: class of each picture.
        groups: group of each picture; a group may span classes.
        keys: a sortable, random-looking key of each picture; decides among equals.
        fractions: share of each split, summing to 1.

    Returns:
        List of split numbers, one a picture, within a group's size of the shares.

    Raises:
        AtelierError: if a class has fewer groups than there are splits, or its groups
            are so entangled with other classes' that it misses a split.
    """
    contents = _contents(labels, groups)
    left = Counter(label for held in contents.values() for label in held)
    _refuse_small(left, len(fractions))
    lacking = {label: quotas(count, fractions) for label, count in Counter(labels).items()}
    empty = {label: set(range(len(fractions))) for label in lacking}
    places = {}
    for group in _largest_first(contents, groups, keys):
        held = contents[group]
        place = _best_place(held, lacking, empty, left, fractions)
        places[group] = place
        for label, count in held.items():
            lacking[label][place] -= count
            empty[label].discard(place)
            left[label] -= 1
    _refuse_absent(empty)
    return [places[group] for group in groups]


def _contents(labels, groups):
    """Group -> how many pictures of which class."""
    contents = {}
    for label, group in zip(labels, groups, strict=True):
        contents.setdefault(group, Counter())[label] += 1
    return contents


def _largest_first(contents, groups, keys):
    """Groups that span classes, then the rest, by size, equals by their smallest key."""
    smallest = {}
    for group, key in zip(groups, keys, strict=True):
        smallest[group] = min(key, smallest.get(group, key))
    return sorted(
        contents,
        key=lambda group: (-len(contents[group]), -contents[group].total(), smallest[group]),
    )


def _best_place(held, lacking, empty, left, fractions):
    """The split that lacks most of what the group holds, among those that must be filled."""
    needed = [place for label in held if left[label] <= len(empty[label]) for place in empty[label]]
    urgency = Counter(needed)
    most = max(urgency.values(), default=0)
    return max(
        (place for place in range(len(fractions)) if urgency[place] == most),
        key=lambda place: (sum(lacking[label][place] for label in held), fractions[place], -place),
    )


def _refuse_small(group_counts, splits):
    small = {label: count for label, count in group_counts.items() if count < splits}
    if small:
        by_count = sorted(small, key=lambda label: (small[label], label))
        named = ", ".join(f"{label} {small[label]}" for label in by_count[:_NAMED])
        named += f" and {len(small) - _NAMED} more" if len(small) > _NAMED else ""
        raise AtelierError(
            f"at least {splits} works (leak groups) in each class, one for each split",
            f"fewer in {named}",
            "Raise min_works, use fewer splits, or add works to these classes.",
        )


def _refuse_absent(empty):
    absent = sorted(label for label, places in empty.items() if places)
    if absent:
        raise AtelierError(
            "every class in every split",
            f"no leak group to spare for {', '.join(absent)}, which share theirs with other classes",
            "Leave these classes out with min_works or top, or correct their labels.",
        )
