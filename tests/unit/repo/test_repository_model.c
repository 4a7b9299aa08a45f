/* Random histories against a naive model: lists of rows by table, commit by commit. */
#include "repo_kit.h"

#include <stdlib.h>

#include "arrow/builder.h"
#include "arrow/stream.h"
#include "arrow_gen.h"
#include "test.h"

#define TABLES   4
#define BRANCHES 4
#define COMMITS  600
#define ROWS_MAX 60

static const char *const table_names[TABLES] = {"t", "u", "w", "\xc3\xa4pfel"};
static const char *const branch_names[BRANCHES] = {"main", "dev", "a/b", "a"};

/* A row is a number; columns are made of it. */
struct rows {
    size_t count;
    int cells[ROWS_MAX];
};

struct table {
    bool known, live; /* known and dead: a tombstone */
    uint64_t version;
    int64_t id; /* changes when the table is made anew */
    struct rows rows;
};

struct commit {
    size_t parent, second; /* index + 1, 0 = none */
    size_t depth;          /* along first parents */
    struct table tables[TABLES];
    bool touched[TABLES];
    struct armi_hash hash;
    int64_t time_us;
};

struct branch {
    bool is_there;
    size_t tip; /* index + 1, 0 = no commit */
};

struct model {
    struct repo_kit kit;
    uint64_t seed;
    struct commit *commits;
    size_t count;
    struct branch branches[BRANCHES];
    int64_t next_id;
};

static size_t below(struct model *m, size_t n)
{
    return n == 0 ? 0 : (size_t)(arrow_gen_next(&m->seed) % n);
}

/* A branch that is there: main always is. */
static size_t branch_random(struct model *m)
{
    size_t b = below(m, BRANCHES);
    return m->branches[b].is_there ? b : 0;
}

/* ---- rows as Arrow, and back ---- */

static void stream_of(const struct rows *rows, struct ArrowArrayStream *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = ARMI_FIELD_INIT, a = ARMI_FIELD_INIT, b = ARMI_FIELD_INIT;
    struct armi_builder *root;
    struct ArrowArray batch;
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_field_init(&a, "a", ARMI_TYPE_INT64, &err));
    ok(armi_field_init(&b, "b", ARMI_TYPE_UTF8, &err));
    ok(armi_field_add_child(&schema, &a, &err));
    ok(armi_field_add_child(&schema, &b, &err));
    ok(armi_builder_new(&schema, &root, &err));
    for (size_t i = 0; i < rows->count; i++) {
        char text[32];
        snprintf(text, sizeof text, "row %d", rows->cells[i]);
        ok(armi_builder_append_int(armi_builder_child(root, 0), rows->cells[i], &err));
        if (rows->cells[i] % 5 == 0)
            ok(armi_builder_append_null(armi_builder_child(root, 1), &err));
        else
            ok(armi_builder_append_text(armi_builder_child(root, 1), text, &err));
        ok(armi_builder_close(root, &err));
    }
    ok(armi_builder_finish(root, &batch, &err));
    armi_builder_free(root);
    ok(armi_stream_from_arrays(&schema, &batch, rows->count != 0, out, &err));
    armi_arrow_array_release(&batch);
    armi_field_release(&schema);
}

/* Column "a" of what the stream gives, from column `at` on; the stream is released. */
static void cells_of(struct ArrowArrayStream *stream, const char *name, int *cells,
                     const char *type_name, size_t *count)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = ARMI_FIELD_INIT;
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    ok(armi_stream_schema(stream, &schema, &err));
    ok(armi_stream_collect(stream, &list, &err));
    int64_t at = armi_field_find(&schema, name);
    int64_t type_at = type_name != NULL ? armi_field_find(&schema, "_change_type") : -1;
    *count = 0;
    for (size_t i = 0; i < list.count; i++) {
        struct armi_array view;
        ok(armi_array_init_batch(&schema, &list.arrays[i], ARMI_VALIDATE_FULL, &view,
                                 &err));
        struct armi_array a = armi_array_column(&view, (size_t)at);
        for (int64_t r = 0; r < view.length; r++) {
            if (type_at >= 0) {
                struct armi_array type = armi_array_column(&view, (size_t)type_at);
                const struct armi_slice want = {(const uint8_t *)type_name,
                                                strlen(type_name)};
                if (!armi_slice_equal(armi_array_bytes(&type, r), want))
                    continue;
            }
            assert_true(*count < 4 * ROWS_MAX);
            cells[(*count)++] = (int)armi_array_int(&a, r);
        }
        armi_array_release(&view);
    }
    armi_array_list_release(&list);
    armi_field_release(&schema);
    armi_stream_release(stream);
}

static void expect_rows(struct model *m, const char *table, const struct armi_at *at,
                        const struct rows *want)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_scan_options options = {.size = sizeof options, .table = table, .at = *at};
    struct ArrowArrayStream stream;
    int cells[4 * ROWS_MAX];
    size_t count;
    ok(armi_scan_open(m->kit.repo, &options, &stream, &err));
    cells_of(&stream, "a", cells, NULL, &count);
    assert_int_equal(count, want->count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(cells[i], want->cells[i]);
}

static bool rows_equal(const struct rows *a, const struct rows *b)
{
    return a->count == b->count &&
           memcmp(a->cells, b->cells, a->count * sizeof a->cells[0]) == 0;
}

static bool same_table(const struct table *a, const struct table *b)
{
    bool live_a = a->known && a->live, live_b = b->known && b->live;
    return live_a && live_b ? rows_equal(&a->rows, &b->rows) : live_a == live_b;
}

/* ---- commits ---- */

static const struct table no_table;

static const struct table *table_at(const struct model *m, size_t tip, size_t t)
{
    return tip == 0 ? &no_table : &m->commits[tip - 1].tables[t];
}

static struct commit *commit_new(struct model *m, size_t parent)
{
    assert_true(m->count < COMMITS);
    struct commit *c = &m->commits[m->count++];
    memset(c, 0, sizeof *c);
    if (parent != 0) {
        memcpy(c->tables, m->commits[parent - 1].tables, sizeof c->tables);
        c->depth = m->commits[parent - 1].depth + 1;
    }
    c->parent = parent;
    return c;
}

static void commit_seal(struct model *m, size_t b, const struct armi_hash *hash)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_commit_list list = {.size = sizeof list};
    char hex[ARMI_HASH_HEX_SIZE];
    struct commit *c = &m->commits[m->count - 1];
    c->hash = *hash;
    armi_hash_format(hash, hex);
    ok(armi_commit_get(m->kit.repo, hex, &list, &err));
    c->time_us = list.items[0].time_us;
    if (c->parent != 0)
        assert_true(c->time_us > m->commits[c->parent - 1].time_us);
    armi_commit_list_release(&list);
    m->branches[b].tip = m->count;
}

/* ---- transactions ---- */

enum kind { KIND_NONE, KIND_APPEND, KIND_WRITE, KIND_DROP };

/* What a transaction did to a table, in all. */
struct work {
    enum kind kind; /* NONE: untouched */
    bool only_appends, blind;
    struct table now;
    struct rows appended;
};

struct tx {
    struct armi_transaction *handle;
    size_t branch, snapshot;
    struct work works[TABLES];
};

static void rows_random(struct model *m, struct rows *rows, size_t most)
{
    rows->count = below(m, most + 1);
    for (size_t i = 0; i < rows->count; i++)
        rows->cells[i] = (int)below(m, 12);
}

static void tx_begin(struct model *m, size_t b, struct tx *tx)
{
    struct armi_error err = ARMI_ERROR_INIT;
    *tx = (struct tx){.branch = b, .snapshot = m->branches[b].tip};
    ok(armi_transaction_begin(m->kit.repo, branch_names[b], &tx->handle, &err));
    for (size_t t = 0; t < TABLES; t++) {
        tx->works[t].now = *table_at(m, tx->snapshot, t);
        tx->works[t].only_appends = tx->works[t].blind = true;
    }
}

static void tx_edit(struct model *m, const struct rows *old, struct rows *rows)
{
    *rows = *old;
    switch (below(m, 4)) {
    case 0:
        rows_random(m, rows, 30);
        break;
    case 1: /* the same again */
        break;
    case 2:
        if (rows->count > 1) { /* two change places */
            size_t i = below(m, rows->count), k = below(m, rows->count);
            int cell = rows->cells[i];
            rows->cells[i] = rows->cells[k];
            rows->cells[k] = cell;
        }
        break;
    default:
        if (rows->count != 0)
            rows->cells[below(m, rows->count)] = (int)below(m, 12);
        break;
    }
}

static void tx_operate(struct model *m, struct tx *tx, bool blind)
{
    struct armi_error err = ARMI_ERROR_INIT;
    size_t t = below(m, TABLES);
    struct work *w = &tx->works[t];
    bool live = w->now.known && w->now.live;
    struct armi_write_options options = {.size = sizeof options, .blind = blind};
    struct ArrowArrayStream stream;
    struct rows rows;
    switch (below(m, 8)) {
    case 0:
        if (!live) {
            fails(ARMI_NOT_FOUND, armi_transaction_drop(tx->handle, table_names[t], &err));
            return;
        }
        ok(armi_transaction_drop(tx->handle, table_names[t], &err));
        w->kind = KIND_DROP;
        w->only_appends = false;
        w->now.live = false;
        w->now.rows.count = 0;
        return;
    case 1:
    case 2:
    case 3:
        rows_random(m, &rows, 4);
        if (live && w->now.rows.count + rows.count > ROWS_MAX - 20)
            return;
        stream_of(&rows, &stream);
        options.mode = ARMI_WRITE_APPEND;
        ok(armi_transaction_write(tx->handle, table_names[t], &stream, &options, NULL,
                                  &err));
        if (!live)
            w->now = (struct table){.known = true, .live = true};
        for (size_t i = 0; i < rows.count; i++) {
            w->now.rows.cells[w->now.rows.count++] = rows.cells[i];
            w->appended.cells[w->appended.count++ % ROWS_MAX] = rows.cells[i];
        }
        w->kind = KIND_APPEND;
        w->blind = false;
        return;
    case 4: /* refused: nothing changes */
        stream_of(&w->now.rows, &stream);
        fails(ARMI_INVALID,
              armi_transaction_write(tx->handle, "a/b", &stream, &options, NULL, &err));
        return;
    case 5:
        rows_random(m, &rows, 4);
        stream_of(&rows, &stream);
        options.mode = live ? ARMI_WRITE_IGNORE : ARMI_WRITE_ERROR;
        if (live && below(m, 2) != 0) {
            options.mode = ARMI_WRITE_ERROR;
            fails(ARMI_ALREADY_EXISTS,
                  armi_transaction_write(tx->handle, table_names[t], &stream, &options,
                                         NULL, &err));
            return;
        }
        ok(armi_transaction_write(tx->handle, table_names[t], &stream, &options, NULL,
                                  &err));
        w->blind = false;
        if (!live) {
            w->now = (struct table){.known = true, .live = true, .rows = rows};
            w->only_appends = false;
            w->kind = KIND_WRITE;
        } else if (w->kind == KIND_NONE) {
            w->kind = KIND_APPEND; /* of nothing */
        }
        return;
    default:
        tx_edit(m, &w->now.rows, &rows);
        stream_of(&rows, &stream);
        ok(armi_transaction_write(tx->handle, table_names[t], &stream, &options, NULL,
                                  &err));
        if (!live)
            w->now = (struct table){.known = true, .live = true};
        w->now.rows = rows;
        w->kind = KIND_WRITE;
        w->only_appends = false;
        w->blind = w->blind && blind;
        return;
    }
}

static void tx_look(struct model *m, struct tx *tx)
{
    struct armi_error err = ARMI_ERROR_INIT;
    const struct armi_at at = {.size = sizeof at, .transaction = tx->handle};
    struct armi_name_list names = {.size = sizeof names};
    size_t live = 0;
    for (size_t t = 0; t < TABLES; t++) {
        uint64_t rows;
        bool is_live = tx->works[t].now.known && tx->works[t].now.live;
        live += is_live;
        if (is_live)
            expect_rows(m, table_names[t], &at, &tx->works[t].now.rows);
        else
            fails(ARMI_NOT_FOUND,
                  armi_table_count(m->kit.repo, table_names[t], &at, &rows, &err));
    }
    ok(armi_table_list(m->kit.repo, &at, &names, &err));
    assert_int_equal(names.count, live);
    armi_name_list_release(&names);
}

static bool same_place(const struct table *a, const struct table *b)
{
    return a->known == b->known && a->live == b->live && a->version == b->version &&
           same_table(a, b);
}

/* What the table becomes on the tip: false = nothing, *conflict = it cannot. */
static bool work_land(const struct model *m, const struct tx *tx, size_t t, size_t tip,
                      struct table *out, bool *conflict)
{
    const struct work *w = &tx->works[t];
    const struct table *base = table_at(m, tx->snapshot, t), *theirs = table_at(m, tip, t);
    bool changed = !same_table(base, &w->now), live = theirs->known && theirs->live;
    bool drops = !(w->now.known && w->now.live);
    *out = *theirs;
    if (w->kind == KIND_NONE)
        return false;
    if (!same_place(base, theirs)) {
        if (drops ? !live || !changed : !changed && !w->blind)
            return false;
        if (w->only_appends && live && !drops) {
            for (size_t i = 0; i < w->appended.count; i++)
                out->rows.cells[out->rows.count++] = w->appended.cells[i];
            out->version++;
            return true;
        }
        if (!w->blind) {
            *conflict = true;
            return false;
        }
        if (!drops && same_table(theirs, &w->now))
            return false;
    } else if (!changed) {
        return false;
    }
    out->known = true;
    out->live = !drops;
    out->rows = w->now.rows;
    out->version += !drops;
    return true;
}

static void tx_end(struct model *m, struct tx *tx)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash landed;
    struct table tables[TABLES];
    bool touched[TABLES], conflict = false, any = false;
    size_t tip = m->branches[tx->branch].tip;
    if (below(m, 8) == 0) {
        armi_transaction_abort(tx->handle);
        fails(ARMI_MISUSE, armi_transaction_commit(tx->handle, NULL, &err));
        armi_transaction_free(tx->handle);
        return;
    }
    for (size_t t = 0; t < TABLES; t++) {
        touched[t] = work_land(m, tx, t, tip, &tables[t], &conflict);
        any = any || touched[t];
    }
    enum armi_status st = armi_transaction_commit(tx->handle, &landed, &err);
    if (conflict) {
        fails(ARMI_CONFLICT, st);
        assert_string_equal(err.branch, branch_names[tx->branch]);
    } else {
        ok(st);
        if (!any) {
            if (tip != 0)
                assert_memory_equal(&landed, &m->commits[tip - 1].hash, sizeof landed);
        } else {
            struct commit *c = commit_new(m, tip);
            memcpy(c->tables, tables, sizeof tables);
            memcpy(c->touched, touched, sizeof touched);
            commit_seal(m, tx->branch, &landed);
        }
        for (size_t i = 0; i < armi_transaction_result_count(tx->handle); i++) {
            struct armi_write_result r = {.size = sizeof r};
            ok(armi_transaction_result(tx->handle, i, &r, &err));
            size_t t = 0;
            while (strcmp(table_names[t], r.table) != 0)
                t++;
            const struct table *now = table_at(m, m->branches[tx->branch].tip, t);
            assert_int_equal(r.changed, touched[t]);
            assert_int_equal(r.version, now->live ? now->version : 0);
            if (now->live)
                assert_int_equal(r.rows_total, now->rows.count);
        }
    }
    armi_transaction_free(tx->handle);
}

/* ---- merges ---- */

static bool is_ancestor(const struct model *m, size_t old, size_t young)
{
    if (young == 0 || old == 0)
        return false;
    const struct commit *c = &m->commits[young - 1];
    return old == young || (young > old && (is_ancestor(m, old, c->parent) ||
                                            is_ancestor(m, old, c->second)));
}

static size_t bases(const struct model *m, size_t a, size_t b, size_t *base)
{
    size_t count = 0;
    for (size_t i = m->count; i > 0; i--) {
        bool covered = false;
        if (!is_ancestor(m, i, a) || !is_ancestor(m, i, b))
            continue;
        for (size_t k = i + 1; k <= m->count && !covered; k++)
            covered = is_ancestor(m, i, k) && is_ancestor(m, k, a) && is_ancestor(m, k, b);
        if (!covered) {
            *base = i;
            count++;
        }
    }
    return count;
}

static bool on_first_parents(const struct model *m, size_t old, size_t young)
{
    for (; young != 0; young = m->commits[young - 1].parent)
        if (young == old)
            return true;
    return false;
}

static void merge(struct model *m)
{
    struct armi_error err = ARMI_ERROR_INIT;
    size_t a = branch_random(m), b = branch_random(m), base = 0;
    struct armi_merge_result result = {.size = sizeof result};
    struct armi_merge_options options = {.size = sizeof options,
                                         .from = branch_names[b],
                                         .into = branch_names[a],
                                         .prefer = (enum armi_merge_prefer)below(m, 3)};
    size_t ours = m->branches[a].tip, theirs = m->branches[b].tip, conflicts = 0;
    size_t count = ours != 0 && theirs != 0 ? bases(m, ours, theirs, &base) : 0;
    enum armi_status st = armi_merge(m->kit.repo, &options, &result, &err);
    if (count > 1) {
        fails(ARMI_INVALID, st);
        return;
    }
    if (theirs == 0 || base == theirs) {
        ok(st);
        assert_int_equal(result.kind, ARMI_MERGE_UP_TO_DATE);
        armi_merge_result_release(&result);
        return;
    }
    if (ours == 0 || on_first_parents(m, ours, theirs)) {
        ok(st);
        assert_int_equal(result.kind, ARMI_MERGE_FAST_FORWARD);
        m->branches[a].tip = theirs;
        armi_merge_result_release(&result);
        return;
    }
    struct table tables[TABLES];
    bool touched[TABLES] = {false};
    for (size_t t = 0; t < TABLES; t++) {
        const struct table *o = table_at(m, ours, t), *h = table_at(m, theirs, t),
                           *z = table_at(m, base, t);
        tables[t] = *o;
        if (same_table(z, h) || same_table(o, h))
            continue;
        bool both = !same_table(o, z);
        conflicts += both && options.prefer == ARMI_PREFER_NONE;
        if (both && options.prefer != ARMI_PREFER_THEIRS)
            continue;
        touched[t] = true;
        tables[t].known = true;
        tables[t].live = h->live;
        tables[t].rows = h->rows;
        tables[t].version = o->version + (h->live ? 1 : 0);
    }
    if (conflicts != 0) {
        fails(ARMI_MERGE_CONFLICT, st);
        assert_int_equal(result.conflict_count, conflicts);
    } else {
        ok(st);
        assert_int_equal(result.kind, ARMI_MERGE_COMMIT);
        struct commit *c = commit_new(m, ours);
        c->second = theirs;
        memcpy(c->tables, tables, sizeof tables);
        memcpy(c->touched, touched, sizeof touched);
        commit_seal(m, a, &result.commit);
    }
    armi_merge_result_release(&result);
}

/* ---- holding the repository against the model ---- */

static void check_table(struct model *m, const struct armi_at *at, const struct table *want,
                        size_t t)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_table_info info = {.size = sizeof info};
    if (!want->known || !want->live) {
        fails(ARMI_NOT_FOUND,
              armi_table_info(m->kit.repo, table_names[t], at, &info, &err));
        return;
    }
    ok(armi_table_info(m->kit.repo, table_names[t], at, &info, &err));
    assert_int_equal(info.version, want->version);
    assert_int_equal(info.rows, want->rows.count);
    armi_table_info_release(&info);
    expect_rows(m, table_names[t], at, &want->rows);
}

static void check_tips(struct model *m)
{
    for (size_t b = 0; b < BRANCHES; b++) {
        const struct armi_at at = {.size = sizeof at, .ref = branch_names[b]};
        if (m->branches[b].is_there)
            for (size_t t = 0; t < TABLES; t++)
                check_table(m, &at, table_at(m, m->branches[b].tip, t), t);
    }
}

static size_t commit_random(struct model *m, size_t b)
{
    size_t at = m->branches[b].tip;
    for (size_t steps = at != 0 ? below(m, m->commits[at - 1].depth + 1) : 0; steps > 0;
         steps--)
        at = m->commits[at - 1].parent;
    return at;
}

static void check_past(struct model *m)
{
    size_t b = below(m, BRANCHES), t = below(m, TABLES);
    if (!m->branches[b].is_there || m->branches[b].tip == 0)
        return;
    size_t then = commit_random(m, b);
    const struct commit *c = &m->commits[then - 1];
    struct armi_at at = {.size = sizeof at,
                         .ref = branch_names[b],
                         .has_as_of = true,
                         .as_of_us = c->time_us};
    check_table(m, &at, &c->tables[t], t);
    if (!c->tables[t].known || c->tables[t].version == 0)
        return;
    /* The newest commit on the chain whose table carries the number. */
    uint64_t version = c->tables[t].version;
    at = (struct armi_at){.size = sizeof at, .ref = branch_names[b], .version = version};
    for (size_t i = m->branches[b].tip; i != 0; i = m->commits[i - 1].parent) {
        const struct table *table = &m->commits[i - 1].tables[t];
        if (table->live && table->version == version) {
            check_table(m, &at, table, t);
            return;
        }
    }
}

static void check_log_and_feed(struct model *m)
{
    struct armi_error err = ARMI_ERROR_INIT;
    size_t b = below(m, BRANCHES), depth = 0, chain[COMMITS];
    struct armi_commit_list log = {.size = sizeof log};
    struct armi_changes *changes;
    struct armi_change change;
    bool has;
    if (!m->branches[b].is_there)
        return;
    for (size_t i = m->branches[b].tip; i != 0; i = m->commits[i - 1].parent)
        chain[depth++] = i;
    const struct armi_log_options options = {.size = sizeof options,
                                             .ref = branch_names[b]};
    ok(armi_commit_log(m->kit.repo, &options, &log, &err));
    assert_int_equal(log.count, depth);
    for (size_t i = 0; i < depth; i++)
        assert_memory_equal(&log.items[i].commit, &m->commits[chain[i] - 1].hash,
                            sizeof log.items[i].commit);
    armi_commit_list_release(&log);
    const struct armi_changes_options from = {.size = sizeof from, .ref = branch_names[b]};
    ok(armi_changes_open(m->kit.repo, &from, &changes, &err));
    for (size_t i = depth; i > 0; i--) {
        const struct commit *c = &m->commits[chain[i - 1] - 1];
        for (size_t n = 0; n < TABLES; n++) {
            /* By name: "t" < "u" < "w" < "\xc3…" is the order of table_names. */
            const struct table *old = table_at(m, c->parent, n), *now = &c->tables[n];
            if (!c->touched[n])
                continue;
            ok(armi_changes_next(changes, &change, &has, &err));
            assert_true(has);
            assert_string_equal(change.table, table_names[n]);
            assert_memory_equal(&change.commit, &c->hash, sizeof c->hash);
            assert_int_equal(change.old_version, old->live ? old->version : 0);
            assert_int_equal(change.new_version, now->live ? now->version : 0);
        }
    }
    ok(armi_changes_next(changes, &change, &has, &err));
    assert_false(has);
    armi_changes_close(changes);
}

static int int_order(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* What of a is not in b, counting occurrences; sorted. */
static size_t bag_minus(const struct rows *a, const struct rows *b, int *out)
{
    size_t count = 0;
    int left[16] = {0};
    for (size_t i = 0; i < b->count; i++)
        left[b->cells[i]]++;
    for (size_t i = 0; i < a->count; i++)
        if (left[a->cells[i]]-- <= 0)
            out[count++] = a->cells[i];
    qsort(out, count, sizeof *out, int_order);
    return count;
}

static void check_diff(struct model *m)
{
    struct armi_error err = ARMI_ERROR_INIT;
    size_t t = below(m, TABLES), a, b;
    char from[ARMI_HASH_HEX_SIZE], to[ARMI_HASH_HEX_SIZE];
    if (m->count == 0)
        return;
    a = 1 + below(m, m->count);
    b = 1 + below(m, m->count);
    const struct table *x = table_at(m, a, t), *y = table_at(m, b, t);
    armi_hash_format(&m->commits[a - 1].hash, from);
    armi_hash_format(&m->commits[b - 1].hash, to);
    const struct armi_diff_options options = {
        .size = sizeof options, .from = from, .to = to, .table = table_names[t]};
    struct armi_diff diff = {.size = sizeof diff};
    enum armi_status st = armi_diff_open(m->kit.repo, &options, &diff, &err);
    if (!(x->known && x->live) && !(y->known && y->live)) {
        fails(ARMI_NOT_FOUND, st);
        return;
    }
    ok(st);
    static const struct rows none;
    const struct rows *old = x->live ? &x->rows : &none, *new = y->live ? &y->rows : &none;
    int gone[ROWS_MAX], come[ROWS_MAX], have[4 * ROWS_MAX];
    size_t gone_count = bag_minus(old, new, gone), come_count = bag_minus(new, old, come),
           n;
    assert_int_equal(diff.count, 1);
    assert_int_equal(diff.items[0].rows_removed, gone_count);
    assert_int_equal(diff.items[0].rows_added, come_count);
    assert_int_equal(diff.items[0].reordered, x->live && y->live &&
                                                  gone_count + come_count == 0 &&
                                                  !rows_equal(old, new));
    armi_diff_release(&diff);
    struct ArrowArrayStream stream;
    ok(armi_diff_rows(m->kit.repo, &options, &stream, &err));
    cells_of(&stream, "a", have, "insert", &n);
    qsort(have, n, sizeof *have, int_order);
    assert_int_equal(n, come_count);
    assert_memory_equal(have, come, n * sizeof *have);
    ok(armi_diff_rows(m->kit.repo, &options, &stream, &err));
    cells_of(&stream, "a", have, "delete", &n);
    qsort(have, n, sizeof *have, int_order);
    assert_int_equal(n, gone_count);
    assert_memory_equal(have, gone, n * sizeof *have);
}

/* ---- histories ---- */

static void branch(struct model *m)
{
    struct armi_error err = ARMI_ERROR_INIT;
    size_t a = branch_random(m), b = 1 + below(m, BRANCHES - 1);
    if (m->branches[b].is_there) {
        fails(ARMI_ALREADY_EXISTS,
              armi_branch_create(m->kit.repo, branch_names[b], branch_names[a], &err));
        if (below(m, 6) == 0) {
            ok(armi_branch_delete(m->kit.repo, branch_names[b], &err));
            m->branches[b].is_there = false;
        }
        return;
    }
    size_t at = commit_random(m, a);
    char hex[ARMI_HASH_HEX_SIZE];
    if (at != 0)
        armi_hash_format(&m->commits[at - 1].hash, hex);
    ok(armi_branch_create(m->kit.repo, branch_names[b], at != 0 ? hex : branch_names[a],
                          &err));
    m->branches[b] = (struct branch){.is_there = true, .tip = at};
}

static void one_transaction(struct model *m)
{
    size_t b = branch_random(m);
    struct tx tx, other;
    tx_begin(m, b, &tx);
    bool single = below(m, 2) == 0;
    for (size_t i = 0, n = single ? 1 : 1 + below(m, 4); i < n; i++)
        tx_operate(m, &tx, single);
    tx_look(m, &tx);
    if (below(m, 2) == 0) { /* somebody is faster */
        tx_begin(m, b, &other);
        for (size_t i = 0, n = 1 + below(m, 2); i < n; i++)
            tx_operate(m, &other, true);
        tx_end(m, &other);
    }
    tx_end(m, &tx);
}

static void history(uint64_t seed, size_t steps)
{
    struct model m = {.seed = seed};
    m.commits = calloc(COMMITS, sizeof *m.commits);
    repo_kit_open(&m.kit);
    m.branches[0].is_there = true;
    for (size_t i = 0; i < steps; i++) {
        switch (below(&m, 12)) {
        case 0:
            branch(&m);
            break;
        case 1:
        case 2:
            merge(&m);
            break;
        case 3:
            repo_kit_reopen(&m.kit);
            break;
        default:
            one_transaction(&m);
            break;
        }
        if (i % 4 == 0)
            check_tips(&m);
        check_past(&m);
        check_log_and_feed(&m);
        check_diff(&m);
    }
    check_tips(&m);
    repo_kit_verify(&m.kit);
    repo_kit_close(&m.kit);
    free(m.commits);
}

static void random_histories_are_what_the_model_says(void **state)
{
    (void)state;
    const char *text = getenv("ARMI_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : 1;
    for (uint64_t run = 0; run < (text != NULL ? 1 : 8); run++) {
        print_message("# ARMI_SEED=%llu\n", (unsigned long long)(seed + run));
        history(seed + run, 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_are_what_the_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
