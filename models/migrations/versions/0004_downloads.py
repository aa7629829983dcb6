"""Downloads

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

from models.columns import UtcDateTime, UtcDay

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consumer_day",
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("address", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agent", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hits", sa.LargeBinary(), nullable=False),
        sa.Column("is_eligible", sa.Boolean(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("device_class", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("earlier", sa.BigInteger(), nullable=False),
        sa.Column("downloads", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "address", "agent", "episode_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "counting_rule",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "download_consumers",
        sa.Column("show_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("consumers", sa.LargeBinary(), nullable=False),
        sa.Column("earlier", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("show_id", "day", "episode_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "download_hour",
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("episode_id", "hour"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "download_split",
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("episode_id", "day", "kind", "value"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hit_outcome",
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("sent_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("episode_id", "day", "outcome"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "show_download_split",
        sa.Column("show_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("show_id", "kind", "day", "value"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "show_hit_outcome",
        sa.Column("show_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("sent_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("show_id", "day", "outcome"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_import",
        sa.Column("source", sa.LargeBinary(length=16), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("has_ranges", sa.Boolean(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("unpacked_bytes", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "import_outcome",
        sa.Column("source", sa.LargeBinary(length=16), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source"],
            ["log_import.source"],
        ),
        sa.PrimaryKeyConstraint("source", "outcome"),
    )
    op.create_table(
        "audio_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("episode_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("audio_bytes", sa.BigInteger(), nullable=False),
        sa.Column("header_bytes", sa.Integer(), nullable=False),
        sa.Column("bitrate_bps", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("since_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["episode_id"],
            ["episode.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("episode_id", "sha256"),
        sqlite_autoincrement=True,
    )
    # What is served now; older versions are not known any more.
    op.execute(
        "INSERT INTO audio_version "
        "(episode_id, sha256, audio_bytes, header_bytes, bitrate_bps, duration_ms, since_at) "
        "SELECT id, audio_sha256, COALESCE(audio_bytes, 0), header_bytes, bitrate_bps, duration_ms, updated_at "
        "FROM episode WHERE audio_sha256 IS NOT NULL ORDER BY id"
    )
    op.drop_table("hit_day")
    # Not in batch mode, which would copy the table: episodes refer to it.
    op.add_column("show", sa.Column("feed_url", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("show", "feed_url")
    op.create_table(
        "hit_day",
        sa.Column("episode_id", sa.BIGINT(), nullable=False),
        sa.Column("day", sa.INTEGER(), nullable=False),
        sa.Column("hits", sa.BIGINT(), nullable=False),
        sa.Column("sent_bytes", sa.BIGINT(), nullable=False),
        sa.PrimaryKeyConstraint("episode_id", "day"),
        sqlite_with_rowid=False,
    )
    op.drop_table("audio_version")
    op.drop_table("import_outcome")
    op.drop_table("log_import")
    op.drop_table("show_hit_outcome")
    op.drop_table("show_download_split")
    op.drop_table("hit_outcome")
    op.drop_table("download_split")
    op.drop_table("download_hour")
    op.drop_table("download_consumers")
    op.drop_table("counting_rule")
    op.drop_table("consumer_day")
