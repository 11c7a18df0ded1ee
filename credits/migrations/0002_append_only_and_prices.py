"""The ledger's entries can only be added, and the first price list."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import migrations

REFUSE_CHANGES = """
CREATE FUNCTION credits_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is append-only: % of credits_entry is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON credits_entry
    FOR EACH ROW EXECUTE FUNCTION credits_entry_is_append_only();
"""
ALLOW_CHANGES = """
DROP TRIGGER entry_append_only ON credits_entry;
DROP FUNCTION credits_entry_is_append_only();
"""

# Providers' public list prices in USD; table: docs/contract.md.
FIRST_PRICES = (
    ("image", "image", Decimal("0.03")),
    ("kling_2_6", "second", Decimal("0.070")),
    ("veo_3_1", "second", Decimal("0.40")),
    ("seedance_pro", "second", Decimal("0.1224")),
)


def add_prices(apps: Any, schema_editor: Any) -> None:
    price = apps.get_model("credits", "Price")
    price.objects.bulk_create(
        price(item=item, unit=unit, list_price_usd=usd, effective_from=date(2026, 1, 1))
        for item, unit, usd in FIRST_PRICES
    )


def remove_prices(apps: Any, schema_editor: Any) -> None:
    apps.get_model("credits", "Price").objects.filter(
        effective_from=date(2026, 1, 1), item__in=[item for item, _, _ in FIRST_PRICES]
    ).delete()


class Migration(migrations.Migration):
    dependencies = [("credits", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE_CHANGES, ALLOW_CHANGES),
        migrations.RunPython(add_prices, remove_prices),
    ]
