"""Operations and the keys that callers gave them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("source", sa.Column("operation", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "operation",
        sa.Column("id", key, primary_key=True),
        sa.Column("source", sa.Integer, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("account", key, nullable=False),
        sa.Column("turn", key, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("content", key, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("steps", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("accepted_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", sa.Double),
    )
    for name, columns, unique, where in (
        ("operation_number", ["source", "number"], True, None),
        ("operation_unfinished", ["source", "content"], True, "ended_at IS NULL"),
        ("operation_content", ["source", "content"], False, None),
        ("operation_account", ["source", "account"], False, None),
        ("operation_accepted", ["accepted_at"], False, None),
        ("operation_ended", ["ended_at"], False, "ended_at IS NOT NULL"),
    ):
        condition = sa.text(where) if where else None
        op.create_index(name, "operation", columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
    op.create_table(
        "operation_key",
        sa.Column("source", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("caller", key, primary_key=True),
        sa.Column("key", key, primary_key=True),
        sa.Column("operation", key, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("operation_key")
    op.drop_table("operation")
    with op.batch_alter_table("source") as table:
        table.drop_column("operation")
