// A libpq function for isolationtester, by LD_PRELOAD: its sessions are known by what $BACKEND_PID_QUERY says, since the
// key that a pooler gives its clients holds no server's process id.
//
// Built and used by isolation_suite.sh.
#include <libpq-fe.h>
#include <stdlib.h>

int PQbackendPID(const PGconn* connection) {
    PGresult* result = PQexec((PGconn*)connection, getenv("BACKEND_PID_QUERY"));
    int pid = PQresultStatus(result) == PGRES_TUPLES_OK ? atoi(PQgetvalue(result, 0, 0)) : 0;
    PQclear(result);
    return pid;
}
