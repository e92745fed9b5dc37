"""Migrations of the store, in Alembic's layout; `engine.store.migrating` runs them when a store is opened.

A new one: change `engine/store/tables.py`, then `.venv/bin/alembic -c engine/store/migrations/alembic.ini
-x store=URL revision --autogenerate --rev-id 0002 -m "what changed"`, read what it wrote, and raise `HEAD`.
"""
