from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False                                       # an index made concurrently wants no transaction around it
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.AddField("Book", "sold", models.IntegerField(default=0)),
        AddIndexConcurrently("Book", models.Index(fields=["title"], name="book_title")),
    ]
