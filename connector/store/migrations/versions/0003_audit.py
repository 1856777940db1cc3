"""What was stripped, and the audit with its head."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "stripped",
        sa.Column("source", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user", key, primary_key=True),
        sa.Column("attribute", key, primary_key=True),
        sa.Column("value", key, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "entries": 0, "hash": "0" * 64}])


def downgrade() -> None:
    for table in ("audit_head", "audit", "stripped"):
        op.drop_table(table)
