"""Errors that a person is meant to read, in one tree: catch them by what they mean.

The message of each is one line that says what is wrong and, where that is known, what to do. Who shows it
decides how: the command line prints it without a traceback, a page and a run of Dagster show it as it is.

    CtrError
      UsageError            InvalidSetting, InvalidStream
      Unavailable           KafkaUnavailable, RegistryUnavailable, FlinkUnavailable, WarehouseUnavailable,
                            CacheUnavailable, StackDown
      Refused               KafkaRefused, TopicReplaced, RegistryRefused, FlinkRefused, RestoreFailed
      UndecodableRecord     Malformed, UnknownSchema
"""

# ruff: noqa: N818 - most of these are states of the world, not mistakes

from __future__ import annotations


class CtrError(Exception):
    """Something that a user can act on; raised itself where none of the meanings below fits."""


class UsageError(CtrError):
    """What was asked cannot be done: another argument, option or file is needed."""


class InvalidSetting(UsageError):
    """A setting holds a value that cannot be used; the message names it."""


class InvalidStream(UsageError):
    """A folder declares no stream; each line of the message is one mistake: where it is, and what to do."""


class Unavailable(CtrError):
    """A service does not answer, or not in time; the same request may succeed later."""


class KafkaUnavailable(Unavailable):
    """No broker answers, or a topic's records do not come."""


class RegistryUnavailable(Unavailable):
    """The Schema Registry does not answer: nothing is known of a schema id until it does."""


class FlinkUnavailable(Unavailable):
    """The JobManager does not answer, or does not lead the cluster yet."""


class WarehouseUnavailable(Unavailable):
    """Postgres is unavailable, too slow, not migrated, or refuses the login."""


class CacheUnavailable(Unavailable):
    """Redis is unavailable, too slow, or holds something that is no window document."""


class StackDown(Unavailable):
    """The embedded stack is not running."""


class Refused(CtrError):
    """A service answered, and its answer is no: asking again gives the same."""


class KafkaRefused(Refused):
    """A broker refused a request."""


class TopicReplaced(Refused):
    """A topic was deleted and made anew: what is on record of its offsets speaks of another topic."""


class RegistryRefused(Refused):
    """The Schema Registry refused a request, or gave an answer that is none."""


class FlinkRefused(Refused):
    """The JobManager answered with an error, or is no JobManager."""


class RestoreFailed(Refused):
    """The job cannot be restored from this snapshot; another one may do."""


class UndecodableRecord(CtrError):
    """A Kafka record's value cannot be read; the message says why."""


class Malformed(UndecodableRecord):
    """The bytes are not in Confluent wire format, or are not what their schema says."""


class UnknownSchema(UndecodableRecord):
    """The registry knows no Avro schema of the id that the record names."""
