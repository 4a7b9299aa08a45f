/*
 * Everything that refs reach: commits over all parents, the table versions they name, the
 * nodes and chunks of those. For verify and stats (and, later, gc).
 */
#ifndef ARMI_REPO_WALK_H
#define ARMI_REPO_WALK_H

#include "base/map.h"
#include "repo/repo_internal.h"

struct armi_walk {
    struct armi_core *core;
    struct armi_map commits;  /* id -> 1 */
    struct armi_map versions; /* table version node -> 1 */
    struct armi_map nodes;    /* every node reached, commits and versions too -> its type */
    struct armi_map chunks;   /* hash -> file size * 2 + (1 if it lies in the catalog) */
    uint64_t version_bytes;   /* chunk bytes if every version had its own copy */
    /*
     * A failure at one object. ARMI_OK to go on, else the walk ends with what it returns.
     * NULL: every failure ends the walk.
     */
    enum armi_status (*problem)(void *ctx, const char *kind, const char *name,
                                const struct armi_error *what, struct armi_error *err);
    /* Each table version, once, decoded; where it was met first. May be NULL. */
    enum armi_status (*version)(void *ctx, const struct armi_table_entry *entry,
                                const struct armi_table_version *version,
                                struct armi_error *err);
    void *ctx;
    struct armi_interrupt interrupt;
};

void armi_walk_init(struct armi_walk *walk, struct armi_core *core);
void armi_walk_release(struct armi_walk *walk);
/* From all branches and tags. */
enum armi_status armi_walk_refs(struct armi_walk *walk, struct armi_error *err);

#endif
