"""Two unfinished operations may be of one content, when another was accepted between them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("ended_at IS NULL")


def _index(*, unique: bool) -> None:
    op.drop_index("operation_unfinished", "operation")
    op.create_index(
        "operation_unfinished",
        "operation",
        ["source", "content"],
        unique=unique,
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    )


def upgrade() -> None:
    _index(unique=False)


def downgrade() -> None:
    _index(unique=True)
