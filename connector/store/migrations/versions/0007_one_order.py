"""Operations of all sources are accepted in one order, and found by account whatever their source."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    head = op.create_table(
        "operation_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    for name in ("operation_number", "operation_account", "operation_accepted"):
        op.drop_index(name, "operation")
    op.bulk_insert(head, [{"id": 1, "number": _number_anew()}])
    op.create_index("operation_number", "operation", ["number"], unique=True)
    op.create_index("operation_account", "operation", ["account", "number"])
    op.create_index("operation_turn", "operation", ["source", "turn", "number"])
    unfinished = sa.text("ended_at IS NULL")
    op.create_index("operation_oldest", "operation", ["number"], sqlite_where=unfinished, postgresql_where=unfinished)
    op.create_index("stripped_user", "stripped", ["user"])
    with op.batch_alter_table("source") as table:
        table.drop_column("operation")


def _number_anew() -> int:
    """Number what is there by time, without changing the order within a source. The highest number."""
    operation = sa.table("operation", *map(sa.column, ("id", "source", "number", "accepted_at")))
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(operation.c.id, operation.c.source, operation.c.accepted_at).order_by(
            operation.c.source, operation.c.number
        )
    )
    newest: dict[int, float] = {}
    placed = []
    for place, (id_, source, at) in enumerate(rows):
        # A clock that was put back does not put an operation before an older one of its source.
        newest[source] = max(at, newest.get(source, at))
        placed.append((newest[source], place, id_))
    numbers = [{"this": id_, "new": number} for number, (_, _, id_) in enumerate(sorted(placed), 1)]
    if numbers:
        connection.execute(
            sa.update(operation).where(operation.c.id == sa.bindparam("this")).values(number=sa.bindparam("new")),
            numbers,
        )
    return len(numbers)


def downgrade() -> None:
    op.add_column("source", sa.Column("operation", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE source SET operation = (SELECT number FROM operation_head)")
    op.drop_index("stripped_user", "stripped")
    for name in ("operation_number", "operation_account", "operation_turn", "operation_oldest"):
        op.drop_index(name, "operation")
    op.create_index("operation_number", "operation", ["source", "number"], unique=True)
    op.create_index("operation_account", "operation", ["source", "account"])
    op.create_index("operation_accepted", "operation", ["accepted_at"])
    op.drop_table("operation_head")
