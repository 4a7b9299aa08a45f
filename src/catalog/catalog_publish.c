/*
 * Publish: the one way in which anything becomes visible (I3).
 *
 * Before the lock: look at the parents, to know depth, skip pointer and the least time; put large sets
 * of nodes ahead. Under the lock, in one transaction: has this transaction id landed before? is every
 * ref what it was expected to be? then set the time, encode and name the commit, insert everything,
 * move the refs, note the reflog. Whoever is not first is told what moved, and nothing has changed.
 */
#include <stdio.h>
#include <string.h>

#include "catalog/catalog_internal.h"

#define TIME_SKEW_NONE INT64_MIN

struct publish_job {
    struct write_job job;
    struct armi_catalog *catalog;
    const struct armi_publish *publish;
    struct armi_publish_result *result;
    struct armi_commit *commit; /* NULL: refs only */
    int64_t parents_time_us;    /* the latest parent's */
    bool objects_are_there;     /* put ahead */
};

static enum armi_status bad_depth(const struct armi_hash *id, struct armi_error *err)
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(id, hex);
    return armi_error_object(err, ARMI_CORRUPTION, "commit", hex,
                             "commit %s: its skip pointer leads to the wrong depth", hex);
}

/* Depth and skip pointer of a child of `parent`. */
static enum armi_status link_to(struct armi_catalog *catalog,
                                const struct armi_hash *parent_id,
                                const struct armi_commit *parent, struct armi_commit *child,
                                struct armi_error *err)
{
    uint64_t depth = parent->depth + 1;
    struct armi_hash skip = *parent_id;

    if (armi_commit_skip_depth(depth) != parent->depth) {
        /* Two jumps of one length become one: where the jump of the parent's jump goes. */
        struct armi_commit middle;
        ARMI_TRY(armi_catalog_get_commit(catalog, &parent->skip, &middle, err));
        bool fits = middle.depth != 0 &&
                    middle.depth == armi_commit_skip_depth(parent->depth) &&
                    armi_commit_skip_depth(middle.depth) == armi_commit_skip_depth(depth);
        skip = middle.skip;
        armi_commit_release(&middle);
        if (!fits)
            return bad_depth(parent_id, err);
    }
    child->depth = depth;
    child->skip = skip;
    return ARMI_OK;
}

static enum armi_status look_at_parents(struct publish_job *p, struct armi_error *err)
{
    p->commit->depth = 0;
    p->parents_time_us = TIME_SKEW_NONE;
    for (size_t i = 0; i < p->commit->parents_count; i++) {
        const struct armi_hash *id = &p->commit->parents[i];
        struct armi_commit parent;
        enum armi_status status = ARMI_OK;
        ARMI_TRY(armi_catalog_get_commit(p->catalog, id, &parent, err));
        if (parent.time_us > p->parents_time_us)
            p->parents_time_us = parent.time_us;
        if (i == 0)
            status = link_to(p->catalog, id, &parent, p->commit, err);
        armi_commit_release(&parent);
        ARMI_TRY(status);
    }
    return ARMI_OK;
}

static enum armi_status check_change(struct publish_job *p,
                                     const struct armi_ref_change *change,
                                     struct armi_error *err)
{
    size_t size = strlen(change->name);

    if (size == 0 || size > ARMI_NAME_SIZE_MAX ||
        (change->kind != ARMI_REF_BRANCH && change->kind != ARMI_REF_TAG))
        return armi_error_set(err, ARMI_INVALID, "Invalid %s name: \"%.300s\"",
                              ref_kind_word(change->kind), change->name);
    if (change->to_published && p->commit == NULL)
        return armi_error_set(err, ARMI_INVALID,
                              "a ref is to move to a commit that is not made");
    if (change->action != ARMI_REF_DELETE && !change->to_published && change->has_target) {
        /* A ref names a commit, and one that can be read. */
        struct armi_commit target;
        ARMI_TRY(armi_catalog_get_commit(p->catalog, &change->target, &target, err));
        armi_commit_release(&target);
    }
    return ARMI_OK;
}

static enum armi_status ref_taken(const struct armi_catalog_ref *ref,
                                  struct armi_error *err)
{
    return armi_error_object(err, ARMI_ALREADY_EXISTS, ref_kind_word(ref->kind), ref->name,
                             "%s already exists: %s",
                             ref->kind == ARMI_REF_TAG ? "Tag" : "Branch", ref->name);
}

static bool as_expected(const struct armi_ref_change *change, bool found,
                        const struct armi_catalog_ref *ref)
{
    switch (change->expect) {
    case ARMI_REF_UNBORN:
        return found && !ref->has_commit;
    case ARMI_REF_AT:
        return found && ref->has_commit &&
               memcmp(&ref->commit, &change->expected, sizeof ref->commit) == 0;
    case ARMI_REF_ANY:
        break;
    }
    return true;
}

/* *go_on is false when the ref has moved: the result says how. */
static enum armi_status validate_ref(struct publish_job *p, struct catalog_conn *conn,
                                     size_t index, bool *go_on, struct armi_error *err)
{
    const struct armi_ref_change *change = &p->publish->refs[index];
    struct armi_catalog_ref ref, other;
    bool found, other_found;

    memset(&ref, 0, sizeof ref);
    ARMI_TRY(ref_read(conn, change->kind, change->name, &found, &ref, err));
    if (change->action == ARMI_REF_CREATE) {
        enum armi_ref_kind kind =
            change->kind == ARMI_REF_TAG ? ARMI_REF_BRANCH : ARMI_REF_TAG;
        if (found)
            return ref_taken(&ref, err);
        ARMI_TRY(ref_read(conn, kind, change->name, &other_found, &other, err));
        return other_found ? ref_taken(&other, err) : ARMI_OK;
    }
    if (!as_expected(change, found, &ref)) {
        p->result->outcome = ARMI_PUBLISH_MOVED;
        p->result->moved_index = index;
        p->result->moved_exists = found;
        p->result->moved = ref;
        *go_on = false;
        return ARMI_OK;
    }
    if (!found)
        return armi_error_object(err, ARMI_NOT_FOUND, ref_kind_word(change->kind),
                                 change->name, "%s not found: %s",
                                 change->kind == ARMI_REF_TAG ? "Tag" : "Branch",
                                 change->name);
    return ARMI_OK;
}

static enum armi_status validate(struct publish_job *p, struct catalog_conn *conn,
                                 bool *go_on, struct armi_error *err)
{
    *go_on = true;
    if (p->commit != NULL) {
        bool found;
        ARMI_TRY(txid_read(conn, p->commit->txid, &found, &p->result->commit, err));
        if (found) {
            p->result->outcome = ARMI_PUBLISH_REPEATED;
            *go_on = false;
            return ARMI_OK;
        }
    }
    for (size_t i = 0; i < p->publish->refs_count && *go_on; i++)
        ARMI_TRY(validate_ref(p, conn, i, go_on, err));
    return ARMI_OK;
}

static enum armi_status put_commit(struct publish_job *p, struct catalog_conn *conn,
                                   int64_t now, struct armi_error *err)
{
    struct armi_buf bytes = {0};
    struct armi_commit *commit = p->commit;

    commit->clock_us = now;
    commit->time_us = now;
    if (commit->parents_count != 0 && p->parents_time_us >= now) {
        if (p->parents_time_us == INT64_MAX)
            return armi_error_set(err, ARMI_LIMIT,
                                  "no time is later than the parent commit's");
        commit->time_us = p->parents_time_us + 1;
    }
    enum armi_status status = armi_commit_encode(commit, &bytes, err);
    if (status == ARMI_OK) {
        armi_node_name(ARMI_NODE_COMMIT, armi_buf_slice(&bytes), &p->result->commit);
        status = node_write(conn, ARMI_NODE_COMMIT, &p->result->commit,
                            armi_buf_slice(&bytes), err);
    }
    if (status == ARMI_OK)
        status = txid_write(conn, commit->txid, &p->result->commit, err);
    armi_buf_release(&bytes);
    return status;
}

static enum armi_status put_objects(struct publish_job *p, struct catalog_conn *conn,
                                    struct armi_error *err)
{
    const struct armi_node_set *nodes = p->publish->nodes;

    if (p->objects_are_there)
        return ARMI_OK;
    for (size_t i = 0; nodes != NULL && i < nodes->count; i++)
        ARMI_TRY(node_write(conn, nodes->entries[i].type, &nodes->entries[i].name,
                            armi_node_set_bytes(nodes, i), err));
    for (size_t i = 0; i < p->publish->chunks_count; i++)
        ARMI_TRY(chunk_write(conn, &p->publish->chunks[i], err));
    return ARMI_OK;
}

/* Again under the lock: gc may have been there in between. */
static enum armi_status check_target(struct catalog_conn *conn,
                                     const struct armi_hash *target, struct armi_error *err)
{
    bool there;
    char hex[ARMI_HASH_HEX_SIZE];
    ARMI_TRY(node_exists(conn, target, &there, err));
    if (there)
        return ARMI_OK;
    armi_hash_format(target, hex);
    return armi_error_object(err, ARMI_NOT_FOUND, "commit", hex, "Commit not found: %s",
                             hex);
}

/* Bytes of a text, at most what fits, whole UTF-8 characters only. */
static void copy_cut(char out[ARMI_NAME_SIZE_MAX + 1], const void *data, size_t size)
{
    const uint8_t *bytes = data;
    if (size > ARMI_NAME_SIZE_MAX)
        for (size = ARMI_NAME_SIZE_MAX; size > 0 && (bytes[size] & 0xc0) == 0x80;)
            size--;
    for (size_t i = 0; i < size; i++)
        out[i] = bytes[i] != 0 ? (char)bytes[i] : ' ';
    out[size] = '\0';
}

static enum armi_status change_ref(struct publish_job *p, struct catalog_conn *conn,
                                   const struct armi_ref_change *change, int64_t now,
                                   struct armi_error *err)
{
    struct armi_catalog_ref ref;
    struct armi_catalog_reflog entry = {.kind = change->kind, .time_us = now};
    const char *reason = change->reason != NULL ? change->reason : "";
    bool found;

    memset(&ref, 0, sizeof ref);
    ARMI_TRY(ref_read(conn, change->kind, change->name, &found, &ref, err));
    copy_cut(entry.name, change->name, strlen(change->name));
    copy_cut(entry.reason, reason, strlen(reason));
    copy_cut(entry.author, p->publish->author.data, p->publish->author.size);
    entry.has_old = found && ref.has_commit;
    entry.old_commit = ref.commit;
    if (change->action == ARMI_REF_DELETE) {
        ARMI_TRY(ref_remove(conn, change->kind, change->name, err));
        return reflog_write(conn, &entry, err);
    }
    ref.kind = change->kind;
    memcpy(ref.name, entry.name, sizeof ref.name);
    ref.has_commit = change->to_published || change->has_target;
    if (ref.has_commit)
        ref.commit = change->to_published ? p->result->commit : change->target;
    if (ref.has_commit && !change->to_published)
        ARMI_TRY(check_target(conn, &ref.commit, err));
    ref.moves = found ? ref.moves + 1 : 0;
    ref.time_us = now;
    ARMI_TRY(ref_write(conn, &ref, err));
    entry.has_new = ref.has_commit;
    entry.new_commit = ref.commit;
    return reflog_write(conn, &entry, err);
}

static enum armi_status publish_run(struct write_job *job, struct catalog_conn *conn,
                                    struct armi_error *err)
{
    struct publish_job *p = job->ctx;
    bool go_on;

    memset(p->result, 0, sizeof *p->result);
    ARMI_TRY(validate(p, conn, &go_on, err));
    if (!go_on)
        return ARMI_OK;
    int64_t now = p->catalog->os->realtime_us(p->catalog->os);
    ARMI_TRY(put_objects(p, conn, err));
    if (p->commit != NULL)
        ARMI_TRY(put_commit(p, conn, now, err));
    for (size_t i = 0; i < p->publish->refs_count; i++)
        ARMI_TRY(change_ref(p, conn, &p->publish->refs[i], now, err));
    job->changed = true;
    return ARMI_OK;
}

static uint64_t object_bytes(const struct armi_publish *publish)
{
    uint64_t bytes = publish->nodes != NULL ? publish->nodes->bytes.size : 0;
    for (size_t i = 0; i < publish->chunks_count; i++)
        bytes += publish->chunks[i].bytes.size;
    return bytes;
}

static enum armi_status prepare(struct publish_job *p, struct armi_error *err)
{
    static const uint8_t no_txid[ARMI_TXID_SIZE];
    const struct armi_publish *publish = p->publish;
    const struct armi_os *os = p->catalog->os;

    for (size_t i = 0; i < publish->refs_count; i++)
        ARMI_TRY(check_change(p, &publish->refs[i], err));
    if (p->commit != NULL) {
        ARMI_TRY(look_at_parents(p, err));
        if (memcmp(p->commit->txid, no_txid, sizeof no_txid) == 0) {
            int rc = os->random(os, p->commit->txid, sizeof p->commit->txid);
            if (rc < 0)
                return armi_error_errno(err, -rc, "cannot get random bytes");
        }
    }
    if (object_bytes(publish) > ARMI_NODE_PUBLISH_MAX) {
        ARMI_TRY(objects_put(p->catalog, publish->nodes, publish->chunks,
                             publish->chunks_count, false, &publish->interrupt, err));
        p->objects_are_there = true;
    }
    return ARMI_OK;
}

/* Replaces an error by one that says so, and names the commit to ask for. */
static enum armi_status unknown(const struct armi_hash *commit, bool has_commit,
                                struct armi_error *err)
{
    char hex[ARMI_HASH_HEX_SIZE], why[sizeof err->message];

    if (err == NULL)
        return ARMI_COMMIT_UNKNOWN;
    armi_hash_format(commit, hex);
    snprintf(why, sizeof why, "%s", err->message);
    armi_error_object(
        err, ARMI_COMMIT_UNKNOWN, has_commit ? "commit" : "ref", has_commit ? hex : "",
        "%s%s may or may not have landed (%s): open the repository again and look",
        has_commit ? "commit " : "the change of a ref", has_commit ? hex : "", why);
    err->commit = *commit;
    return ARMI_COMMIT_UNKNOWN;
}

enum armi_status armi_catalog_publish(struct armi_catalog *catalog,
                                      const struct armi_publish *publish,
                                      struct armi_publish_result *result,
                                      struct armi_error *err)
{
    struct armi_publish_result answer = {0};
    struct publish_job p = {.catalog = catalog, .publish = publish, .result = &answer};

    p.commit = publish->commit;
    p.job = (struct write_job){
        .fn = publish_run, .ctx = &p, .err = err, .interrupt = &publish->interrupt};
    ARMI_TRY(prepare(&p, err));
    enum armi_status status = write_run(catalog, &p.job);
    if (status != ARMI_OK && p.job.unknown) {
        answer.outcome = ARMI_PUBLISH_UNKNOWN;
        *result = answer;
        return unknown(&answer.commit, p.commit != NULL, err);
    }
    if (status == ARMI_OK)
        *result = answer;
    return status;
}
