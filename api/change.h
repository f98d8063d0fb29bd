/*
 * A call of the management API that changes what is deployed: its input goes to the catalog's thread, where `work` decides and alters,
 * and `respond` answers on the request's loop. The change is made even when the client has left meanwhile.
 */
#ifndef HG_API_CHANGE_H
#define HG_API_CHANGE_H

#include "api/input.h"
#include "api/lambda_name.h"
#include "config/catalog.h"

struct hg_api_change {
    struct hg_change base;
    struct hg_call *call; /* NULL once the client has left; not for work */
    struct hg_loop *home; /* the request's loop */
    struct hg_catalog *catalog;
    cJSON *input;                             /* owned */
    struct hg_str params[HG_CALL_PARAMS_MAX]; /* copies of call->params */
    struct hg_function_ref ref;               /* copy; set by the handlers that name a function */
    struct hg_arena *arena;                   /* owned: what work hands to respond */
    /* What work found wrong: see change_refuse. */
    enum hg_api_error error;
    const char *message; /* NULL for call_deny's form */
    /* What work made, for respond to write: references, dropped with the change. */
    struct hg_snapshot *snapshot; /* what is in force after it; set by the frame before respond */
    struct hg_function *function;
    void *user; /* in arena */
    enum hg_rc (*work)(struct hg_api_change *change, struct hg_edit *edit);
    void (*respond)(
        struct hg_api_change *change); /* only after HG_OK and with a client that is there */
};

/*
 * Reads the input (call_take_input) and, with names_function, FunctionName and Qualifier (lambda_read_name); then submits. Answers
 * itself when anything is wrong, also after work refused.
 */
void change_submit(struct hg_call *call, bool names_function,
                   enum hg_rc (*work)(struct hg_api_change *change, struct hg_edit *edit),
                   void (*respond)(struct hg_api_change *change));
/* For work: notes the error that the client gets; returns HG_E_INVALID, for `return change_refuse(…)`. */
enum hg_rc change_refuse(struct hg_api_change *change, enum hg_api_error error, const char *format,
                         ...) hg_printf_like(3, 4);

/*
 * change_submit in two halves, for what must be done in between on helper threads. From begin on the change is on its way without its
 * client: change->call may become NULL at any turn of change->home. NULL: the call was answered. What must end with the change is
 * deferred to change->arena.
 */
struct hg_api_change *change_begin(struct hg_call *call, bool names_function);
/* Sets change->ref from the input's FunctionName and Qualifier, right after begin(false). False: answered, and the change is gone. */
bool change_name_function(struct hg_api_change *change);
void change_send(struct hg_api_change *change,
                 enum hg_rc (*work)(struct hg_api_change *change, struct hg_edit *edit),
                 void (*respond)(struct hg_api_change *change));
/* Instead of change_send: answers, if there still is a client, and frees the change. change->home only. */
void change_abandon(struct hg_api_change *change, enum hg_api_error error, const char *format, ...)
    hg_printf_like(3, 4);
/* The same for a call that changes nothing after all: answer first, then this. */
void change_end(struct hg_api_change *change);

#endif
