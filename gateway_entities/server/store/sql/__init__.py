"""The SQL layer: schema, migrations, the two databases, execution, paging and errors."""
