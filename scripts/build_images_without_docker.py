#!/usr/bin/env python3
"""Rehearse the images without a container engine: do in folders what docker/Dockerfile says, and run that.

    # Every stage, a folder of its own:
    scripts/build_images_without_docker.py build
    # Its user, a read-only root, an empty /tmp:
    scripts/build_images_without_docker.py run platform -- ctr --version
    scripts/build_images_without_docker.py run flink --volume /srv/scratch:/srv/scratch -- taskmanager

For root on Debian with debootstrap. A stage begins as a copy of the one before it; RUN is a chroot in a mount
namespace of its own; the network is the machine's. What the machine needs to reach its package registries
(PIP_*, SSL_CERT_FILE, a proxy, apt's configuration) is lent to RUN and stays in no stage.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import yaml
from dockerfile_parse import DockerfileParser

PROJECT: Final = Path(__file__).resolve().parents[1]
SUITES: Final = {"12": "bookworm"}
"""Debian's names of the releases that an image's tag names by number."""

LENT: Final = (
    "PIP_",
    "SSL_CERT_",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
"""Beginnings of the variables that tell package clients how to reach their registries from here."""

CHROOT: Final = shutil.which("chroot", path="/usr/sbin:/usr/bin")

IMAGE_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where an image looks for programs unless it says otherwise."""

CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
LENT_CERTIFICATES: Final = "/run/rehearsal.crt"

BEGIN: Final = """
set -eu
root=$1; shift
"""
MOUNTS: Final = """
mount --rbind /dev "$root/dev"; mount -t proc proc "$root/proc"; mount -t tmpfs tmpfs "$root/run"
cp /etc/resolv.conf /etc/hosts "$root/run/"
for file in resolv.conf hosts; do
    [ -e "$root/etc/$file" ] || : >"$root/etc/$file"
    mount --bind "$root/run/$file" "$root/etc/$file"
done
"""
LEND: Final = """
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$root/run/rehearsal.crt"
mkdir "$root/run/apt.conf.d"; cp -r "$root/etc/apt/apt.conf.d/." "$root/run/apt.conf.d/"
cp -rn /etc/apt/apt.conf.d/. "$root/run/apt.conf.d/"
mount --bind "$root/run/apt.conf.d" "$root/etc/apt/apt.conf.d"
"""
READ_ONLY: Final = """
mount --bind "$root" "$root"; mount -o remount,ro,bind "$root"
"""


@dataclass
class Stage:
    """One stage, as far as it has come."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    directory: str = "/"
    shell: list[str] = field(default_factory=lambda: ["/bin/sh", "-c"])
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)

    def save(self) -> None:
        """Keep what is not in the folder itself beside it."""
        text = json.dumps({name: value for name, value in vars(self).items() if name != "root"}, indent=1)
        self.root.with_suffix(".json").write_text(text, encoding="utf-8")


def load(root: Path) -> Stage:
    """A stage that was built."""
    return Stage(root, **json.loads(root.with_suffix(".json").read_text(encoding="utf-8")))


def build(work: Path, wanted: str | None) -> None:
    """Carry out the Dockerfile, from the first stage to the wanted one, or to the last."""
    work.mkdir(parents=True, exist_ok=True)
    parser = DockerfileParser(path=str(PROJECT / "docker" / "Dockerfile"))
    steps = [
        (step["instruction"], step["value"]) for step in parser.structure if step["instruction"] != "COMMENT"
    ]
    starts = [number for number, (instruction, _) in enumerate(steps) if instruction == "FROM"]
    for start, end in pairwise([*starts, len(steps)]):
        image, _, name = steps[start][1].split()
        if (work / name).with_suffix(".json").exists():
            _say(f"{work / name} is there from an earlier build: remove its .json to do it again")
            continue
        stage = _from(work, image, work / name)
        arguments: dict[str, str] = {}
        for instruction, value in steps[start + 1 : end]:
            _say(f"{instruction} {value}")
            _step(work, stage, arguments, instruction, value)
        stage.save()
        if stage.root.name == wanted:
            return


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _step(work: Path, stage: Stage, arguments: dict[str, str], instruction: str, value: str) -> None:
    if instruction == "RUN":
        _run(stage, arguments, value)
    elif instruction == "COPY":
        _copy(work, stage, value)
    elif instruction == "ARG":
        name, _, default = value.partition("=")
        arguments[name] = default
    else:
        _note(stage, arguments, instruction, value)


def _from(work: Path, image: str, root: Path) -> Stage:
    _say(f"FROM {image} AS {root.name}")
    shutil.rmtree(root, ignore_errors=True)
    if (work / image).exists():
        before = load(work / image)
        _call(["cp", "--archive", "--reflink=auto", str(before.root), str(root)])
        return Stage(root, dict(before.environment), before.user, before.directory, list(before.shell))
    suite = SUITES[image.removeprefix("debian:").split(".")[0]]
    _call(["debootstrap", "--variant=minbase", suite, str(root)])
    # debootstrap leaves out the security fixes' repository, which the official image has.
    sources = (root / "etc/apt/sources.list").read_text(encoding="utf-8").split()
    with (root / "etc/apt/sources.list").open("a", encoding="utf-8") as file:
        file.write(f"deb {sources[1]}-security {suite}-security main\n")
    return Stage(root)


def _run(stage: Stage, arguments: dict[str, str], value: str) -> None:
    lent = {name: text for name, text in os.environ.items() if name.startswith(LENT)}
    lent = {name: LENT_CERTIFICATES if Path(text) == CERTIFICATES else text for name, text in lent.items()}
    environment = {"PATH": IMAGE_PATH, "HOME": "/root", **lent, **arguments, **stage.environment}
    _chroot(stage, [*stage.shell, value], environment, "", MOUNTS + LEND)


def _chroot(stage: Stage, command: list[str], environment: dict[str, str], options: str, mounts: str) -> None:
    user, _, group = stage.user.partition(":")
    script = (
        f'{BEGIN}{mounts}{options}exec {CHROOT} --userspec={user}:{group or user} --groups= "$root" '
        '/usr/bin/env --chdir="$DIRECTORY" -u DIRECTORY "$@"'
    )
    _call(
        [
            "unshare",
            "--mount",
            "--propagation=private",
            "/bin/sh",
            "-c",
            script,
            "sh",
            str(stage.root),
            *command,
        ],
        {**environment, "DIRECTORY": stage.directory},
    )


def _copy(work: Path, stage: Stage, value: str) -> None:
    options = [word for word in value.split() if word.startswith("--")]
    *sources, target = [word for word in value.split() if not word.startswith("--")]
    chosen = dict(word[2:].split("=", 1) for word in options)
    origin = work / chosen["from"] if "from" in chosen else PROJECT
    for source in sources:
        found = origin / source.lstrip("/")
        place = stage.root / target.lstrip("/")
        if "from" not in chosen and not in_context(found.relative_to(PROJECT)):
            raise SystemExit(f".dockerignore keeps {source} out of the build")
        if found.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            if "from" in chosen:
                _call(["cp", "--archive", "--reflink=auto", f"{found}/.", str(place)])
            else:
                shutil.copytree(found, place, dirs_exist_ok=True, ignore=_ignored)
        else:
            place = place / found.name if target.endswith("/") else place
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, place)
            if "chmod" in chosen:
                place.chmod(int(chosen["chmod"], 8))
        if "from" not in chosen:
            _call(["chown", "--recursive", "0:0", str(place)])


def _patterns() -> list[str]:
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def in_context(path: Path) -> bool:
    """Whether .dockerignore lets a path of the project into the build: the last pattern that fits decides."""
    ways = [str(each) for each in (path, *path.parents)][:-1]
    inside = True
    for pattern in _patterns():
        plain = pattern.removeprefix("!").removeprefix("**/")
        candidates = [Path(way).name for way in ways] if "**/" in pattern else ways
        if any(fnmatch.fnmatch(each, plain) for each in candidates):
            inside = pattern.startswith("!")
    return inside


def _ignored(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not in_context((Path(folder) / name).relative_to(PROJECT))}


def _note(stage: Stage, arguments: dict[str, str], instruction: str, value: str) -> None:
    """What only says how things are run."""
    if instruction in ("ENV", "LABEL"):
        pairs = dict(word.split("=", 1) for word in shlex.split(value))
        for name, default in arguments.items():
            pairs = {key: text.replace(f"${{{name}}}", default) for key, text in pairs.items()}
        (stage.environment if instruction == "ENV" else stage.labels).update(pairs)
    elif instruction == "USER":
        stage.user = value
    elif instruction == "WORKDIR":
        stage.directory = value
        (stage.root / value.lstrip("/")).mkdir(parents=True, exist_ok=True)
    elif instruction == "SHELL":
        stage.shell = json.loads(value)
    elif instruction == "ENTRYPOINT":
        stage.entrypoint = json.loads(value)
    elif instruction == "CMD":
        stage.command = json.loads(value)
    else:
        raise SystemExit(f"{instruction} is not known here: teach it to {Path(__file__).name}")


def run(stage: Stage, words: list[str], environment: list[str], volumes: list[str]) -> None:
    """Run a program in a built stage: its user, a read-only root, an empty /tmp, those folders."""
    mounts = ['mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"\n']
    for source, target in (each.split(":") for each in volumes):
        (stage.root / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
        Path(source).mkdir(parents=True, exist_ok=True)
        os.chown(source, *map(int, stage.user.split(":")))
        mounts.append(f'mount --rbind {shlex.quote(source)} "$root"{shlex.quote(target)}\n')
    # All of them share this machine's loopback address.
    names = " ".join(yaml.safe_load((PROJECT / "docker" / "compose.yaml").read_text())["services"])
    mounts.append(f'echo "127.0.0.1 {names}" >>"$root/run/hosts"\n')
    values = {**stage.environment, **dict(each.split("=", 1) for each in environment)}
    command = [*stage.entrypoint, *(words or stage.command)]
    _chroot(stage, command, {"HOSTNAME": os.uname().nodename, **values}, "".join(mounts), READ_ONLY + MOUNTS)


def _call(command: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=environment, check=False)
    if done.returncode != 0:
        raise SystemExit(done.returncode)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--root", type=Path, default=Path("/var/lib/ctr-rehearsal"), help="folder of the stages"
    )
    actions = parser.add_subparsers(dest="action", required=True)
    building = actions.add_parser("build", help="carry out the Dockerfile")
    building.add_argument("--target", help="the last stage to build")
    running = actions.add_parser("run", help="run a program in a stage")
    running.add_argument("stage")
    running.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    running.add_argument(
        "--volume", action="append", default=[], metavar="FOLDER:PATH", help="of this machine, writable there"
    )
    before, words = sys.argv[1:], []
    if "--" in before:  # the program in the container, else its own command
        before, words = before[: before.index("--")], before[before.index("--") + 1 :]
    chosen = parser.parse_args(before)
    if os.geteuid() != 0:
        raise SystemExit("rehearse: only root can mount and chroot")
    if chosen.action == "build":
        build(chosen.root, chosen.target)
    else:
        run(load(chosen.root / chosen.stage), words, chosen.env, chosen.volume)


if __name__ == "__main__":
    main()
