"""What an Avro schema of the registry means: the type of its values.

As lenient as the registry was when it accepted it: only what is needed to tell values apart is looked at.

Source: the Apache Avro specification 1.12, sections "Schema Declaration" and "Names".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contract.avro import (
    Array,
    Blocks,
    Boolean,
    Bytes,
    Enum,
    Fixed,
    Int,
    Long,
    Map,
    Null,
    Record,
    String,
    Type,
    Union,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class NotAvro(Exception):  # noqa: N818 - a state of the schema
    """A schema that means nothing: a type or name in it is not known."""


_PRIMITIVES: Final[Mapping[str, Type]] = {
    "null": Null(0),
    "boolean": Boolean(),
    "int": Int(),
    "long": Long(),
    "float": Fixed(4, "<f"),
    "double": Fixed(8, "<d"),
    "bytes": Bytes(),
    "string": String(),
}


def type_of(schema: Any, known: Mapping[str, Any] | None = None) -> Type:
    """Return the type that a schema means.

    Args:
        schema: parsed JSON.
        known: types that other schemas of the registry define, by full name; the schema may refer to them.

    Raises:
        NotAvro: it means none.
    """
    return _Compiler(known or {}).type_of(schema, "")


def names_of(schema: Any, known: Mapping[str, Type]) -> dict[str, Type]:
    """Return `known` and the types that a schema defines, by full name.

    Raises:
        NotAvro: it means none.
    """
    compiler = _Compiler(known)
    compiler.type_of(schema, "")
    return compiler.names


class _Compiler:
    def __init__(self, known: Mapping[str, Type]) -> None:
        self.names: dict[str, Type] = dict(known)
        self._complex: Final[Mapping[str, Callable[[Mapping[str, Any], str], Type]]] = {
            "array": lambda schema, namespace: self._blocks(Array(), schema, "items", namespace),
            "map": lambda schema, namespace: self._blocks(Map(), schema, "values", namespace),
            "record": self._record,
            "error": self._record,
            "enum": self._enum,
            "fixed": self._fixed,
        }

    def type_of(self, schema: Any, namespace: str) -> Type:
        if isinstance(schema, str):
            return self._named(schema, namespace)
        if isinstance(schema, list):
            return Union([self.type_of(each, namespace) for each in schema])
        if not isinstance(schema, dict):
            raise NotAvro(f"{schema!r} is no type")
        kind = schema.get("type")
        make = self._complex.get(kind) if isinstance(kind, str) else None
        # Else a type with properties, such as {"type": "string", "avro.java.string": "String"}.
        return make(schema, namespace) if make else self.type_of(kind, namespace)

    def _named(self, name: str, namespace: str) -> Type:
        if name in _PRIMITIVES:
            return _PRIMITIVES[name]
        for full in (
            (name, f"{namespace}.{name}") if "." in name else (f"{namespace}.{name}".lstrip("."), name)
        ):
            if full in self.names:
                return self.names[full]
        raise NotAvro(f"no type is called {name}")

    def _full_name(self, schema: Mapping[str, Any], namespace: str) -> tuple[str, str]:
        """Return the name with its namespace, and that namespace."""
        name = schema.get("name")
        if not isinstance(name, str) or not name:
            raise NotAvro("a type has no name")
        if "." not in name:
            inside = schema.get("namespace", namespace) or ""
            name = f"{inside}.{name}" if inside else name
        return name, name.rpartition(".")[0]

    def _define(self, schema: Mapping[str, Any], namespace: str, made: Type) -> Type:
        name, _ = self._full_name(schema, namespace)
        self.names[name] = made
        return made

    def _enum(self, schema: Mapping[str, Any], namespace: str) -> Type:
        return self._define(schema, namespace, Enum([str(each) for each in schema.get("symbols") or ()]))

    def _fixed(self, schema: Mapping[str, Any], namespace: str) -> Type:
        size = schema.get("size")
        if not isinstance(size, int) or size < 0:
            raise NotAvro(f"{size!r} is no size")
        return self._define(schema, namespace, Fixed(size))

    def _record(self, schema: Mapping[str, Any], namespace: str) -> Type:
        record = Record()
        _, inside = self._full_name(schema, namespace)
        self._define(schema, namespace, record)
        fields = schema.get("fields")
        if not isinstance(fields, list):
            raise NotAvro("a record has no fields")
        made: dict[str, Type] = {}
        for field in fields:
            if not isinstance(field, dict) or not isinstance(field.get("name"), str):
                raise NotAvro("a field has no name")
            made[field["name"]] = self.type_of(field.get("type"), inside)
        record.complete(made)
        return record

    def _blocks(self, made: Blocks, schema: Mapping[str, Any], key: str, namespace: str) -> Type:
        made.item = self.type_of(schema.get(key), namespace)
        return made
