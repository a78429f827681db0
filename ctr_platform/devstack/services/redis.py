"""Valkey, the open drop-in of Redis: the cache of window documents."""

from __future__ import annotations

from ctr_platform.artifacts.wheels import valkey_server
from ctr_platform.devstack.ports import HOST
from ctr_platform.devstack.probes import redis_answers
from ctr_platform.devstack.service import Context, Service


def redis(context: Context) -> Service:
    """Describe it."""
    data = context.paths.data / "redis"
    port = context.ports["redis"]
    conf = context.paths.conf / "redis.conf"

    def prepare() -> None:
        data.mkdir(exist_ok=True)
        conf.write_text(
            f"bind {HOST}\n"
            f"port {port}\n"
            "daemonize no\n"
            f"dir {data}\n"
            "appendonly yes\n"
            "appendfsync everysec\n"
            'save ""\n'
            # Keeps the process' environment readable, by which the stack knows its own.
            "set-proc-title no\n",
            encoding="utf-8",
        )

    return Service(
        name="redis",
        command=(str(valkey_server()), str(conf)),
        probe=lambda: redis_answers(port),
        address=f"{HOST}:{port}",
        ports=("redis",),
        prepare=prepare,
        programs=(valkey_server(),),
    )
