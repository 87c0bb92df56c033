"""Certificates that prove themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915
    op.create_table(
        "log_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.String(), nullable=False),
        sa.Column("leaf_hash", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_entry")),
        sa.UniqueConstraint("position", name=op.f("uq_log_entry_position")),
    )
    with op.batch_alter_table("log_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_log_entry_leaf_hash"), ["leaf_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_log_entry_number"), ["number"], unique=False)

    op.create_table(
        "log_node",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_node")),
        sa.UniqueConstraint("level", "place", name=op.f("uq_log_node_level_place")),
    )
    op.create_table(
        "tree_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tree_head")),
        sa.UniqueConstraint("size", name=op.f("uq_tree_head_size")),
    )
    op.create_table(
        "statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text_en", sa.String(), nullable=False),
        sa.Column("text_de", sa.String(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("drafted_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("drafted_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["drafted_by"], ["app_user.id"], name=op.f("fk_statement_drafted_by")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_statement_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("code", "revision", name=op.f("uq_statement_code_revision")),
    )
    op.create_table(
        "certificate_number",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("analysis", "batch", name="document_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("taken_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_certificate_number_lot_id")),
        sa.ForeignKeyConstraint(["taken_by"], ["app_user.id"], name=op.f("fk_certificate_number_taken_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_number")),
        sa.UniqueConstraint("lot_id", "kind", name=op.f("uq_certificate_number_lot_id_kind")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number_number")),
    )
    op.create_table(
        "deviation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum(
                "person",
                "reading",
                "missing_reading",
                "hold_time",
                "step_order",
                "reconciliation",
                "equipment",
                "training",
                "material",
                "yield",
                "laboratory",
                "donor",
                "complaint",
                name="deviation_origin",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column(
            "severity",
            sa.Enum(
                "minor", "major", "critical", name="severity", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("step_id", sa.Integer(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["opened_by"], ["app_user.id"], name=op.f("fk_deviation_opened_by")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_deviation_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviation")),
        sa.UniqueConstraint("number", name=op.f("uq_deviation_number")),
    )
    with op.batch_alter_table("deviation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deviation_step_id"), ["step_id"], unique=False)

    op.create_table(
        "follower",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.CheckConstraint("(channel = 'webhook') = (secret IS NOT NULL)", name=op.f("ck_follower_secret")),
        sa.CheckConstraint("channel IN ('mail', 'webhook')", name=op.f("ck_follower_channel")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_follower_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follower")),
    )
    with op.batch_alter_table("follower", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follower_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix_follower_asked_at"), ["asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_follower_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "deviation_lot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deviation_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["deviation_id"], ["deviation.id"], name=op.f("fk_deviation_lot_deviation_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_deviation_lot_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviation_lot")),
        sa.UniqueConstraint("deviation_id", "lot_id", name=op.f("uq_deviation_lot_deviation_id_lot_id")),
    )
    with op.batch_alter_table("deviation_lot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deviation_lot_deviation_id"), ["deviation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deviation_lot_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "follower_link",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("follower_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.CheckConstraint("purpose IN ('confirm', 'unfollow')", name=op.f("ck_follower_link_purpose")),
        sa.ForeignKeyConstraint(
            ["follower_id"], ["follower.id"], name=op.f("fk_follower_link_follower_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_follower_link")),
    )
    with op.batch_alter_table("follower_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follower_link_follower_id"), ["follower_id"], unique=False)

    op.create_table(
        "label_print",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum("vial", "carton", "sample", name="kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_serial", sa.Integer(), nullable=True),
        sa.Column("last_serial", sa.Integer(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("pdf_sha256", sa.String(), nullable=False),
        sa.Column("zpl_sha256", sa.String(), nullable=False),
        sa.Column("reprint_of_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("printed_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'sample') = (sample_id IS NOT NULL)", name=op.f("ck_label_print_sample")),
        sa.CheckConstraint(
            "(first_serial IS NULL AND last_serial IS NULL) OR last_serial = first_serial + count - 1",
            name=op.f("ck_label_print_serials"),
        ),
        sa.CheckConstraint("count >= 1", name=op.f("ck_label_print_count")),
        sa.CheckConstraint("reprint_of_id IS NULL OR length(reason) >= 3", name=op.f("ck_label_print_reprint_reason")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_label_print_lot_id")),
        sa.ForeignKeyConstraint(["pdf_sha256"], ["document.sha256"], name=op.f("fk_label_print_pdf_sha256")),
        sa.ForeignKeyConstraint(["printed_by"], ["app_user.id"], name=op.f("fk_label_print_printed_by")),
        sa.ForeignKeyConstraint(["reprint_of_id"], ["label_print.id"], name=op.f("fk_label_print_reprint_of_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_label_print_sample_id")),
        sa.ForeignKeyConstraint(["zpl_sha256"], ["document.sha256"], name=op.f("fk_label_print_zpl_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_print")),
        sa.UniqueConstraint("reprint_of_id", name=op.f("uq_label_print_reprint_of_id")),
    )
    with op.batch_alter_table("label_print", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_label_print_lot_id"), ["lot_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_label_print_sample_id"), ["sample_id"], unique=False)

    op.create_table(
        "statement_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "approved", "retired", name="statement_outcome", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_statement_decision_signature_id")),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_statement_decision_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_decision")),
        sa.UniqueConstraint("statement_id", "outcome", name=op.f("uq_statement_decision_statement_id_outcome")),
    )
    with op.batch_alter_table("statement_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_decision_statement_id"), ["statement_id"], unique=False)

    op.create_table(
        "voided_number",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("voided_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["number_id"], ["certificate_number.id"], name=op.f("fk_voided_number_number_id")),
        sa.ForeignKeyConstraint(["voided_by"], ["app_user.id"], name=op.f("fk_voided_number_voided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voided_number")),
        sa.UniqueConstraint("number_id", name=op.f("uq_voided_number_number_id")),
    )
    op.create_table(
        "batch_certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("register_entry", sa.Integer(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("pdf_sha256", sa.String(), nullable=False),
        sa.Column("unsigned_size", sa.Integer(), nullable=False),
        sa.Column("unsigned_sha256", sa.String(), nullable=False),
        sa.Column("look", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("issued_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_batch_certificate_certificate_id")
        ),
        sa.ForeignKeyConstraint(["issued_by"], ["app_user.id"], name=op.f("fk_batch_certificate_issued_by")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_batch_certificate_lot_id")),
        sa.ForeignKeyConstraint(["pdf_sha256"], ["document.sha256"], name=op.f("fk_batch_certificate_pdf_sha256")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_batch_certificate_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_certificate")),
        sa.UniqueConstraint("lot_id", name=op.f("uq_batch_certificate_lot_id")),
        sa.UniqueConstraint("number", name=op.f("uq_batch_certificate_number")),
        sa.UniqueConstraint("register_entry", name=op.f("uq_batch_certificate_register_entry")),
    )
    with op.batch_alter_table("batch_certificate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_certificate_pdf_sha256"), ["pdf_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_batch_certificate_unsigned_sha256"), ["unsigned_sha256"], unique=False)

    op.create_table(
        "label_reconciliation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("vial", "carton", "sample", name="kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("last_print_id", sa.Integer(), nullable=False),
        sa.Column("printed", sa.Integer(), nullable=False),
        sa.Column("applied", sa.Integer(), nullable=False),
        sa.Column("destroyed", sa.Integer(), nullable=False),
        sa.Column("sample_attached", sa.Integer(), nullable=False),
        sa.Column("explanation", sa.String(), nullable=False),
        sa.Column("reconciled_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("reconciled_by", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "applied >= 0 AND destroyed >= 0 AND sample_attached >= 0", name=op.f("ck_label_reconciliation_counts")
        ),
        sa.CheckConstraint(
            "printed = applied + destroyed + sample_attached OR length(explanation) >= 3",
            name=op.f("ck_label_reconciliation_difference"),
        ),
        sa.ForeignKeyConstraint(
            ["last_print_id"], ["label_print.id"], name=op.f("fk_label_reconciliation_last_print_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_label_reconciliation_lot_id")),
        sa.ForeignKeyConstraint(["reconciled_by"], ["app_user.id"], name=op.f("fk_label_reconciliation_reconciled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_reconciliation")),
    )
    with op.batch_alter_table("label_reconciliation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_label_reconciliation_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "withdrawal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("withdrawn_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_withdrawal_certificate_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_withdrawal_signature_id")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["app_user.id"], name=op.f("fk_withdrawal_withdrawn_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
        sa.UniqueConstraint("certificate_id", name=op.f("uq_withdrawal_certificate_id")),
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unsigned_size", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("unsigned_sha256", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "revision_cause",
                sa.Enum(
                    "result_corrected",
                    "result_added",
                    "lot_data_corrected",
                    "product_data_corrected",
                    "site_data_changed",
                    "wording_corrected",
                    "after_withdrawal",
                    name="revision_cause",
                    native_enum=False,
                    create_constraint=True,
                    length=40,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("look", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_certificate_pdf_sha256"), ["pdf_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_certificate_unsigned_sha256"), ["unsigned_sha256"], unique=False)

    with op.batch_alter_table("lot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("check_code", sa.String(), nullable=True))

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("authorisation", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("batch_certificate", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("look_up_code", sa.Boolean(), nullable=True))

    op.create_index(
        "ix_lot_key",
        "lot",
        [
            sa.literal_column(
                "replace(replace(replace(replace(replace(replace(lot_number, '-', ''), '.', ''), '_', ''), 'O', '0'), 'I', '1'), 'L', '1')"
            )
        ],
        unique=False,
    )
    op.protect("batch_certificate", "UPDATE", "DELETE")
    op.protect("certificate", "UPDATE", "DELETE")
    op.protect("certificate_number", "UPDATE", "DELETE")
    op.protect("deviation", "UPDATE", "DELETE")
    op.protect("deviation_lot", "UPDATE", "DELETE")
    op.protect("label_print", "UPDATE", "DELETE")
    op.protect("label_reconciliation", "UPDATE", "DELETE")
    op.protect("log_entry", "UPDATE", "DELETE")
    op.protect("log_node", "UPDATE", "DELETE")
    op.protect("lot", "DELETE")
    op.protect("product", "DELETE")
    op.protect("statement", "UPDATE", "DELETE")
    op.protect("statement_decision", "UPDATE", "DELETE")
    op.protect("tree_head", "UPDATE", "DELETE")
    op.protect("voided_number", "UPDATE", "DELETE")
    op.protect("withdrawal", "UPDATE", "DELETE")


def downgrade() -> None:
    raise RuntimeError("nothing is ever deleted: restore a backup instead")
