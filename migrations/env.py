"""Run migrations on the database of the settings, one transaction each, with a lock timeout."""

from logging.config import fileConfig

from alembic import context
from sqlalchemy import create_engine, pool, text

from shared.db.tables import Row
from shared.settings import Settings

LOCK_TIMEOUT = "5s"
# Several replicas may start at once; one migrates, the others wait here.
ADVISORY_LOCK = 0x646F726D

if context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)

engine = create_engine(Settings().database_url.get_secret_value(), poolclass=pool.NullPool)
with engine.connect() as connection:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    context.configure(
        connection=connection, target_metadata=Row.metadata, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
