"""Sources, kinds, snapshots, facts, staged facts, marks, notes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "source",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", key, nullable=False, unique=True),
        sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", sa.Double),
        sa.Column("lease_started", sa.Double),
        sa.Column("mark", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("failed_at", sa.Double),
        sa.Column("failure", sa.Text),
    )
    op.create_table(
        "kind",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", key, nullable=False, unique=True),
    )
    op.create_table(
        "snapshot",
        sa.Column("source", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("census", sa.Integer, nullable=False),
        sa.Column("completed_at", sa.Double, nullable=False),
        sa.Column("published_at", sa.Double, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
    )
    op.create_table(
        "fact",
        sa.Column("source", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("id", key, primary_key=True),
        sa.Column("valid_from", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("valid_to", sa.Integer),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("subject", key, nullable=False),
        sa.Column("held", key, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    for name, columns, where in (
        ("fact_subject", ["source", "kind", "subject"], "subject != ''"),
        ("fact_held", ["source", "kind", "held", "valid_from", "valid_to"], "held != ''"),
        ("fact_opened", ["source", "valid_from"], "valid_from > 1"),
        ("fact_closed", ["source", "valid_to"], "valid_to IS NOT NULL"),
    ):
        op.create_index(name, "fact", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_table(
        "staged",
        sa.Column("source", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("fence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("id", key, primary_key=True),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("subject", key, nullable=False),
        sa.Column("held", key, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "mark",
        sa.Column("source", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "note",
        sa.Column("source", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", key, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def downgrade() -> None:
    for table in ("note", "mark", "staged", "fact", "snapshot", "kind", "source"):
        op.drop_table(table)
