"""SQL that no noun owns: the schema, its migrations, the two databases, execution, paging and errors."""
