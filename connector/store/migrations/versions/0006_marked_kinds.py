"""A mark says of which kinds the change that made it replaced facts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mark", sa.Column("kinds", sa.Text, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("mark", "kinds")
