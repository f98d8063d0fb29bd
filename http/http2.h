/*
 * HTTP/2 on a connection. Home loop only.
 */
#ifndef HG_HTTP_HTTP2_H
#define HG_HTTP_HTTP2_H

#include "http/conn.h"

/* Makes HTTP/2 the connection's protocol; the client's connection preface comes next. */
void http2_start(struct hg_conn *conn);

/*
 * Same after "Upgrade: h2c" (RFC 7540 §3.2): answers 101, and req becomes stream 1. settings is the value of
 * HTTP2-Settings. req stays the caller's and may be freed when this returns; what the answer needs was copied.
 * False: the settings are malformed or req is too large; nothing was written, answer with HTTP/1.1.
 */
bool http2_upgrade(struct hg_conn *conn, const struct hg_request *req, struct hg_str settings);

#endif
