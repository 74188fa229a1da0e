import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Author", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("name", models.TextField(unique=True)),
            ("born", models.DateField(null=True)),
        ]),
        migrations.CreateModel("Book", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("author", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="library.author")),
            ("title", models.TextField()),
            ("price", models.DecimalField(max_digits=12, decimal_places=2)),
            ("tags", django.contrib.postgres.fields.ArrayField(models.TextField())),
            ("facts", models.JSONField()),
        ]),
    ]
