/*
 * HTTP/1.1 and HTTP/1.0 on a connection.
 */
#ifndef HG_HTTP_HTTP1_H
#define HG_HTTP_HTTP1_H

#include "http/conn.h"

/* Makes HTTP/1 the protocol of a connection that has just opened. */
void http1_start(struct hg_conn *conn);

/* Queues the answer to a fault, with Connection: close. The caller closes. */
void http1_write_fault(struct hg_conn *conn, enum hg_fault fault, struct hg_str body);

#endif
