"""Control of manufacture and testing."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915
    op.create_table(
        "equipment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("equipment_class", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("needs_calibration", sa.Boolean(), nullable=False),
        sa.Column("needs_maintenance", sa.Boolean(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("registered_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["registered_by"], ["app_user.id"], name=op.f("fk_equipment_registered_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment")),
        sa.UniqueConstraint("code", name=op.f("uq_equipment_code")),
    )
    with op.batch_alter_table("equipment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_equipment_equipment_class"), ["equipment_class"], unique=False)

    op.create_table(
        "recipe",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("drafted_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["drafted_by"], ["app_user.id"], name=op.f("fk_recipe_drafted_by")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_recipe_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipe")),
        sa.UniqueConstraint("code", "revision", name=op.f("uq_recipe_code_revision")),
    )
    with op.batch_alter_table("recipe", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recipe_product_id"), ["product_id"], unique=False)

    op.create_table(
        "training_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "subject",
            sa.Enum("step", "method", name="trained_for", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("trained_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("trainer_id", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("trainer_id <> user_id", name=op.f("ck_training_record_trainer")),
        sa.CheckConstraint("valid_until >= trained_on", name=op.f("ck_training_record_validity")),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_training_record_recorded_by")),
        sa.ForeignKeyConstraint(["trainer_id"], ["app_user.id"], name=op.f("fk_training_record_trainer_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_training_record_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_record")),
    )
    with op.batch_alter_table("training_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_training_record_user_id"), ["user_id"], unique=False)

    op.create_table(
        "training_requirement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "subject",
            sa.Enum("step", "method", name="trained_for", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_training_requirement_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_requirement")),
    )
    with op.batch_alter_table("training_requirement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_training_requirement_code"), ["code"], unique=False)

    op.create_table(
        "equipment_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("equipment_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "calibration",
                "maintenance",
                "taken_out_of_service",
                "put_into_service",
                name="event_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("happened_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column(
            "finding",
            sa.Enum(
                "within_tolerance",
                "out_of_tolerance",
                name="finding",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("next_due", sa.Date(), nullable=True),
        sa.Column("performed_by", sa.String(), nullable=False),
        sa.Column("document_sha256", sa.String(), nullable=True),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'calibration') = (finding IS NOT NULL)", name=op.f("ck_equipment_event_calibration_finding")
        ),
        sa.CheckConstraint(
            "next_due IS NOT NULL OR kind NOT IN ('calibration', 'maintenance') OR finding = 'out_of_tolerance'",
            name=op.f("ck_equipment_event_next_due"),
        ),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_equipment_event_equipment_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_equipment_event_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment_event")),
    )
    with op.batch_alter_table("equipment_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_equipment_event_equipment_id"), ["equipment_id"], unique=False)

    op.create_table(
        "equipment_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("equipment_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_equipment_use_equipment_id")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_equipment_use_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment_use")),
        sa.UniqueConstraint("step_id", "equipment_id", name=op.f("uq_equipment_use_step_id_equipment_id")),
    )
    with op.batch_alter_table("equipment_use", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_equipment_use_equipment_id"), ["equipment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_equipment_use_step_id"), ["step_id"], unique=False)

    op.create_table(
        "execution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("recipe_id", sa.Integer(), nullable=False),
        sa.Column("step_key", sa.String(), nullable=True),
        sa.Column("clearance", sa.String(), nullable=False),
        sa.Column("out_of_order", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("NOT out_of_order OR length(reason) > 0", name=op.f("ck_execution_order_reason")),
        sa.ForeignKeyConstraint(["recipe_id"], ["recipe.id"], name=op.f("fk_execution_recipe_id")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_execution_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_execution")),
        sa.UniqueConstraint("step_id", name=op.f("uq_execution_step_id")),
    )
    with op.batch_alter_table("execution", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_execution_recipe_id"), ["recipe_id"], unique=False)

    op.create_table(
        "material_papers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("specification_code", sa.String(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum(
                "none",
                "animal",
                "human",
                "recombinant",
                name="animal_origin",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("species", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("certificate_sha256", sa.String(), nullable=False),
        sa.Column("certificate_name", sa.String(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("filed_by", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint(
            "origin <> 'animal' OR (length(species) > 0 AND length(country) > 0)",
            name=op.f("ck_material_papers_animal"),
        ),
        sa.CheckConstraint("length(certificate_sha256) = 64", name=op.f("ck_material_papers_certificate")),
        sa.ForeignKeyConstraint(["filed_by"], ["app_user.id"], name=op.f("fk_material_papers_filed_by")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_material_papers_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material_papers")),
    )
    with op.batch_alter_table("material_papers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_material_papers_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "stock_correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("counted", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("corrected_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("CAST(counted AS NUMERIC) >= 0", name=op.f("ck_stock_correction_counted")),
        sa.ForeignKeyConstraint(["corrected_by"], ["app_user.id"], name=op.f("fk_stock_correction_corrected_by")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_stock_correction_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_correction")),
    )
    with op.batch_alter_table("stock_correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stock_correction_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "equipment_exception",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("equipment_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("approved_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("deviation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["app_user.id"], name=op.f("fk_equipment_exception_approved_by")),
        sa.ForeignKeyConstraint(["deviation_id"], ["deviation.id"], name=op.f("fk_equipment_exception_deviation_id")),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_equipment_exception_equipment_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_equipment_exception_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment_exception")),
    )
    with op.batch_alter_table("equipment_exception", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_equipment_exception_equipment_id"), ["equipment_id"], unique=False)

    op.create_table(
        "equipment_lapse",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("equipment_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("deviation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["deviation_id"], ["deviation.id"], name=op.f("fk_equipment_lapse_deviation_id")),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_equipment_lapse_equipment_id")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_equipment_lapse_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment_lapse")),
    )
    with op.batch_alter_table("equipment_lapse", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_equipment_lapse_step_id"), ["step_id"], unique=False)

    op.create_table(
        "reading_verification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("verified_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name=op.f("fk_reading_verification_reading_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_reading_verification_signature_id")),
        sa.ForeignKeyConstraint(["verified_by"], ["app_user.id"], name=op.f("fk_reading_verification_verified_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_verification")),
        sa.UniqueConstraint("reading_id", name=op.f("uq_reading_verification_reading_id")),
    )
    op.create_table(
        "recipe_approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recipe_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("approved_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["app_user.id"], name=op.f("fk_recipe_approval_approved_by")),
        sa.ForeignKeyConstraint(["recipe_id"], ["recipe.id"], name=op.f("fk_recipe_approval_recipe_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_recipe_approval_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipe_approval")),
        sa.UniqueConstraint("recipe_id", name=op.f("uq_recipe_approval_recipe_id")),
    )
    op.create_table(
        "recipe_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recipe_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("reviewed_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["recipe_id"], ["recipe.id"], name=op.f("fk_recipe_review_recipe_id")),
        sa.ForeignKeyConstraint(["reviewed_by"], ["app_user.id"], name=op.f("fk_recipe_review_reviewed_by")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_recipe_review_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipe_review")),
        sa.UniqueConstraint("recipe_id", name=op.f("uq_recipe_review_recipe_id")),
    )
    op.create_table(
        "start_verification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("verified_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_start_verification_signature_id")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_start_verification_step_id")),
        sa.ForeignKeyConstraint(["verified_by"], ["app_user.id"], name=op.f("fk_start_verification_verified_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_start_verification")),
        sa.UniqueConstraint("step_id", name=op.f("uq_start_verification_step_id")),
    )
    op.create_table(
        "training_exception",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "subject",
            sa.Enum("step", "method", name="trained_for", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("approved_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("deviation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["app_user.id"], name=op.f("fk_training_exception_approved_by")),
        sa.ForeignKeyConstraint(["deviation_id"], ["deviation.id"], name=op.f("fk_training_exception_deviation_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_training_exception_signature_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_training_exception_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_exception")),
    )
    with op.batch_alter_table("training_exception", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_training_exception_user_id"), ["user_id"], unique=False)

    with op.batch_alter_table("consumption", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.String(), nullable=True))

    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.add_column(sa.Column("beyond_action", sa.Boolean(), nullable=True))

    op.protect("consumption", "UPDATE", "DELETE")
    op.protect("equipment", "UPDATE", "DELETE")
    op.protect("equipment_event", "UPDATE", "DELETE")
    op.protect("equipment_exception", "UPDATE", "DELETE")
    op.protect("equipment_lapse", "UPDATE", "DELETE")
    op.protect("equipment_use", "UPDATE", "DELETE")
    op.protect("execution", "UPDATE", "DELETE")
    op.protect("material_papers", "UPDATE", "DELETE")
    op.protect("reading", "UPDATE", "DELETE")
    op.protect("reading_verification", "UPDATE", "DELETE")
    op.protect("recipe", "UPDATE", "DELETE")
    op.protect("recipe_approval", "UPDATE", "DELETE")
    op.protect("recipe_review", "UPDATE", "DELETE")
    op.protect("start_verification", "UPDATE", "DELETE")
    op.protect("stock_correction", "UPDATE", "DELETE")
    op.protect("training_exception", "UPDATE", "DELETE")
    op.protect("training_record", "UPDATE", "DELETE")
    op.protect("training_requirement", "UPDATE", "DELETE")


def downgrade() -> None:
    raise RuntimeError("nothing is ever deleted: restore a backup instead")
