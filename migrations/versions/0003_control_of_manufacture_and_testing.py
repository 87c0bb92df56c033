"""Control of manufacture and testing."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915
    op.create_table(
        "dossier_export",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("exported_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("exported_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["exported_by"], ["app_user.id"], name=op.f("fk_dossier_export_exported_by")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_dossier_export_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_export")),
    )
    with op.batch_alter_table("dossier_export", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dossier_export_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "capa_action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("deviation_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("corrective", "preventive", name="capa_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("check_due_on", sa.Date(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("raised_by", sa.Integer(), nullable=False),
        sa.Column("follows_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("check_due_on >= due_on", name=op.f("ck_capa_action_checked_after")),
        sa.ForeignKeyConstraint(["deviation_id"], ["deviation.id"], name=op.f("fk_capa_action_deviation_id")),
        sa.ForeignKeyConstraint(["follows_id"], ["capa_action.id"], name=op.f("fk_capa_action_follows_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_capa_action_owner_id")),
        sa.ForeignKeyConstraint(["raised_by"], ["app_user.id"], name=op.f("fk_capa_action_raised_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capa_action")),
        sa.UniqueConstraint("follows_id", name=op.f("uq_capa_action_follows_id")),
        sa.UniqueConstraint("number", name=op.f("uq_capa_action_number")),
    )
    with op.batch_alter_table("capa_action", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_capa_action_deviation_id"), ["deviation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_capa_action_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "destruction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("destroyed_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["destroyed_by"], ["app_user.id"], name=op.f("fk_destruction_destroyed_by")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_destruction_lot_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_destruction_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destruction")),
    )
    with op.batch_alter_table("destruction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_destruction_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "deviation_classification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deviation_id", sa.Integer(), nullable=False),
        sa.Column(
            "severity",
            sa.Enum(
                "minor", "major", "critical", name="severity", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("classified_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("classified_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["classified_by"], ["app_user.id"], name=op.f("fk_deviation_classification_classified_by")
        ),
        sa.ForeignKeyConstraint(
            ["deviation_id"], ["deviation.id"], name=op.f("fk_deviation_classification_deviation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviation_classification")),
    )
    with op.batch_alter_table("deviation_classification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deviation_classification_deviation_id"), ["deviation_id"], unique=False)

    op.create_table(
        "deviation_closure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deviation_id", sa.Integer(), nullable=False),
        sa.Column("conclusion", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("closed_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["closed_by"], ["app_user.id"], name=op.f("fk_deviation_closure_closed_by")),
        sa.ForeignKeyConstraint(["deviation_id"], ["deviation.id"], name=op.f("fk_deviation_closure_deviation_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_deviation_closure_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviation_closure")),
        sa.UniqueConstraint("deviation_id", name=op.f("uq_deviation_closure_deviation_id")),
    )
    op.create_table(
        "deviation_investigation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deviation_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column(
            "root_cause",
            sa.Enum(
                "person",
                "method",
                "machine",
                "material",
                "environment",
                "measurement",
                "supplier",
                "not_found",
                name="root_cause",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("root_cause_text", sa.String(), nullable=False),
        sa.Column("investigated_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("investigated_by", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(root_cause IS NULL) = (length(root_cause_text) = 0)",
            name=op.f("ck_deviation_investigation_cause_with_words"),
        ),
        sa.ForeignKeyConstraint(
            ["deviation_id"], ["deviation.id"], name=op.f("fk_deviation_investigation_deviation_id")
        ),
        sa.ForeignKeyConstraint(
            ["investigated_by"], ["app_user.id"], name=op.f("fk_deviation_investigation_investigated_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviation_investigation")),
    )
    with op.batch_alter_table("deviation_investigation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deviation_investigation_deviation_id"), ["deviation_id"], unique=False)

    op.create_table(
        "deviation_outcome",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deviation_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "not_affected",
                "use_as_is",
                "rework",
                "reject",
                name="lot_outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("justification", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(justification) > 0", name=op.f("ck_deviation_outcome_justified")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_deviation_outcome_decided_by")),
        sa.ForeignKeyConstraint(["deviation_id"], ["deviation.id"], name=op.f("fk_deviation_outcome_deviation_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_deviation_outcome_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviation_outcome")),
    )
    with op.batch_alter_table("deviation_outcome", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deviation_outcome_deviation_id"), ["deviation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deviation_outcome_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "expiry_extension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("old_expires_on", sa.Date(), nullable=False),
        sa.Column("new_expires_on", sa.Date(), nullable=False),
        sa.Column("data_reference", sa.String(), nullable=False),
        sa.Column("document_sha256", sa.String(), nullable=True),
        sa.Column("justification", sa.String(), nullable=False),
        sa.Column("extended_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("extended_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("new_expires_on > old_expires_on", name=op.f("ck_expiry_extension_later")),
        sa.ForeignKeyConstraint(
            ["document_sha256"], ["document.sha256"], name=op.f("fk_expiry_extension_document_sha256")
        ),
        sa.ForeignKeyConstraint(["extended_by"], ["app_user.id"], name=op.f("fk_expiry_extension_extended_by")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_expiry_extension_lot_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_expiry_extension_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expiry_extension")),
    )
    with op.batch_alter_table("expiry_extension", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_expiry_extension_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "hold_cascade",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column(
            "cause",
            sa.Enum(
                "consent_withdrawn",
                "donor_ineligible",
                "donor_problem",
                "bank_problem",
                "bulk_problem",
                "material_problem",
                "other",
                name="cascade_cause",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("donor_id", sa.Integer(), nullable=True),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(donor_id IS NULL) <> (lot_id IS NULL)", name=op.f("ck_hold_cascade_one_source")),
        sa.ForeignKeyConstraint(["donor_id"], ["donor.id"], name=op.f("fk_hold_cascade_donor_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_hold_cascade_lot_id")),
        sa.ForeignKeyConstraint(["set_by"], ["app_user.id"], name=op.f("fk_hold_cascade_set_by")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_hold_cascade_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_cascade")),
        sa.UniqueConstraint("number", name=op.f("uq_hold_cascade_number")),
    )
    with op.batch_alter_table("hold_cascade", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hold_cascade_donor_id"), ["donor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hold_cascade_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "manufacture_confirmation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("confirmed_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["app_user.id"], name=op.f("fk_manufacture_confirmation_confirmed_by")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_manufacture_confirmation_lot_id")),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signature.id"], name=op.f("fk_manufacture_confirmation_signature_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manufacture_confirmation")),
        sa.UniqueConstraint("signature_id", name=op.f("uq_manufacture_confirmation_signature_id")),
    )
    with op.batch_alter_table("manufacture_confirmation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_manufacture_confirmation_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "capa_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("effective", sa.Boolean(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("checked_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["capa_action.id"], name=op.f("fk_capa_check_action_id")),
        sa.ForeignKeyConstraint(["checked_by"], ["app_user.id"], name=op.f("fk_capa_check_checked_by")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_capa_check_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capa_check")),
        sa.UniqueConstraint("action_id", name=op.f("uq_capa_check_action_id")),
    )
    op.create_table(
        "capa_completion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("document_sha256", sa.String(), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("completed_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["capa_action.id"], name=op.f("fk_capa_completion_action_id")),
        sa.ForeignKeyConstraint(["completed_by"], ["app_user.id"], name=op.f("fk_capa_completion_completed_by")),
        sa.ForeignKeyConstraint(
            ["document_sha256"], ["document.sha256"], name=op.f("fk_capa_completion_document_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capa_completion")),
        sa.UniqueConstraint("action_id", name=op.f("uq_capa_completion_action_id")),
    )
    op.create_table(
        "cascade_lift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cascade_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("lifted_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["cascade_id"], ["hold_cascade.id"], name=op.f("fk_cascade_lift_cascade_id")),
        sa.ForeignKeyConstraint(["lifted_by"], ["app_user.id"], name=op.f("fk_cascade_lift_lifted_by")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_cascade_lift_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cascade_lift")),
        sa.UniqueConstraint("cascade_id", name=op.f("uq_cascade_lift_cascade_id")),
    )
    op.create_table(
        "cascade_lot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cascade_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("found_in", sa.String(), nullable=False),
        sa.Column("move_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["cascade_id"], ["hold_cascade.id"], name=op.f("fk_cascade_lot_cascade_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_cascade_lot_lot_id")),
        sa.ForeignKeyConstraint(["move_id"], ["lot_move.id"], name=op.f("fk_cascade_lot_move_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cascade_lot")),
        sa.UniqueConstraint("cascade_id", "lot_id", name=op.f("uq_cascade_lot_cascade_id_lot_id")),
        sa.UniqueConstraint("move_id", name=op.f("uq_cascade_lot_move_id")),
    )
    with op.batch_alter_table("cascade_lot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cascade_lot_cascade_id"), ["cascade_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cascade_lot_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "destruction_witness",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("destruction_id", sa.Integer(), nullable=False),
        sa.Column("witnessed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("witnessed_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destruction_id"], ["destruction.id"], name=op.f("fk_destruction_witness_destruction_id")
        ),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_destruction_witness_signature_id")),
        sa.ForeignKeyConstraint(["witnessed_by"], ["app_user.id"], name=op.f("fk_destruction_witness_witnessed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destruction_witness")),
        sa.UniqueConstraint("destruction_id", name=op.f("uq_destruction_witness_destruction_id")),
    )
    op.create_table(
        "lift_proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cascade_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["cascade_id"], ["hold_cascade.id"], name=op.f("fk_lift_proposal_cascade_id")),
        sa.ForeignKeyConstraint(["proposed_by"], ["app_user.id"], name=op.f("fk_lift_proposal_proposed_by")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_lift_proposal_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lift_proposal")),
        sa.UniqueConstraint("cascade_id", name=op.f("uq_lift_proposal_cascade_id")),
    )
    with op.batch_alter_table("deviation_lot", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("added_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("added_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.String(), nullable=False))
        batch_op.create_foreign_key(batch_op.f("fk_deviation_lot_added_by"), "app_user", ["added_by"], ["id"])

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("release_signatures", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("expiry_extension_months", sa.Integer(), nullable=True))

    op.protect("capa_action", "UPDATE", "DELETE")
    op.protect("capa_check", "UPDATE", "DELETE")
    op.protect("capa_completion", "UPDATE", "DELETE")
    op.protect("cascade_lift", "UPDATE", "DELETE")
    op.protect("cascade_lot", "UPDATE", "DELETE")
    op.protect("destruction", "UPDATE", "DELETE")
    op.protect("destruction_witness", "UPDATE", "DELETE")
    op.protect("deviation_classification", "UPDATE", "DELETE")
    op.protect("deviation_closure", "UPDATE", "DELETE")
    op.protect("deviation_investigation", "UPDATE", "DELETE")
    op.protect("deviation_lot", "UPDATE", "DELETE")
    op.protect("deviation_outcome", "UPDATE", "DELETE")
    op.protect("dossier_export", "UPDATE", "DELETE")
    op.protect("expiry_extension", "UPDATE", "DELETE")
    op.protect("hold_cascade", "UPDATE", "DELETE")
    op.protect("lift_proposal", "UPDATE", "DELETE")
    op.protect("manufacture_confirmation", "UPDATE", "DELETE")
    op.protect("product", "DELETE")


def downgrade() -> None:
    raise RuntimeError("nothing is ever deleted: restore a backup instead")
