"""Validates the commands that the documents tell people to run, without running them."""

from __future__ import annotations

import itertools
import re
import shlex
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperGroup

from ctr_platform.cli.app import app
from tests.support.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

UsageError: Final[Any] = typer.BadParameter.__mro__[1]
"""What an option that does not exist raises, too."""

ELSEWHERE: Final = frozenset(
    {"cd", "cp", "curl", "echo", "eval", "export", "git", "id", "kill", "mkdir", "psql", "ssh", "uv"}
)
"""Commands of the system: they are what they are."""

INSTALLED: Final = frozenset(path.name for path in (ROOT / ".venv" / "bin").iterdir())

_PREFIXES: Final = frozenset({"sudo"})
_SHELL: Final = re.compile(r"&&|\|\||[|;&]")


def problems(block: str) -> list[str]:
    """What is wrong with a block of shell commands: each problem in one line."""
    return [found for command in commands_of(block) for found in _problems(command)]


def commands_of(block: str) -> list[list[str]]:
    """The words of each command, those in `$(...)` included."""
    lines = [_words(line) for line in block.replace("\\\n", " ").splitlines()]
    inner = [_words(each) for each in re.findall(r"\$\(([^)]*)\)", block)]
    return [command for words in (*lines, *inner) for command in _split(words) if command]


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)


def _split(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in words:
        if _SHELL.fullmatch(word):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def _problems(command: list[str]) -> list[str]:
    words = [word for word in command if not re.fullmatch(r"[A-Z_]+=.*", word)]
    while words and words[0] in _PREFIXES:
        words = words[1:]
    if not words or words[0] in ELSEWHERE:
        return []
    program, arguments = words[0].removeprefix(".venv/bin/"), words[1:]
    judge = {"ctr": ctr_problems, "make": _make, "docker": _docker, "python": _python, "pytest": _python}.get(
        program
    )
    if judge is not None:
        return judge(arguments)
    there = (ROOT / program).exists() if "/" in program else program in INSTALLED
    return [] if there else [f"{program} is no command of the project"]


def ctr_problems(arguments: list[str]) -> list[str]:
    """What `ctr` would say against these arguments, before doing anything."""
    command: Any = typer.main.get_command(app)
    context: Any = None
    name: str | None = "ctr"
    rest = list(arguments)
    try:
        while True:
            context = command.make_context(name, list(rest), parent=context)
            if not isinstance(command, TyperGroup):
                return []
            rest = [*context._protected_args, *context.args]
            name, command, rest = command.resolve_command(context, rest)
    except UsageError as error:
        return [f"ctr {' '.join(arguments)}: {error.format_message()}"]
    except typer.Exit:
        return []


def span_problems(span: str) -> list[str]:
    """The same of a command in a line of text, which may leave arguments out."""
    if not span.startswith(("ctr ", "make ")) or re.search(r"\.\.\.|\b[A-Z]{2,}\b", span):
        return []
    return [each for each in problems(span.split(" | ", maxsplit=1)[0]) if "Missing " not in each]


def _make(arguments: list[str]) -> list[str]:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return [f"make has no target {name}" for name in arguments if name not in targets]


def _docker(arguments: list[str]) -> list[str]:
    pairs = itertools.pairwise(arguments)
    files = [value for option, value in pairs if option == "--file" and not value.startswith("/")]
    found = [f"{name} is not there" for name in files if not (ROOT / name).exists() and "/.env" not in name]
    return found + (ctr_problems(arguments[arguments.index("ctr") + 1 :]) if "ctr" in arguments else [])


def _python(arguments: list[str]) -> list[str]:
    found = []
    if arguments[:1] == ["-m"]:
        module = ROOT / arguments[1].replace(".", "/")
        if not (module.is_dir() or module.with_suffix(".py").exists() or arguments[1] == "http.server"):
            found.append(f"there is no module {arguments[1]}")
    for word in arguments:
        path, _, test = word.partition("::")
        if re.match(r"(tests|scripts|benchmarks|examples)/", path):
            if not (ROOT / path).exists():
                found.append(f"{path} is not there")
            elif test and f"def {test}(" not in (ROOT / path).read_text(encoding="utf-8"):
                found.append(f"{path} has no {test}")
    return found
