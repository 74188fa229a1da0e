from django.contrib.postgres.fields import ArrayField
from django.db import models


class Author(models.Model):
    name = models.TextField(unique=True)
    born = models.DateField(null=True)


class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    title = models.TextField()
    price = models.DecimalField(max_digits=12, decimal_places=2)
    tags = ArrayField(models.TextField())
    facts = models.JSONField()
    sold = models.IntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["title"], name="book_title")]
