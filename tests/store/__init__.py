"""One suite for every store: in memory, SQLite and PostgreSQL keep the same promises."""
