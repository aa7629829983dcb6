"""Open blocks

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

from models.migrations.block_triggers import drop_triggers, open_blocks_on_change

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "open_block",
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("episode_id", "block"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("placement_day", schema=None) as batch_op:
        batch_op.create_index("ix_placement_day_episode", ["episode_id", "day"], unique=False)

    with op.batch_alter_table("settled_day", schema=None) as batch_op:
        batch_op.create_index("ix_settled_day_episode", ["episode_id", "day"], unique=False)
    open_blocks_on_change()


def downgrade() -> None:
    drop_triggers()
    with op.batch_alter_table("settled_day", schema=None) as batch_op:
        batch_op.drop_index("ix_settled_day_episode")

    with op.batch_alter_table("placement_day", schema=None) as batch_op:
        batch_op.drop_index("ix_placement_day_episode")

    op.drop_table("open_block")
