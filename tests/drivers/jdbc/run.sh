#!/usr/bin/env bash
# JDBC's checks need no build: java compiles the one file itself.
exec java -Xmx512m -cp /usr/share/java/postgresql.jar Checks.java
