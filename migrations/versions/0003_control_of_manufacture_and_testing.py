"""Control of manufacture and testing."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915
    op.create_table(
        "sent",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sent")),
    )
    op.create_table(
        "contract_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("laboratory", sa.String(), nullable=False),
        sa.Column("accreditation", sa.String(), nullable=False),
        sa.Column("report_number", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_contract_report_recorded_by")),
        sa.ForeignKeyConstraint(["sha256"], ["document.sha256"], name=op.f("fk_contract_report_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_report")),
        sa.UniqueConstraint("laboratory", "report_number", name=op.f("uq_contract_report_laboratory_report_number")),
    )
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
        "product_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("changes", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_change_product_id")),
        sa.ForeignKeyConstraint(["proposed_by"], ["app_user.id"], name=op.f("fk_product_change_proposed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_change")),
        sa.UniqueConstraint("product_id", "revision", name=op.f("uq_product_change_product_id_revision")),
    )
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
        "sampling_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("drafted_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["drafted_by"], ["app_user.id"], name=op.f("fk_sampling_plan_drafted_by")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_sampling_plan_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sampling_plan")),
        sa.UniqueConstraint("code", "revision", name=op.f("uq_sampling_plan_code_revision")),
    )
    with op.batch_alter_table("sampling_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sampling_plan_product_id"), ["product_id"], unique=False)

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
        "cycle_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("imported_by", sa.Integer(), nullable=False),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_cycle_log_digest")),
        sa.CheckConstraint("replaces_id IS NULL OR length(reason) > 0", name=op.f("ck_cycle_log_replacement_reason")),
        sa.ForeignKeyConstraint(["imported_by"], ["app_user.id"], name=op.f("fk_cycle_log_imported_by")),
        sa.ForeignKeyConstraint(["replaces_id"], ["cycle_log.id"], name=op.f("fk_cycle_log_replaces_id")),
        sa.ForeignKeyConstraint(["sha256"], ["document.sha256"], name=op.f("fk_cycle_log_sha256")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_cycle_log_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle_log")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_cycle_log_replaces_id")),
    )
    with op.batch_alter_table("cycle_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cycle_log_sha256"), ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_cycle_log_step_id"), ["step_id"], unique=False)

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
        "lot_sampling_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_sampling_plan_lot_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["sampling_plan.id"], name=op.f("fk_lot_sampling_plan_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_sampling_plan")),
        sa.UniqueConstraint("lot_id", name=op.f("uq_lot_sampling_plan_lot_id")),
    )
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
        "sampling_plan_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "donor",
                "bank",
                "harvest",
                "bulk",
                "final_vial",
                name="stage",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("tests", sa.String(), nullable=False),
        sa.Column(
            "reserve",
            sa.Enum("retention", "stability", name="reserve", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("within_days", sa.Integer(), nullable=True),
        sa.Column("storage", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["sampling_plan.id"], name=op.f("fk_sampling_plan_line_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sampling_plan_line")),
        sa.UniqueConstraint("plan_id", "position", name=op.f("uq_sampling_plan_line_plan_id_position")),
    )
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
        "test_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("method_id", sa.Integer(), nullable=False),
        sa.Column("instrument", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("analyst_id", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["analyst_id"], ["app_user.id"], name=op.f("fk_test_run_analyst_id")),
        sa.ForeignKeyConstraint(["method_id"], ["method.id"], name=op.f("fk_test_run_method_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_run")),
        sa.UniqueConstraint("number", name=op.f("uq_test_run_number")),
    )
    with op.batch_alter_table("test_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_test_run_method_id"), ["method_id"], unique=False)

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
        "conditional_release",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("awaited", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("released_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_conditional_release_lot_id")),
        sa.ForeignKeyConstraint(["released_by"], ["app_user.id"], name=op.f("fk_conditional_release_released_by")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_conditional_release_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conditional_release")),
        sa.UniqueConstraint("lot_id", name=op.f("uq_conditional_release_lot_id")),
        sa.UniqueConstraint("signature_id", name=op.f("uq_conditional_release_signature_id")),
    )
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
        sa.Column("results", sa.String(), nullable=True),
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
                "failed_result",
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
        "method_approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("method_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["method_id"], ["method.id"], name=op.f("fk_method_approval_method_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_method_approval_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_method_approval")),
        sa.UniqueConstraint("method_id", name=op.f("uq_method_approval_method_id")),
    )
    op.create_table(
        "order_waiver",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("waived_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("waived_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_order_waiver_signature_id")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_order_waiver_step_id")),
        sa.ForeignKeyConstraint(["waived_by"], ["app_user.id"], name=op.f("fk_order_waiver_waived_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_waiver")),
        sa.UniqueConstraint("step_id", name=op.f("uq_order_waiver_step_id")),
    )
    op.create_table(
        "product_change_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["product_change.id"], name=op.f("fk_product_change_decision_change_id")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_product_change_decision_decided_by")),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signature.id"], name=op.f("fk_product_change_decision_signature_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_change_decision")),
        sa.UniqueConstraint("change_id", name=op.f("uq_product_change_decision_change_id")),
        sa.UniqueConstraint("signature_id", name=op.f("uq_product_change_decision_signature_id")),
    )
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
        "run_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("entered", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "pass",
                "fail",
                "indeterminate",
                "missing",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("why", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["test_run.id"], name=op.f("fk_run_check_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_check")),
        sa.UniqueConstraint("run_id", "name", name=op.f("uq_run_check_run_id_name")),
    )
    with op.batch_alter_table("run_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_check_run_id"), ["run_id"], unique=False)

    op.create_table(
        "run_conclusion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("valid", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("concluded_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("valid OR length(reasons) > 0", name=op.f("ck_run_conclusion_invalid_says_why")),
        sa.ForeignKeyConstraint(["concluded_by"], ["app_user.id"], name=op.f("fk_run_conclusion_concluded_by")),
        sa.ForeignKeyConstraint(["run_id"], ["test_run.id"], name=op.f("fk_run_conclusion_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_conclusion")),
        sa.UniqueConstraint("run_id", name=op.f("uq_run_conclusion_run_id")),
    )
    op.create_table(
        "sampling_plan_approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["sampling_plan.id"], name=op.f("fk_sampling_plan_approval_plan_id")),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signature.id"], name=op.f("fk_sampling_plan_approval_signature_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sampling_plan_approval")),
        sa.UniqueConstraint("plan_id", name=op.f("uq_sampling_plan_approval_plan_id")),
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
        "condition_met",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("conditional_id", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("completed_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["completed_by"], ["app_user.id"], name=op.f("fk_condition_met_completed_by")),
        sa.ForeignKeyConstraint(
            ["conditional_id"], ["conditional_release.id"], name=op.f("fk_condition_met_conditional_id")
        ),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_condition_met_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_condition_met")),
        sa.UniqueConstraint("conditional_id", name=op.f("uq_condition_met_conditional_id")),
        sa.UniqueConstraint("signature_id", name=op.f("uq_condition_met_signature_id")),
    )
    op.create_table(
        "custody",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "handed_over",
                "received",
                "stored",
                "returned",
                "consumed",
                name="custody_event",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("to_user_id", sa.Integer(), nullable=True),
        sa.Column("to_name", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_custody_recorded_by")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_custody_sample_id")),
        sa.ForeignKeyConstraint(["to_user_id"], ["app_user.id"], name=op.f("fk_custody_to_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody")),
    )
    with op.batch_alter_table("custody", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_custody_sample_id"), ["sample_id"], unique=False)

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
        "inoculation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("method_id", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("media", sa.String(), nullable=False),
        sa.Column("inoculated_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("inoculated_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["inoculated_by"], ["app_user.id"], name=op.f("fk_inoculation_inoculated_by")),
        sa.ForeignKeyConstraint(["method_id"], ["method.id"], name=op.f("fk_inoculation_method_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_inoculation_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inoculation")),
    )
    with op.batch_alter_table("inoculation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inoculation_sample_id"), ["sample_id"], unique=False)

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
    op.create_table(
        "oos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("test_code", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_oos_lot_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_oos_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oos")),
        sa.UniqueConstraint("number", name=op.f("uq_oos_number")),
    )
    with op.batch_alter_table("oos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oos_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "reserve_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=False),
        sa.Column("timepoint_months", sa.Integer(), nullable=True),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_reserve_use_says_why")),
        sa.ForeignKeyConstraint(["opened_by"], ["app_user.id"], name=op.f("fk_reserve_use_opened_by")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_reserve_use_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reserve_use")),
        sa.UniqueConstraint("sample_id", name=op.f("uq_reserve_use_sample_id")),
    )
    op.create_table(
        "sample_test",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("test_code", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_sample_test_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_test")),
        sa.UniqueConstraint("sample_id", "test_code", name=op.f("uq_sample_test_sample_id_test_code")),
    )
    op.create_table(
        "growth_reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("inoculation_id", sa.Integer(), nullable=False),
        sa.Column(
            "seen",
            sa.Enum("clear", "turbid", "growth", name="growth", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("subculture", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("read_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["inoculation_id"], ["inoculation.id"], name=op.f("fk_growth_reading_inoculation_id")),
        sa.ForeignKeyConstraint(["read_by"], ["app_user.id"], name=op.f("fk_growth_reading_read_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_growth_reading")),
    )
    with op.batch_alter_table("growth_reading", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_growth_reading_inoculation_id"), ["inoculation_id"], unique=False)

    op.create_table(
        "oos_conclusion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("oos_id", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "confirmed",
                "laboratory_error",
                "not_confirmed",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("concluded_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["concluded_by"], ["app_user.id"], name=op.f("fk_oos_conclusion_concluded_by")),
        sa.ForeignKeyConstraint(["oos_id"], ["oos.id"], name=op.f("fk_oos_conclusion_oos_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_oos_conclusion_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oos_conclusion")),
        sa.UniqueConstraint("oos_id", name=op.f("uq_oos_conclusion_oos_id")),
    )
    op.create_table(
        "oos_laboratory",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("oos_id", sa.Integer(), nullable=False),
        sa.Column("checklist", sa.String(), nullable=False),
        sa.Column(
            "cause",
            sa.Enum(
                "none",
                "calculation",
                "transcription",
                "sample_preparation",
                "dilution",
                "instrument",
                "standard_or_reagent",
                "method_not_followed",
                "contamination_in_the_laboratory",
                name="cause",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("done_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["done_by"], ["app_user.id"], name=op.f("fk_oos_laboratory_done_by")),
        sa.ForeignKeyConstraint(["oos_id"], ["oos.id"], name=op.f("fk_oos_laboratory_oos_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_oos_laboratory_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oos_laboratory")),
        sa.UniqueConstraint("oos_id", name=op.f("uq_oos_laboratory_oos_id")),
    )
    op.create_table(
        "oos_production",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("oos_id", sa.Integer(), nullable=False),
        sa.Column("cause_found", sa.Boolean(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("done_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["done_by"], ["app_user.id"], name=op.f("fk_oos_production_done_by")),
        sa.ForeignKeyConstraint(["oos_id"], ["oos.id"], name=op.f("fk_oos_production_oos_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_oos_production_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oos_production")),
        sa.UniqueConstraint("oos_id", name=op.f("uq_oos_production_oos_id")),
    )
    op.create_table(
        "retest_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("oos_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("analysts", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column(
            "sample_fault",
            sa.Enum(
                "used_up",
                "not_representative",
                "container_damaged",
                "stored_wrongly",
                "mixed_up",
                name="sample_fault",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("proposed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_retest_plan_count")),
        sa.ForeignKeyConstraint(["oos_id"], ["oos.id"], name=op.f("fk_retest_plan_oos_id")),
        sa.ForeignKeyConstraint(["proposed_by"], ["app_user.id"], name=op.f("fk_retest_plan_proposed_by")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_retest_plan_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retest_plan")),
        sa.UniqueConstraint("oos_id", name=op.f("uq_retest_plan_oos_id")),
    )
    op.create_table(
        "oos_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("oos_id", sa.Integer(), nullable=False),
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["oos_id"], ["oos.id"], name=op.f("fk_oos_result_oos_id")),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_oos_result_result_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oos_result")),
        sa.UniqueConstraint("result_id", name=op.f("uq_oos_result_result_id")),
    )
    with op.batch_alter_table("oos_result", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oos_result_oos_id"), ["oos_id"], unique=False)

    op.create_table(
        "retest_approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["retest_plan.id"], name=op.f("fk_retest_approval_plan_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_retest_approval_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retest_approval")),
        sa.UniqueConstraint("plan_id", name=op.f("uq_retest_approval_plan_id")),
    )
    op.create_table(
        "transcription_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("checked_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["checked_by"], ["app_user.id"], name=op.f("fk_transcription_check_checked_by")),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_transcription_check_result_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transcription_check")),
        sa.UniqueConstraint("result_id", name=op.f("uq_transcription_check_result_id")),
    )
    op.create_table(
        "trend_alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "alert_limit", "out_of_trend", name="trend_kind", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_trend_alert_lot_id")),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_trend_alert_result_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trend_alert")),
    )
    with op.batch_alter_table("trend_alert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trend_alert_lot_id"), ["lot_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trend_alert_result_id"), ["result_id"], unique=False)

    op.create_table(
        "trend_assessment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("assessed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("assessed_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["trend_alert.id"], name=op.f("fk_trend_assessment_alert_id")),
        sa.ForeignKeyConstraint(["assessed_by"], ["app_user.id"], name=op.f("fk_trend_assessment_assessed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trend_assessment")),
        sa.UniqueConstraint("alert_id", name=op.f("uq_trend_assessment_alert_id")),
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_certificate_lot_id_revision"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_certificate_lot_id_specification_id_revision"), ["lot_id", "specification_id", "revision"]
        )

    with op.batch_alter_table("certificate_number", schema=None) as batch_op:
        batch_op.add_column(sa.Column("specification_id", sa.Integer(), nullable=True))
        batch_op.drop_constraint(batch_op.f("uq_certificate_number_lot_id_kind"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_certificate_number_lot_id_kind_specification_id"), ["lot_id", "kind", "specification_id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_certificate_number_specification_id"), "specification", ["specification_id"], ["id"]
        )

    with op.batch_alter_table("consumption", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.String(), nullable=True))

    with op.batch_alter_table("deviation_lot", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("added_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("added_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.String(), nullable=False))
        batch_op.create_foreign_key(batch_op.f("fk_deviation_lot_added_by"), "app_user", ["added_by"], ["id"])

    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("most_tries", sa.Integer(), server_default="8", nullable=False))

    with op.batch_alter_table("lot_specification", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_lot_specification_lot_id"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_lot_specification_lot_id_specification_id"), ["lot_id", "specification_id"]
        )

    with op.batch_alter_table("method", schema=None) as batch_op:
        batch_op.add_column(sa.Column("instrument_class", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("linear_low", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True))
        batch_op.add_column(sa.Column("linear_high", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True))
        batch_op.add_column(sa.Column("suitability", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("run_required", sa.Boolean(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "validation",
                sa.Enum(
                    "not_validated",
                    "verified",
                    "validated",
                    name="validation",
                    native_enum=False,
                    create_constraint=True,
                    length=40,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("validated_for", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("read_every_days", sa.Integer(), nullable=True))

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("release_signatures", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("expiry_extension_months", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("late_tests", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("late_days", sa.Integer(), nullable=True))

    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.add_column(sa.Column("beyond_action", sa.Boolean(), nullable=True))

    with op.batch_alter_table("result", schema=None) as batch_op:
        batch_op.add_column(sa.Column("run_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("report_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("oos_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("inoculation_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("dilution", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True))
        batch_op.add_column(sa.Column("instrument", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_result_inoculation_id"), ["inoculation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_result_oos_id"), ["oos_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_result_report_id"), ["report_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_result_run_id"), ["run_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_result_oos_id"), "oos", ["oos_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_result_report_id"), "contract_report", ["report_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_result_run_id"), "test_run", ["run_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_result_inoculation_id"), "inoculation", ["inoculation_id"], ["id"])

    with op.batch_alter_table("sample", schema=None) as batch_op:
        batch_op.add_column(sa.Column("plan_line_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "reserve",
                sa.Enum("retention", "stability", name="reserve", native_enum=False, create_constraint=True, length=40),
                nullable=True,
            )
        )
        batch_op.create_index(batch_op.f("ix_sample_plan_line_id"), ["plan_line_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_sample_plan_line_id"), "sampling_plan_line", ["plan_line_id"], ["id"]
        )

    with op.batch_alter_table("specification", schema=None) as batch_op:
        batch_op.add_column(sa.Column("market", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "stage",
                sa.Enum(
                    "raw_material",
                    "donation",
                    "isolated_cells",
                    "master_cell_bank",
                    "working_cell_bank",
                    "culture",
                    "conditioned_medium",
                    "harvest",
                    "clarified_harvest",
                    "purified_bulk",
                    "pooled_bulk",
                    "formulated_bulk",
                    "filled_vials",
                    "lyophilized_vials",
                    "drug_product",
                    name="stage",
                    native_enum=False,
                    create_constraint=True,
                    length=40,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("controlled", sa.Boolean(), nullable=True))

    with op.batch_alter_table("specification_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("alert_lower", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("alert_upper", sa.String(), nullable=True))

    with op.batch_alter_table("statement_decision", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.String(), nullable=True))

    op.protect("capa_action", "UPDATE", "DELETE")
    op.protect("capa_check", "UPDATE", "DELETE")
    op.protect("capa_completion", "UPDATE", "DELETE")
    op.protect("cascade_lift", "UPDATE", "DELETE")
    op.protect("cascade_lot", "UPDATE", "DELETE")
    op.protect("certificate", "UPDATE", "DELETE")
    op.protect("certificate_number", "UPDATE", "DELETE")
    op.protect("condition_met", "UPDATE", "DELETE")
    op.protect("conditional_release", "UPDATE", "DELETE")
    op.protect("consumption", "UPDATE", "DELETE")
    op.protect("contract_report", "UPDATE", "DELETE")
    op.protect("custody", "UPDATE", "DELETE")
    op.protect("cycle_log", "UPDATE", "DELETE")
    op.protect("destruction", "UPDATE", "DELETE")
    op.protect("destruction_witness", "UPDATE", "DELETE")
    op.protect("deviation_classification", "UPDATE", "DELETE")
    op.protect("deviation_closure", "UPDATE", "DELETE")
    op.protect("deviation_investigation", "UPDATE", "DELETE")
    op.protect("deviation_lot", "UPDATE", "DELETE")
    op.protect("deviation_outcome", "UPDATE", "DELETE")
    op.protect("dossier_export", "UPDATE", "DELETE")
    op.protect("equipment", "UPDATE", "DELETE")
    op.protect("equipment_event", "UPDATE", "DELETE")
    op.protect("equipment_exception", "UPDATE", "DELETE")
    op.protect("equipment_lapse", "UPDATE", "DELETE")
    op.protect("equipment_use", "UPDATE", "DELETE")
    op.protect("execution", "UPDATE", "DELETE")
    op.protect("expiry_extension", "UPDATE", "DELETE")
    op.protect("growth_reading", "UPDATE", "DELETE")
    op.protect("hold_cascade", "UPDATE", "DELETE")
    op.protect("inoculation", "UPDATE", "DELETE")
    op.protect("lift_proposal", "UPDATE", "DELETE")
    op.protect("lot_sampling_plan", "UPDATE", "DELETE")
    op.protect("lot_specification", "UPDATE", "DELETE")
    op.protect("manufacture_confirmation", "UPDATE", "DELETE")
    op.protect("material_papers", "UPDATE", "DELETE")
    op.protect("method", "UPDATE", "DELETE")
    op.protect("method_approval", "UPDATE", "DELETE")
    op.protect("oos", "UPDATE", "DELETE")
    op.protect("oos_conclusion", "UPDATE", "DELETE")
    op.protect("oos_laboratory", "UPDATE", "DELETE")
    op.protect("oos_production", "UPDATE", "DELETE")
    op.protect("oos_result", "UPDATE", "DELETE")
    op.protect("order_waiver", "UPDATE", "DELETE")
    op.protect("product", "DELETE")
    op.protect("product_change", "UPDATE", "DELETE")
    op.protect("product_change_decision", "UPDATE", "DELETE")
    op.protect("reading", "UPDATE", "DELETE")
    op.protect("reading_verification", "UPDATE", "DELETE")
    op.protect("recipe", "UPDATE", "DELETE")
    op.protect("recipe_approval", "UPDATE", "DELETE")
    op.protect("recipe_review", "UPDATE", "DELETE")
    op.protect("reserve_use", "UPDATE", "DELETE")
    op.protect("result", "UPDATE", "DELETE")
    op.protect("retest_approval", "UPDATE", "DELETE")
    op.protect("retest_plan", "UPDATE", "DELETE")
    op.protect("run_check", "UPDATE", "DELETE")
    op.protect("run_conclusion", "UPDATE", "DELETE")
    op.protect("sample", "UPDATE", "DELETE")
    op.protect("sample_test", "UPDATE", "DELETE")
    op.protect("sampling_plan", "UPDATE", "DELETE")
    op.protect("sampling_plan_approval", "UPDATE", "DELETE")
    op.protect("sampling_plan_line", "UPDATE", "DELETE")
    op.protect("specification", "UPDATE", "DELETE")
    op.protect("specification_line", "UPDATE", "DELETE")
    op.protect("start_verification", "UPDATE", "DELETE")
    op.protect("statement_decision", "UPDATE", "DELETE")
    op.protect("stock_correction", "UPDATE", "DELETE")
    op.protect("test_run", "UPDATE", "DELETE")
    op.protect("training_exception", "UPDATE", "DELETE")
    op.protect("training_record", "UPDATE", "DELETE")
    op.protect("training_requirement", "UPDATE", "DELETE")
    op.protect("transcription_check", "UPDATE", "DELETE")
    op.protect("trend_alert", "UPDATE", "DELETE")
    op.protect("trend_assessment", "UPDATE", "DELETE")
    op.recheck(
        "certificate",
        "ck_certificate_revision_cause",
        "revision_cause IN ('result_corrected', 'result_added', 'lot_data_corrected', 'product_data_corrected', 'site_data_changed', 'wording_corrected', 'after_withdrawal', 'condition_met', 'expiry_extended')",  # noqa: E501
    )
    op.protect("certificate", "UPDATE", "DELETE")


def downgrade() -> None:
    raise RuntimeError("nothing is ever deleted: restore a backup instead")
