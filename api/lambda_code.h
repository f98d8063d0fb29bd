/*
 * Code that calls bring: archives in the call's body (ZipFile) or in a bucket,
 * unpacked before the change that uses them is submitted; and the addresses at
 * which they can be fetched again. What takes long runs on helper threads; the rest on the request's loop.
 */
#ifndef HG_API_LAMBDA_CODE_H
#define HG_API_LAMBDA_CODE_H

#include "api/change.h"
#include "config/package.h"

enum { HG_CODE_REQUEST_MAX = 70167211 }; /* bytes of a call that brings an archive */

/* Helper threads, clients of buckets, the key of download addresses. */
struct hg_code_service;
/* data_dir is borrowed. */
struct hg_code_service *code_service_new(struct hg_loops *loops, const char *data_dir);
/* Loops must be stopped. What is under way ends without having done anything. */
void code_service_free(struct hg_code_service *service);

/*
 * A claim on a function, by name, while its code is made ready for the change: nobody else changes it until the change has ended. False:
 * somebody else has it. On the change's loop, with its call.
 */
bool code_claim(struct hg_api_change *change, struct hg_str name) hg_must_use;
bool code_is_claimed(struct hg_call *call, struct hg_str name);

/* What came with a call. */
struct hg_upload;

/*
 * Takes the call's body, and the archive out of it: member ZipFile of the object named parent ("Code", "Content"), or of the body itself
 * (NULL). `then` runs later on the call's loop unless the client has left; req->body is then the body with an empty ZipFile, so that
 * call_input sees all the rest. The upload is its receiver's, to hand on to code_store or to upload_free.
 */
void code_upload(struct hg_call *call, const char *parent,
                 void (*then)(struct hg_call *call, struct hg_upload *upload));
void upload_free(struct hg_upload *upload); /* NULL is allowed */

/* Whether there is code to be had: an archive, or the name of one in source, not both. HG_E_INVALID: change_refuse has noted why. */
enum hg_rc code_check_source(struct hg_api_change *change, const struct hg_upload *upload,
                             const cJSON *source) hg_must_use;
/*
 * Makes the code ready that upload (taken) holds or, when it has none, that source names with S3Bucket, S3Key and S3ObjectVersion.
 * `then` runs later on the change's loop, also when the client has left, and sends the change (change_send); the package's texts are in
 * change->arena. When it cannot be had, the call is answered and the change abandoned.
 */
void code_store(struct hg_api_change *change, struct hg_upload *upload, const cJSON *source,
                void (*then)(struct hg_api_change *change, const struct hg_package *package));

/* A full URL on the request's host, good for ten minutes, in the request's arena. sha256 is a CodeSha256 of a stored archive. */
const char *code_location(struct hg_call *call, struct hg_str sha256);
/* The same for a version whose code is a folder: an archive is made when it is asked for. */
const char *code_location_of_function(struct hg_call *call, const struct hg_function *function);
/* The same for a version of a layer. */
const char *code_location_of_layer(struct hg_call *call, struct hg_str name,
                                   const struct hg_layer_version *version);
/* GET /_headgate/code/{Name} */
void page_code(struct hg_call *call);

/* For the listener: how large a body req may have, and what it says to a larger one (p NULL: req brings no code). */
size_t code_body_max(const struct hg_request *req, size_t otherwise);
struct hg_str code_large_body(const struct hg_request *req);

#endif
