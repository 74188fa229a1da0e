CREATE TABLE "authors" ("id" serial PRIMARY KEY, "name" text NOT NULL UNIQUE);
--> statement-breakpoint
CREATE TABLE "books" (
    "id" serial PRIMARY KEY, "author_id" integer NOT NULL REFERENCES "authors" ("id"), "title" text,
    "price" numeric(12, 2), "printed" date, "tags" text[], "facts" jsonb
);
