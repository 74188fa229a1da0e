#!/usr/bin/env bash
# Makes the client of schema.prisma. `prisma migrate` and the schema engine are programs that npm's package fetches from
# elsewhere when it is first used; the client of today does without, so none is fetched: it is said to be there.
set -euo pipefail
cmp -s schema.prisma node_modules/.generated && exit
DATABASE_URL=postgres://none PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1 PRISMA_HIDE_UPDATE_MESSAGE=1 npx --no-install prisma generate
cp schema.prisma node_modules/.generated
