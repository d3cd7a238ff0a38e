"""
The language of ``$filter``: pure, without knowledge of HTTP or of what the account holds.

From "Create queries to list Batch resources efficiently" and "OData filters in Azure Batch" of the
service's documentation: comparisons of a property with a value, ``startswith``, ``and``, ``or``;
case counts in names of properties and not in values; times are W3C-DTF or RFC 1123 after
``DateTime``; an invalid property or operator is refused. The rest is OData 3, on which the service
is built: ``not``, parentheses, ``null``, doubled quotes, and that operators are in lower case.

Assumed, because we found no documentation of it:

- A property that a thing lacks is null: not equal to any value, neither less nor greater. Null is
  compared by ``eq`` and ``ne`` alone.
- The property stands on the left. ``not`` stands before parentheses, ``startswith`` or ``not``.
- A time without a zone is in UTC. Digits of a second beyond the sixth are dropped.
- Nothing nests more than 30 deep.
"""

from batch_emulator.dataplane.filters.errors import FilterError
from batch_emulator.dataplane.filters.fields import (
    Field,
    FieldType,
    flag_field,
    number_field,
    text_field,
    time_field,
)
from batch_emulator.dataplane.filters.parser import parse_filter
from batch_emulator.dataplane.filters.predicate import predicate
from batch_emulator.dataplane.filters.printer import print_filter

__all__ = [
    "Field",
    "FieldType",
    "FilterError",
    "flag_field",
    "number_field",
    "parse_filter",
    "predicate",
    "print_filter",
    "text_field",
    "time_field",
]
