/*
 * Memory for nghttp2: small blocks kept per thread.
 */
#ifndef HG_HTTP_HTTP2_MEM_H
#define HG_HTTP_HTTP2_MEM_H

#include <nghttp2/nghttp2.h>

/* For nghttp2_session_server_new3(); NULL means plain malloc, in builds whose tools must see every block. */
nghttp2_mem *http2_mem(void);

#endif
