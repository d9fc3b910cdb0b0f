"""Every command of README.md, in its order, as a reader types it into a repository of his own."""

import dataclasses
import re
import shlex
import shutil
import textwrap
from pathlib import Path

import pytest
from event_loops import open_loops
from readme_reader import (
    ROOT,
    Reader,
    copy_shipped,
    draw_pictures,
    save_random_weights,
)

pytestmark = [
    pytest.mark.once,
    pytest.mark.usefixtures("logging_as_before"),
    pytest.mark.filterwarnings("ignore"),
]

README = ROOT / "README.md"
SHELL = ("", "sh", "bash", "shell", "console")
PASSED_OVER = ("text", "json", "toml", "yaml", "bibtex", "mermaid")  # blocks that hold no commands


@dataclasses.dataclass(frozen=True)
class Step:
    """What a reader does at once: a line of a shell, or a block of Python."""

    line: int  # of the page, from 1 on
    text: str
    python: bool = False

    def __str__(self):
        return f"line {self.line}: {self.text.strip().splitlines()[-1]}"


def steps_of(text):
    """The steps of a page, in order.

    Raises:
        ValueError: if a block is in a language of which it is not known whether it is run.
    """
    for block in re.finditer(r"^( *)```([^\n`]*)\n(.*?)^\1```", text, re.M | re.S):
        language, first = block[2].strip(), text.count("\n", 0, block.start(3)) + 1
        inside = textwrap.dedent(block[3])
        if language == "python":
            yield Step(first, inside, python=True)
        elif language in SHELL:
            yield from commands_of(inside, first)
        elif language not in PASSED_OVER:
            raise ValueError(f"line {first}: a block of {language!r}")


def commands_of(block, first):
    """A step for each command: lines that end in a backslash are joined, others parted at &&."""
    begun = ""
    for number, line in enumerate(block.splitlines(), start=first):
        begun += line.removeprefix("$ ")
        if begun.endswith("\\"):
            begun = begun[:-1]
            continue
        for command in begun.split(" && "):
            if shlex.split(command, comments=True):
                yield Step(number, command.strip())
        begun = ""


@pytest.fixture
def reader(atelier_root, monkeypatch, tmp_path):
    """A `Reader` in a repository that holds what the page takes for granted."""
    import kagglehub

    monkeypatch.chdir(atelier_root)
    monkeypatch.setenv("ATELIER_FAST", "1")
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "weights"))
    save_random_weights(tmp_path / "weights")
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # a kernel that sees it does not end with its process
    copy_shipped(atelier_root / "models")
    for place, kind in (("notebooks", "ipynb"), ("benchmarks", "py"), ("figures", "json")):
        (atelier_root / place).mkdir()
        for file in (ROOT / place).glob(f"*.{kind}"):
            shutil.copy(file, atelier_root / place)
    draw_pictures(atelier_root, ["some_picture", "photo", "painting", "other"])
    for folder in ("photos", "a_folder"):
        draw_pictures(atelier_root / folder, [f"{folder}_{n}" for n in range(2)])
    reading = Reader(atelier_root, monkeypatch)
    for name, folder in reading.collections.items():
        shutil.copytree(folder, atelier_root / "data" / name)
    for kind in ("dataset", "competition"):
        monkeypatch.setattr(
            kagglehub, f"{kind}_download", lambda handle: reading.collections[Path(handle).name]
        )
    yield reading
    reading.close()


@pytest.mark.timeout(1500)
def test_every_command_of_the_readme_does_what_it_says(reader):
    failed, loops = [], open_loops()
    steps = list(steps_of(README.read_text(encoding="utf-8")))
    for step in steps:
        try:
            reader.do(step)
        except (Exception, SystemExit) as error:
            failed.append(f"{step}\n    {type(error).__name__}: {str(error)[-1500:]}")
    assert steps
    assert not failed, "\n".join(failed)
    assert open_loops() <= loops


def test_steps_are_commands_and_blocks_of_python():
    page = "# A\n```sh\natelier a \\\n  b # c\n\nmake x && cd y\n```\n```python\nz = 1\n```\n```\nq\n```\n"
    assert [(step.line, " ".join(step.text.split("#")[0].split())) for step in steps_of(page)] == [
        (4, "atelier a b"),
        (6, "make x"),
        (6, "cd y"),
        (9, "z = 1"),
        (12, "q"),
    ]
    with pytest.raises(ValueError, match="line 2: a block of 'perl'"):
        list(steps_of("```perl\nprint\n```\n"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "nothing here knows how to run it"),
        ("TASK=a nonsense", "nothing here knows how to run it"),
        ("make nonsense", "No rule"),
        ("atelier nonsense", "exit code 2"),
        ("atelier classify atelier a.jpg --nonsense", "exit code 2"),
        ("atelier models card nonsense", "exit code 1: .*'nonsense'"),
        ("atelier models list --out", "exit code 2"),
        ("atelier notebooks run --nonsense", "exit code 2"),
    ],
)
def test_what_does_not_work_fails(atelier_root, monkeypatch, line, said):
    reader = Reader(atelier_root, monkeypatch)
    with pytest.raises(AssertionError, match=said):
        reader.do(Step(1, line))


def test_what_the_readme_points_to_is_there():
    text = README.read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    targets = re.findall(r"\]\(([^)\s]+)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    assert targets
    for target in targets:
        path, _, anchor = target.partition("#")
        if not target.startswith("http"):
            assert (ROOT / path).exists(), target
            assert path or anchor in anchors, target
