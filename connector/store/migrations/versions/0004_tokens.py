"""Tokens of callers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "token",
        sa.Column("digest", key, primary_key=True),
        sa.Column("name", key, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("sources", sa.Text),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("used_at", sa.Double),
        sa.Column("parent", key),
    )
    op.create_index("token_parent", "token", ["parent"])
    op.create_index("token_expires", "token", ["expires_at"])


def downgrade() -> None:
    op.drop_table("token")
