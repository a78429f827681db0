"""The tables of the warehouse, typed, but for those whose columns a stream declares: `stream_tables`.

Times are `timestamptz`; counts are exact integers. Whoever imports one of them has all in `Base.metadata`.
"""

from warehouse.models import accounting, alerts, corrections, operation, recount, stream

__all__ = ["accounting", "alerts", "corrections", "operation", "recount", "stream"]
