"""No number is typed in the report: its text is read as typst reads it, and digits are refused.

What typst runs as code is passed over (sizes, keys, labels), but text within code is text again,
and so is a string that reads like a sentence. Digits in names of networks and scores are allowed,
large number words are not.
"""

import re

from atelier.errors import AtelierError

NAMES = (
    "ResNet50", "VGG19", "DenseNet169", "DenseNet-121", "MobileNetV2", "EfficientNet-B0",
    "EfficientNet-B2", "DINOv2", "F1", "float32", "bfloat16", "A/B",
)  # fmt: skip
_WORDS = re.compile(
    r"\b(eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    r"|hundreds?|thousands?|millions?|dozens?)\b",
    re.I,
)
_CALL = re.compile(r"""\b(n|up|val|has|iv|lit|big)\("([\w.]+)\"""")
_CLAIM = re.compile(r"#holds\((.*?)\)\)")
_OF_CLAIM = re.compile(r'"([\w.]+\.[\w.]+)(?::low|:high)?"')
_STATEMENTS = ("let", "set", "show", "import", "include")
_PAIRS = {"(": ")", "{": "}", "[": "]"}


def check_text(text, keys, name="the text"):
    """Refuse a text with a typed number, or with a fact that there is not.

    Args:
        text: of a .typ file.
        keys: of the facts there are.
        name: of the file, for the message.

    Raises:
        AtelierError: naming the first place.
    """
    found = typed_numbers(text)
    if found:
        raise AtelierError(
            f"every number in {name} to come from a fact", f"typed: {found[0]}", 'Use #n("KEY").'
        )
    for key in keys_used(text):
        if key not in keys:
            raise AtelierError(f"a fact in {name}", f"{key}, which there is not", "Correct it.")


def keys_used(text):
    """Keys of the facts that a text names, in order."""
    return [f"lit.{key}" if found == "lit" else key for found, key in _calls(text)]


def _calls(text):
    text = _without_comments(text)
    calls = [(match[1], match[2]) for match in _CALL.finditer(text)]
    claims = [claim for called in _CLAIM.findall(text) for claim in _OF_CLAIM.findall(called)]
    return calls + [("holds", key) for key in claims]


def typed_numbers(text):
    """Each run of words in a text that has a digit or a large number word which no fact gave."""
    words = running_text(text)
    for allowed in NAMES:
        words = words.replace(allowed, "")
    found = re.findall(r"[^\s]*\d[^\s]*", words) + [match[0] for match in _WORDS.finditer(words)]
    return list(found)


def running_text(text):
    """What of a .typ file is printed as it is typed."""
    printed = []
    _markup(_without_comments(text), 0, None, printed)
    return "".join(printed)


def _without_comments(text):
    return re.sub(r"(?<!:)//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def _markup(text, place, closing, printed):
    """Read markup up to its closing bracket; returns the place behind it."""
    while place < len(text):
        sign = text[place]
        if sign == closing:
            return place + 1
        if sign == "\\":
            printed.append(text[place + 1 : place + 2])
            place += 2
        elif sign == "#":
            place = _code(text, place + 1, printed)
            printed.append(" ")
        elif sign == "[":
            place = _markup(text, place + 1, "]", printed)
        elif sign == "`":
            end = text.index("`", place + 1)
            printed.append(text[place + 1 : end])
            place = end + 1
        elif sign in "@<" and (found := re.compile(r"@[\w:.-]+|<[\w:.-]+>").match(text, place)):
            place = found.end()
        else:
            printed.append(sign)
            place += 1
    return place


def _code(text, place, printed):
    """Read the code behind a hash; returns the place behind it."""
    word = re.compile(r"[A-Za-z_][\w-]*").match(text, place)
    if word and word[0] in _STATEMENTS:
        return _statement(text, word.end(), printed)
    if word and word[0] in ("if", "for", "while"):
        return _control(text, word.end(), printed)
    if not word and text[place : place + 1] not in ("(", "{", "[", '"'):
        printed.append(text[place : place + 1])  # such as a digit behind a hash
        return place + 1
    place = word.end() if word else place
    while place < len(text):
        if text[place] in _PAIRS:
            place = _bracket(text, place, printed)
        elif call := re.compile(r"\.[A-Za-z_][\w-]*(?=[(\[])").match(text, place):
            place = call.end()
        else:
            return place
    return place


def _bracket(text, place, printed):
    """Read a bracketed part: content is markup, all else code."""
    sign = text[place]
    if sign == "[":
        place = _markup(text, place + 1, "]", printed)
        printed.append(" ")
        return place
    closing, place = _PAIRS[sign], place + 1
    while place < len(text) and text[place] != closing:
        place = _in_code(text, place, printed)
    return place + 1


def _in_code(text, place, printed):
    """One step within code: a bracket, a string or a sign."""
    if text[place] in _PAIRS:
        return _bracket(text, place, printed)
    if text[place] == '"':
        end = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, place).end()
        words = text[place + 1 : end - 1]
        if " " in words.strip():  # a sentence, no key or name of a file
            printed.append(f" {words} ")
        return end
    return place + 1


def _statement(text, place, printed):
    """Read a let, set, show or import to the end of its line."""
    while place < len(text) and text[place] not in "\n;":
        place = _in_code(text, place, printed)
    return place


def _control(text, place, printed):
    """Read an if or for: its condition, its parts, and what else there is."""
    while place < len(text):
        while place < len(text) and text[place] not in "[{":
            place = _in_code(text, place, printed)
        place = _bracket(text, place, printed)
        more = re.compile(r"\s*else(\s+if)?\b").match(text, place)
        if not more:
            return place
        place = more.end()
    return place
