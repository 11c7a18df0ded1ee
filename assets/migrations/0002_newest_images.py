from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What selectors.newest_images reads: beside running traffic, hence outside a transaction."""

    atomic = False

    dependencies = [
        ("assets", "0001_initial"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="asset",
            index=models.Index(
                fields=["workspace", "-created_at", "-id"],
                condition=models.Q(kind="image"),
                name="asset_newest_images",
            ),
        ),
        AddIndexConcurrently(
            model_name="asset",
            index=models.Index(
                fields=["creator", "-created_at", "-id"],
                condition=models.Q(kind="image"),
                name="asset_newest_images_of_member",
            ),
        ),
    ]
