"""First release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915
    op.create_table(
        "app_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("function", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("password_is_own", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("username", name=op.f("uq_app_user_username")),
    )
    op.create_table(
        "audit_entry",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("outcome IN ('done', 'refused')", name=op.f("ck_audit_entry_outcome")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("digest", name=op.f("uq_audit_entry_digest")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_actor_id_sequence"), ["actor_id", "sequence"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_at"), ["at"], unique=False)

    op.create_table(
        "document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("sha256", name=op.f("uq_document_sha256")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_due_at"), ["due_at"], unique=False)

    op.create_table(
        "number_series",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_number_series")),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("name_de", sa.String(), nullable=False),
        sa.Column("gtin", sa.String(), nullable=True),
        sa.Column("lot_series", sa.String(), nullable=False),
        sa.Column("form_en", sa.String(), nullable=False),
        sa.Column("form_de", sa.String(), nullable=False),
        sa.Column("composition", sa.String(), nullable=False),
        sa.Column("container", sa.String(), nullable=False),
        sa.Column("fill_volume", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("reconstitution_volume", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("diluent_en", sa.String(), nullable=False),
        sa.Column("diluent_de", sa.String(), nullable=False),
        sa.Column(
            "route",
            sa.Enum(
                "intravenous",
                "intradermal",
                "intraarticular",
                "topical",
                "inhalation",
                "not_for_humans",
                name="route",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("label_particles", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("shelf_life_months", sa.Integer(), nullable=False),
        sa.Column("storage_low", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("storage_high", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column(
            "regulatory_status",
            sa.Enum(
                "research_use",
                "investigational",
                "named_patient",
                "licensed",
                name="regulatory_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.CheckConstraint("CAST(fill_volume AS NUMERIC) > 0", name=op.f("ck_product_fill_volume")),
        sa.CheckConstraint("CAST(reconstitution_volume AS NUMERIC) > 0", name=op.f("ck_product_reconstitution_volume")),
        sa.CheckConstraint("shelf_life_months BETWEEN 1 AND 120", name=op.f("ck_product_shelf_life")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("code", name=op.f("uq_product_code")),
        sa.UniqueConstraint("gtin", name=op.f("uq_product_gtin")),
        sa.UniqueConstraint("lot_series", name=op.f("uq_product_lot_series")),
    )
    op.create_table(
        "audit_change",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("row_digest", sa.Text(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sequence"], ["audit_entry.sequence"], name=op.f("fk_audit_change_sequence")),
        sa.PrimaryKeyConstraint("sequence", "ordinal", name=op.f("pk_audit_change")),
    )
    with op.batch_alter_table("audit_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_audit_change_record_record_id_sequence"), ["record", "record_id", "sequence"], unique=False
        )

    op.create_table(
        "donor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column(
            "tissue",
            sa.Enum(
                "adipose",
                "bone_marrow",
                "umbilical_cord",
                "cord_blood",
                "placenta_amnion",
                "dental",
                "ipsc_msc",
                "other",
                name="tissue",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("tissue_text", sa.String(), nullable=False),
        sa.Column("age_years", sa.Integer(), nullable=True),
        sa.Column("consent_id", sa.String(), nullable=False),
        sa.Column("consent_version", sa.String(), nullable=False),
        sa.Column(
            "consent_scope",
            sa.Enum(
                "research",
                "therapeutic",
                "commercial",
                name="consent_scope",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("consent_withdrawn_on", sa.Date(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("registered_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("age_years BETWEEN 0 AND 120", name=op.f("ck_donor_age")),
        sa.ForeignKeyConstraint(["registered_by"], ["app_user.id"], name=op.f("fk_donor_registered_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donor")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_donor_pseudonym")),
    )
    op.create_table(
        "lot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_number", sa.String(length=20), nullable=False),
        sa.Column(
            "kind",
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
                name="lot_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "in_process",
                "quarantine",
                "under_test",
                "qa_review",
                "released",
                "rejected",
                "on_hold",
                "recalled",
                "expired",
                name="lot_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "held_from",
            sa.Enum(
                "in_process",
                "quarantine",
                "under_test",
                "qa_review",
                "released",
                "rejected",
                "on_hold",
                "recalled",
                "expired",
                name="held_from_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("supplier", sa.String(), nullable=True),
        sa.Column("supplier_lot_number", sa.String(), nullable=True),
        sa.Column("quantity", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("quantity_left", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("manufactured_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("(state = 'on_hold') = (held_from IS NOT NULL)", name=op.f("ck_lot_held_from")),
        sa.CheckConstraint("kind <> 'drug_product' OR product_id IS NOT NULL", name=op.f("ck_lot_drug_product")),
        sa.CheckConstraint(
            "kind <> 'raw_material' OR (coalesce(length(supplier), 0) > 0 AND coalesce(length(supplier_lot_number), 0) > 0 AND expires_on IS NOT NULL)",  # noqa: E501
            name=op.f("ck_lot_raw_material"),
        ),
        sa.CheckConstraint(
            "quantity IS NOT NULL OR state IN ('in_process', 'rejected') OR (state = 'on_hold' AND held_from = 'in_process')",
            name=op.f("ck_lot_measured"),
        ),
        sa.CheckConstraint("state <> 'expired'", name=op.f("ck_lot_expired_is_derived")),
        sa.CheckConstraint("CAST(quantity AS NUMERIC) > 0", name=op.f("ck_lot_quantity")),
        sa.CheckConstraint("CAST(quantity_left AS NUMERIC) >= 0", name=op.f("ck_lot_quantity_left")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_lot_created_by")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_lot_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint("lot_number", name=op.f("uq_lot_lot_number")),
    )
    with op.batch_alter_table("lot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lot_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_lot_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_lot_state"), ["state"], unique=False)

    op.create_table(
        "method",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("test_code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("principle", sa.String(), nullable=False),
        sa.Column("instrument", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("lod", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("loq", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("replicates", sa.Integer(), nullable=False),
        sa.Column(
            "rule",
            sa.Enum(
                "mean",
                "median",
                "single",
                "all_agree",
                name="rule",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("minimum_days", sa.Integer(), nullable=True),
        sa.Column("limitation_en", sa.String(), nullable=False),
        sa.Column("limitation_de", sa.String(), nullable=False),
        sa.Column("defined_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("defined_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("replicates > 0", name=op.f("ck_method_replicates")),
        sa.ForeignKeyConstraint(["defined_by"], ["app_user.id"], name=op.f("fk_method_defined_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_method")),
        sa.UniqueConstraint("code", "revision", name=op.f("uq_method_code_revision")),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "technician",
                "analyst",
                "reviewer",
                "production_head",
                "qa",
                "auditor",
                "administrator",
                "instrument",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("granted_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_role_grant_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.create_index(
            "uq_role_grant_held",
            ["user_id", "role"],
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        )

    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("page", "token", name="sign_in_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_sign_in_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_sign_in_token_sha256")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_user_id"), ["user_id"], unique=False)

    op.create_table(
        "specification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "release",
                "shelf_life",
                "in_process",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("drafted_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["drafted_by"], ["app_user.id"], name=op.f("fk_specification_drafted_by")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_specification_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specification")),
        sa.UniqueConstraint("code", "revision", name=op.f("uq_specification_code_revision")),
    )
    with op.batch_alter_table("specification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_specification_product_id"), ["product_id"], unique=False)

    op.create_table(
        "step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("equipment", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("start_recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("started_by", sa.Integer(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("end_recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("completed_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("ended_at IS NULL OR ended_at >= started_at", name=op.f("ck_step_times")),
        sa.ForeignKeyConstraint(["completed_by"], ["app_user.id"], name=op.f("fk_step_completed_by")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_step_product_id")),
        sa.ForeignKeyConstraint(["started_by"], ["app_user.id"], name=op.f("fk_step_started_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
        sa.UniqueConstraint("number", name=op.f("uq_step_number")),
    )
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_step_kind"), ["kind"], unique=False)

    op.create_table(
        "consumption",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("entered_quantity", sa.String(), nullable=False),
        sa.Column("entered_unit", sa.String(), nullable=False),
        sa.Column("share", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.CheckConstraint("CAST(quantity AS NUMERIC) > 0", name=op.f("ck_consumption_quantity")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_consumption_lot_id")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_consumption_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consumption")),
        sa.UniqueConstraint("step_id", "lot_id", name=op.f("uq_consumption_step_id_lot_id")),
    )
    with op.batch_alter_table("consumption", schema=None) as batch_op:
        batch_op.create_index("ix_consumption_lot_id_step_id", ["lot_id", "step_id"], unique=False)

    op.create_table(
        "donation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("donor_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["donor_id"], ["donor.id"], name=op.f("fk_donation_donor_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_donation_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donation")),
        sa.UniqueConstraint("lot_id", name=op.f("uq_donation_lot_id")),
    )
    with op.batch_alter_table("donation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_donation_donor_id"), ["donor_id"], unique=False)

    op.create_table(
        "lot_specification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("specification_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_specification_lot_id")),
        sa.ForeignKeyConstraint(
            ["specification_id"], ["specification.id"], name=op.f("fk_lot_specification_specification_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_specification")),
        sa.UniqueConstraint("lot_id", name=op.f("uq_lot_specification_lot_id")),
    )
    op.create_table(
        "lot_yield",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_yield_lot_id")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_lot_yield_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_yield")),
        sa.UniqueConstraint("lot_id", name=op.f("uq_lot_yield_lot_id")),
    )
    with op.batch_alter_table("lot_yield", schema=None) as batch_op:
        batch_op.create_index("ix_lot_yield_lot_id_step_id", ["lot_id", "step_id"], unique=False)
        batch_op.create_index("ix_lot_yield_step_id_lot_id", ["step_id", "lot_id"], unique=False)

    op.create_table(
        "marker_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("donor_id", sa.Integer(), nullable=False),
        sa.Column(
            "marker",
            sa.Enum(
                "hiv_ab",
                "hbsag",
                "anti_hbc",
                "anti_hcv",
                "syphilis",
                "hiv_nat",
                "hbv_nat",
                "hcv_nat",
                "htlv",
                "cmv",
                "wnv",
                "t_cruzi",
                "malaria",
                name="marker",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "verdict",
            sa.Enum(
                "negative",
                "positive",
                "indeterminate",
                "not_done",
                name="marker_verdict",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("sampled_on", sa.Date(), nullable=False),
        sa.Column("laboratory", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["donor_id"], ["donor.id"], name=op.f("fk_marker_result_donor_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_marker_result_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_marker_result")),
    )
    with op.batch_alter_table("marker_result", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_marker_result_donor_id"), ["donor_id"], unique=False)

    op.create_table(
        "reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("parameter", sa.String(), nullable=False),
        sa.Column("entered_value", sa.String(), nullable=False),
        sa.Column("entered_unit", sa.String(), nullable=True),
        sa.Column("value", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("alert", sa.String(), nullable=True),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("alert IS NULL OR length(comment) > 0", name=op.f("ck_reading_alert_comment")),
        sa.CheckConstraint("length(entered_value) > 0", name=op.f("ck_reading_not_empty")),
        sa.CheckConstraint("replaces_id IS NULL OR length(reason) > 0", name=op.f("ck_reading_correction_reason")),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_reading_recorded_by")),
        sa.ForeignKeyConstraint(["replaces_id"], ["reading.id"], name=op.f("fk_reading_replaces_id")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_reading_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_reading_replaces_id")),
    )
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.create_index("ix_reading_step_id_parameter", ["step_id", "parameter"], unique=False)

    op.create_table(
        "sample",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("taken_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_sample_lot_id")),
        sa.ForeignKeyConstraint(["taken_by"], ["app_user.id"], name=op.f("fk_sample_taken_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample")),
        sa.UniqueConstraint("number", name=op.f("uq_sample_number")),
    )
    with op.batch_alter_table("sample", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sample_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "sign_in_activity",
        sa.Column("sign_in_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_in.id"], name=op.f("fk_sign_in_activity_sign_in_id")),
        sa.PrimaryKeyConstraint("sign_in_id", name=op.f("pk_sign_in_activity")),
    )
    op.create_table(
        "signature",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("sign_in_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("function", sa.String(), nullable=False),
        sa.Column(
            "meaning",
            sa.Enum(
                "performed",
                "verified",
                "sampled",
                "tested",
                "reviewed",
                "approved",
                "certified for release",
                "rejected",
                "put on hold",
                "hold lifted",
                "recalled",
                "destroyed",
                "witnessed",
                "issued",
                name="meaning",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("signed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("record_sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_in.id"], name=op.f("fk_signature_sign_in_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_signature_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
    )
    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signature_user_id"), ["user_id"], unique=False)

    op.create_table(
        "specification_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("specification_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("test_code", sa.String(), nullable=False),
        sa.Column("method_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "at_most",
                "at_least",
                "between",
                "one_of",
                "none_detected",
                "conforms",
                "report_only",
                name="criterion_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("lower", sa.String(), nullable=True),
        sa.Column("upper", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("allowed", sa.String(), nullable=False),
        sa.Column(
            "rounding",
            sa.Enum(
                "usp_decimals",
                "ph_eur_significant_figures",
                "none",
                name="rounding",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "required OR kind = 'report_only'", name=op.f("ck_specification_line_judged_lines_are_required")
        ),
        sa.ForeignKeyConstraint(["method_id"], ["method.id"], name=op.f("fk_specification_line_method_id")),
        sa.ForeignKeyConstraint(
            ["specification_id"], ["specification.id"], name=op.f("fk_specification_line_specification_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specification_line")),
        sa.UniqueConstraint(
            "specification_id", "position", name=op.f("uq_specification_line_specification_id_position")
        ),
        sa.UniqueConstraint(
            "specification_id", "test_code", name=op.f("uq_specification_line_specification_id_test_code")
        ),
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("specification_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("pdf_sha256", sa.String(), nullable=False),
        sa.Column("audit_sequence", sa.Integer(), nullable=False),
        sa.Column("audit_sha256", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("issued_by", sa.Integer(), nullable=False),
        sa.Column("supersedes_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_certificate_revision")),
        sa.ForeignKeyConstraint(["issued_by"], ["app_user.id"], name=op.f("fk_certificate_issued_by")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_certificate_lot_id")),
        sa.ForeignKeyConstraint(["pdf_sha256"], ["document.sha256"], name=op.f("fk_certificate_pdf_sha256")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_certificate_signature_id")),
        sa.ForeignKeyConstraint(
            ["specification_id"], ["specification.id"], name=op.f("fk_certificate_specification_id")
        ),
        sa.ForeignKeyConstraint(["supersedes_id"], ["certificate.id"], name=op.f("fk_certificate_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("lot_id", "revision", name=op.f("uq_certificate_lot_id_revision")),
        sa.UniqueConstraint("number", "revision", name=op.f("uq_certificate_number_revision")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_certificate_supersedes_id")),
    )
    op.create_table(
        "eligibility_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("donor_id", sa.Integer(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "eligible",
                "ineligible",
                "incomplete",
                name="eligibility",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_eligibility_decision_decided_by")),
        sa.ForeignKeyConstraint(["donor_id"], ["donor.id"], name=op.f("fk_eligibility_decision_donor_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_eligibility_decision_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eligibility_decision")),
    )
    with op.batch_alter_table("eligibility_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_eligibility_decision_donor_id"), ["donor_id"], unique=False)

    op.create_table(
        "lot_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_lot_move_actor_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_move_lot_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_lot_move_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_move")),
    )
    with op.batch_alter_table("lot_move", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lot_move_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("test_code", sa.String(), nullable=False),
        sa.Column("method_id", sa.Integer(), nullable=True),
        sa.Column("formula", sa.String(), nullable=True),
        sa.Column("purity_class", sa.String(), nullable=True),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("replicates", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.Column("sd", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("distribution", sa.String(), nullable=True),
        sa.Column("settings", sa.String(), nullable=False),
        sa.Column("flags", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("raw_sha256", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("analyst_id", sa.Integer(), nullable=False),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("(method_id IS NULL) <> (formula IS NULL)", name=op.f("ck_result_measured_or_derived")),
        sa.CheckConstraint("finished_at >= started_at", name=op.f("ck_result_times")),
        sa.CheckConstraint("length(value) > 0", name=op.f("ck_result_not_empty")),
        sa.CheckConstraint("replaces_id IS NULL OR length(reason) > 0", name=op.f("ck_result_correction_reason")),
        sa.ForeignKeyConstraint(["analyst_id"], ["app_user.id"], name=op.f("fk_result_analyst_id")),
        sa.ForeignKeyConstraint(["method_id"], ["method.id"], name=op.f("fk_result_method_id")),
        sa.ForeignKeyConstraint(["raw_sha256"], ["document.sha256"], name=op.f("fk_result_raw_sha256")),
        sa.ForeignKeyConstraint(["replaces_id"], ["result.id"], name=op.f("fk_result_replaces_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_result_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_result_replaces_id")),
    )
    with op.batch_alter_table("result", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_result_sample_id"), ["sample_id"], unique=False)

    op.create_table(
        "specification_approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("specification_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signature.id"], name=op.f("fk_specification_approval_signature_id")
        ),
        sa.ForeignKeyConstraint(
            ["specification_id"], ["specification.id"], name=op.f("fk_specification_approval_specification_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specification_approval")),
        sa.UniqueConstraint("specification_id", name=op.f("uq_specification_approval_specification_id")),
    )
    op.create_table(
        "result_input",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("input_result_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["input_result_id"], ["result.id"], name=op.f("fk_result_input_input_result_id")),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_result_input_result_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_input")),
    )
    with op.batch_alter_table("result_input", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_result_input_input_result_id"), ["input_result_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_result_input_result_id"), ["result_id"], unique=False)

    op.create_table(
        "result_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum("accepted", "refused", name="review_outcome", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_result_review_result_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["app_user.id"], name=op.f("fk_result_review_reviewer_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_result_review_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_review")),
        sa.UniqueConstraint("result_id", name=op.f("uq_result_review_result_id")),
    )
    op.protect("app_user", "DELETE")
    op.protect("audit_change", "UPDATE", "DELETE")
    op.protect("audit_entry", "UPDATE", "DELETE")
    op.protect("certificate", "UPDATE", "DELETE")
    op.protect("consumption", "UPDATE", "DELETE")
    op.protect("document", "UPDATE", "DELETE")
    op.protect("donation", "UPDATE", "DELETE")
    op.protect("donor", "DELETE")
    op.protect("eligibility_decision", "UPDATE", "DELETE")
    op.protect("lot", "DELETE")
    op.protect("lot_move", "UPDATE", "DELETE")
    op.protect("lot_specification", "UPDATE", "DELETE")
    op.protect("lot_yield", "UPDATE", "DELETE")
    op.protect("marker_result", "UPDATE", "DELETE")
    op.protect("method", "UPDATE", "DELETE")
    op.protect("product", "DELETE")
    op.protect("reading", "UPDATE", "DELETE")
    op.protect("result", "UPDATE", "DELETE")
    op.protect("result_input", "UPDATE", "DELETE")
    op.protect("result_review", "UPDATE", "DELETE")
    op.protect("role_grant", "DELETE")
    op.protect("sample", "UPDATE", "DELETE")
    op.protect("sign_in", "DELETE")
    op.protect("signature", "UPDATE", "DELETE")
    op.protect("specification", "UPDATE", "DELETE")
    op.protect("specification_approval", "UPDATE", "DELETE")
    op.protect("specification_line", "UPDATE", "DELETE")
    op.protect("step", "DELETE")


def downgrade() -> None:
    raise RuntimeError("nothing is ever deleted: restore a backup instead")
