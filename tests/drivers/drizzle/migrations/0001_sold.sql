ALTER TABLE "books" ADD "sold" integer NOT NULL DEFAULT 0;
