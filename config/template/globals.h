/*
 * The Globals section: what it may hold, and how it is merged into resources.
 */
#ifndef HG_CONFIG_TEMPLATE_GLOBALS_H
#define HG_CONFIG_TEMPLATE_GLOBALS_H

#include "config/template/node.h"

/* Adds a problem for every section or property that Globals cannot have. globals may be NULL. */
void globals_check(const struct hg_node *globals, struct hg_problems *problems);

/*
 * The resource with the globals of its type merged into Properties: scalars and intrinsics of
 * the resource win, maps merge, lists are global items followed by the resource's.
 * IgnoreGlobals is obeyed. Returns resource itself when nothing changes.
 */
struct hg_node *globals_merge(struct hg_arena *arena, const struct hg_node *globals,
                              struct hg_node *resource);

#endif
