"""How Alembic runs here: on the connection, and inside the transaction, of the store that is being opened.

Never run on its own; `schema` calls it.
"""

from alembic import context

from connector.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
