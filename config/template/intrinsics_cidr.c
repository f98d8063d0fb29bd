/*
 * Fn::Cidr: equal blocks cut out of an address range, IPv4 or IPv6.
 */
#include "config/template/eval_state.h"

#include <arpa/inet.h>

enum { BLOCKS_MAX = 256 };

struct block {
    unsigned char address[16];
    int family;
    unsigned width;  /* bits of an address */
    uint64_t prefix; /* bits that the range fixes */
};

static bool parse_block(struct hg_str text, struct block *block)
{
    ptrdiff_t slash = hg_str_find(text, '/');
    char address[INET6_ADDRSTRLEN];

    if (slash < 0 || (size_t)slash >= sizeof(address))
        return false;
    memcpy(address, text.p, (size_t)slash);
    address[slash] = '\0';
    block->family = strchr(address, ':') ? AF_INET6 : AF_INET;
    block->width = block->family == AF_INET6 ? 128 : 32;
    return inet_pton(block->family, address, block->address) == 1 &&
           hg_str_u64(hg_str_skip(text, (size_t)slash + 1), block->width, &block->prefix);
}

/* Clears the bits that the range leaves free, so that it starts at its first address. */
static void clear_free_bits(struct block *block)
{
    for (uint64_t bit = block->prefix; bit < block->width; bit++)
        block->address[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
}

/* Moves on by one block of 2^bits addresses. */
static void advance(struct block *block, uint64_t bits)
{
    unsigned at = (unsigned)((block->width - 1 - bits) / 8);
    unsigned carry = 1u << bits % 8;

    for (; carry; at--) {
        carry += block->address[at];
        block->address[at] = (unsigned char)carry;
        carry >>= 8;
        if (at == 0)
            break;
    }
}

static bool has_room(const struct block *block, uint64_t count, uint64_t bits)
{
    uint64_t spare = block->width - block->prefix;

    if (bits >= block->width || bits > spare)
        return false;
    spare -= bits;
    return spare >= 9 || count <= UINT64_C(1) << spare;
}

struct hg_node *call_cidr(struct hg_eval *eval, const struct hg_node *argument,
                          const struct hg_node *at)
{
    struct hg_str range, count_text, bits_text;
    struct block block = {.family = 0};
    uint64_t count, bits;
    struct hg_node *list;

    if (!node_is_list(argument) || argument->count < 2 || argument->count > 3) {
        eval_problem(
            eval, at,
            "Fn::Cidr takes a list of three: an address range, a count, and the bits of each block");
        return NULL;
    }
    if (!eval_text(eval, argument->items[0], "Fn::Cidr: the address range", &range) ||
        !eval_text(eval, argument->items[1], "Fn::Cidr: the count", &count_text))
        return NULL;
    if (!parse_block(range, &block)) {
        eval_problem(eval, at, "Fn::Cidr: '%.*s' is not an address range such as 10.0.0.0/16",
                     HG_STR_ARG(range));
        return NULL;
    }
    bits_text = block.family == AF_INET ? HG_STR("8") : HG_STR("64");
    if (argument->count == 3 &&
        !eval_text(eval, argument->items[2], "Fn::Cidr: the bits", &bits_text))
        return NULL;
    if (!hg_str_u64(count_text, BLOCKS_MAX, &count) || !count ||
        !hg_str_u64(bits_text, 128, &bits) || !bits) {
        eval_problem(eval, at,
                     "Fn::Cidr: the count is a number from 1 to %d, the bits from 1 to 128",
                     BLOCKS_MAX);
        return NULL;
    }
    if (!has_room(&block, count, bits)) {
        eval_problem(eval, at, "Fn::Cidr: %.*s has no room for %llu blocks of %llu bits",
                     HG_STR_ARG(range), (unsigned long long)count, (unsigned long long)bits);
        return NULL;
    }
    clear_free_bits(&block);
    list = node_new_list(eval->arena, at);
    for (uint64_t i = 0; i < count; i++) {
        char address[INET6_ADDRSTRLEN];
        const char *text;

        (void)inet_ntop(block.family, block.address, address, sizeof(address));
        text = hg_arena_printf(eval->arena, "%s/%u", address, (unsigned)(block.width - bits));
        node_push(eval->arena, list, node_new_text(eval->arena, hg_str_of(text), at));
        advance(&block, bits);
    }
    return list;
}
