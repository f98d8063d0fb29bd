/*
 * What the account may have and has (function-api.md §13).
 *
 * The account's limit of concurrency is the service's 1000, or --max-concurrency where that is more: reservations are counted against
 * it, so that what the service accepts is accepted on a small machine too. There they are kept in proportion, and --max-concurrency
 * throttles (workers/limits.h).
 */
#ifndef HG_API_LAMBDA_ACCOUNT_H
#define HG_API_LAMBDA_ACCOUNT_H

#include "config/model.h"

enum { ACCOUNT_UNRESERVED_MIN = 100 /* stays for functions without a reservation */ };

struct account_use {
    int64_t functions, code_size;
    int64_t claimed; /* reserved, and provisioned by functions that have no reservation */
};

void account_add_up(const struct hg_snapshot *snapshot, struct account_use *use);
int64_t account_limit(unsigned max_concurrency);
/* What the function takes of the account's concurrency. */
int64_t account_claim(const struct hg_family *family);
int64_t account_provisioned(const struct hg_family *family);

#endif
