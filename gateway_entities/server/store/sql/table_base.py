"""What the definitions of all tables share."""

from __future__ import annotations

from sqlalchemy import MetaData, Text

# Collation "C" orders by code point, as SQLite does; the default depends on the database's locale.
Key = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()
