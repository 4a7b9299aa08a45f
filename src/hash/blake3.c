/*
 * The tree of BLAKE3 over whatever kernel the machine has.
 *
 * Finished subtrees wait on a stack, largest first. Leaves are hashed side by side first, wherever
 * they stand in the tree; then the aligned runs among them are reduced level by level, also side by
 * side. A run is reduced to two values, never to one: only when more input arrives is it known that
 * their parent is not the root. Before anything follows at leaf t the stack is merged to as many
 * values as t has one bits, which is the left-full shape.
 */
#include "hash/blake3.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "hash/blake3_kernel.h"

#define LEAF       ARMI_BLAKE3_LEAF_SIZE
#define BLOCK      ARMI_BLAKE3_BLOCK_SIZE
#define GROUP      256 /* leaves hashed in one go; 8 KiB of chaining values on the stack */
#define STRADDLERS 32  /* leaves of a group that are put together from pieces */
#define CROWD      32  /* small inputs hashed side by side, the most lanes there are */
#define PART       (512 * LEAF) /* what one task of the parallel form hashes */

static const uint32_t iv[8] = BLAKE3_IV;

/* The last step of a subtree, held back because only the caller knows whether it is the root. */
struct node {
    uint32_t cv[8];
    uint8_t block[BLOCK];
    uint64_t counter;
    uint32_t size;
    uint32_t flags;
};

static void node_chain(const struct armi_blake3_kernel *kernel, const struct node *node,
                       uint32_t flags, void *out)
{
    uint32_t cv[8];
    memcpy(cv, node->cv, sizeof cv);
    kernel->compress(cv, node->block, node->size, node->counter, node->flags | flags);
    memcpy(out, cv, sizeof cv);
}

static void init(struct armi_blake3 *self, const uint32_t key[8], uint32_t flags,
                 uint64_t leaf)
{
    memcpy(self->key, key, sizeof self->key);
    memcpy(self->cv, key, sizeof self->cv);
    self->first_leaf = leaf;
    self->leaf = leaf;
    self->flags = flags;
    self->stack_count = 0;
    self->block_count = 0;
    self->block_size = 0;
}

void armi_blake3_init(struct armi_blake3 *self)
{
    init(self, iv, 0, 0);
}

void armi_blake3_init_keyed(struct armi_blake3 *self, const uint8_t key[32])
{
    uint32_t words[8];
    memcpy(words, key, sizeof words);
    init(self, words, BLAKE3_KEYED, 0);
}

void armi_blake3_init_derive_key(struct armi_blake3 *self, const char *context)
{
    struct armi_hash key;
    uint32_t words[8];
    init(self, iv, BLAKE3_CONTEXT, 0);
    armi_blake3_update(self, context, strlen(context));
    armi_blake3_finalize(self, &key);
    memcpy(words, key.bytes, sizeof words);
    init(self, words, BLAKE3_MATERIAL, 0);
}

void armi_blake3_subtree_init(struct armi_blake3 *self, uint64_t first_leaf)
{
    init(self, iv, 0, first_leaf);
}

static size_t leaf_size(const struct armi_blake3 *self)
{
    return (size_t)self->block_count * BLOCK + self->block_size;
}

static uint32_t leaf_flags(const struct armi_blake3 *self)
{
    return self->flags | (self->block_count == 0 ? BLAKE3_LEAF_START : 0);
}

/* Adds to the leaf in progress, which has room. Its last block stays in self->block. */
static void leaf_update(const struct armi_blake3_kernel *kernel, struct armi_blake3 *self,
                        const uint8_t *data, size_t size)
{
    if (self->block_size != 0) {
        size_t take = BLOCK - (size_t)self->block_size;
        if (take > size)
            take = size;
        memcpy(self->block + self->block_size, data, take);
        self->block_size = (uint8_t)(self->block_size + take);
        data += take;
        size -= take;
        if (size == 0)
            return;
        kernel->compress(self->cv, self->block, BLOCK, self->leaf, leaf_flags(self));
        self->block_count++;
    }
    for (; size > BLOCK; data += BLOCK, size -= BLOCK) {
        kernel->compress(self->cv, data, BLOCK, self->leaf, leaf_flags(self));
        self->block_count++;
    }
    memcpy(self->block, data, size);
    self->block_size = (uint8_t)size;
}

static void leaf_node(const struct armi_blake3 *self, struct node *out)
{
    memcpy(out->cv, self->cv, sizeof out->cv);
    memcpy(out->block, self->block, self->block_size);
    memset(out->block + self->block_size, 0, BLOCK - (size_t)self->block_size);
    out->counter = self->leaf;
    out->size = self->block_size;
    out->flags = leaf_flags(self) | BLAKE3_LEAF_END;
}

/* count inputs of 64 bytes at `pairs` become count values at `out`, which may be `pairs`. */
static void hash_parents(const struct armi_blake3_kernel *kernel, const uint32_t key[8],
                         uint32_t flags, const uint8_t *pairs, size_t count, uint8_t *out)
{
    const uint8_t *inputs[GROUP / 2];
    struct armi_blake3_lanes job = {
        .inputs = inputs, .blocks = 1, .key = key, .flags = flags | BLAKE3_PARENT};
    while (count > 0) {
        job.count = count < GROUP / 2 ? count : GROUP / 2;
        for (size_t i = 0; i < job.count; i++)
            inputs[i] = pairs + BLOCK * i;
        kernel->hash_lanes(&job, out);
        pairs += BLOCK * job.count;
        out += 32 * job.count;
        count -= job.count;
    }
}

/* Level by level, an odd last one moving up as it is, until at most two are left. */
static size_t reduce(const struct armi_blake3_kernel *kernel, const uint32_t key[8],
                     uint32_t flags, uint8_t *cvs, size_t count)
{
    while (count > 2) {
        hash_parents(kernel, key, flags, cvs, count / 2, cvs);
        if (count % 2 != 0)
            memmove(cvs + 32 * (count / 2), cvs + 32 * (count - 1), 32);
        count = count / 2 + count % 2;
    }
    return count;
}

/* Merges what is certain to be no root, now that something follows. */
static void stack_merge(const struct armi_blake3_kernel *kernel, struct armi_blake3 *self)
{
    unsigned want = (unsigned)__builtin_popcountll(self->leaf - self->first_leaf);
    while (self->stack_count > want) {
        uint32_t cv[8];
        struct armi_hash *pair = &self->stack[self->stack_count - 2];
        memcpy(cv, self->key, sizeof cv);
        kernel->compress(cv, pair->bytes, BLOCK, 0, self->flags | BLAKE3_PARENT);
        memcpy(pair->bytes, cv, sizeof cv);
        self->stack_count--;
    }
}

/* Takes `count` chaining values of the leaves from self->leaf on; `cvs` is scratch afterwards. */
static void absorb(const struct armi_blake3_kernel *kernel, struct armi_blake3 *self,
                   uint8_t *cvs, size_t count)
{
    while (count > 0) {
        uint64_t at = self->leaf - self->first_leaf;
        size_t run = (size_t)1 << (63 - __builtin_clzll(count));
        if (at != 0 && (at & (~at + 1)) < run)
            run = (size_t)(at & (~at + 1));
        stack_merge(kernel, self);
        size_t left = reduce(kernel, self->key, self->flags, cvs, run);
        memcpy(&self->stack[self->stack_count], cvs, 32 * left);
        self->stack_count = (uint8_t)(self->stack_count + left);
        self->leaf += run;
        cvs += 32 * run;
        count -= run;
    }
}

static void leaf_close(const struct armi_blake3_kernel *kernel, struct armi_blake3 *self)
{
    struct node node;
    uint32_t cv[8];
    leaf_node(self, &node);
    node_chain(kernel, &node, 0, cv);
    absorb(kernel, self, (uint8_t *)cv, 1);
    memcpy(self->cv, self->key, sizeof self->cv);
    self->block_count = 0;
    self->block_size = 0;
}

static void absorb_leaves(const struct armi_blake3_kernel *kernel, struct armi_blake3 *self,
                          const uint8_t *const *leaves, size_t count)
{
    uint8_t cvs[GROUP * 32];
    struct armi_blake3_lanes job = {
        .inputs = leaves,
        .count = count,
        .blocks = LEAF / BLOCK,
        .key = self->key,
        .counter = self->leaf,
        .counts = true,
        .flags = self->flags,
        .flags_first = BLAKE3_LEAF_START,
        .flags_last = BLAKE3_LEAF_END,
    };
    kernel->hash_lanes(&job, cvs);
    absorb(kernel, self, cvs, count);
}

void armi_blake3_update(struct armi_blake3 *self, const void *data, size_t size)
{
    const struct armi_blake3_kernel *kernel = armi_blake3_kernel();
    const uint8_t *p = data;
    if (size == 0)
        return;
    if (self->block_size != 0) {
        size_t room = LEAF - leaf_size(self), take = size < room ? size : room;
        leaf_update(kernel, self, p, take);
        p += take;
        size -= take;
        if (size == 0)
            return;
        leaf_close(kernel, self);
    }
    while (size > LEAF) {
        const uint8_t *leaves[GROUP];
        size_t count = size / LEAF < GROUP ? size / LEAF : GROUP;
        for (size_t i = 0; i < count; i++)
            leaves[i] = p + LEAF * i;
        absorb_leaves(kernel, self, leaves, count);
        p += LEAF * count;
        size -= LEAF * count;
    }
    if (size != 0) {
        stack_merge(kernel, self);
        leaf_update(kernel, self, p, size);
    }
}

/* A cursor over pieces. */
struct walk {
    const struct armi_slice *piece;
    size_t offset; /* in *piece */
    size_t left;   /* bytes from here to the end of all pieces */
};

/* The longest contiguous span from here, of at most `size` bytes; moves behind it. */
static struct armi_slice walk_take(struct walk *walk, size_t size)
{
    while (walk->offset == walk->piece->size) {
        walk->piece++;
        walk->offset = 0;
    }
    struct armi_slice span = {walk->piece->data + walk->offset,
                              walk->piece->size - walk->offset};
    if (span.size > size)
        span.size = size;
    walk->offset += span.size;
    walk->left -= span.size;
    return span;
}

/* A leaf's bytes: where they lie, or in `scratch` (then *scattered) if they lie in several pieces. */
static const uint8_t *walk_leaf(struct walk *walk, uint8_t *scratch, bool *scattered)
{
    struct armi_slice span = walk_take(walk, LEAF);
    *scattered = span.size < LEAF;
    if (!*scattered)
        return span.data;
    memcpy(scratch, span.data, span.size);
    for (size_t have = span.size; have < LEAF; have += span.size) {
        span = walk_take(walk, LEAF - have);
        memcpy(scratch + have, span.data, span.size);
    }
    return scratch;
}

/* Up to `size` bytes into the leaf in progress, which has room for them. */
static void walk_into_leaf(const struct armi_blake3_kernel *kernel,
                           struct armi_blake3 *self, struct walk *walk, size_t size)
{
    while (size > 0) {
        struct armi_slice span = walk_take(walk, size);
        leaf_update(kernel, self, span.data, span.size);
        size -= span.size;
    }
}

void armi_blake3_update_pieces(struct armi_blake3 *self, const struct armi_slice *pieces,
                               size_t count)
{
    const struct armi_blake3_kernel *kernel = armi_blake3_kernel();
    struct walk walk = {.piece = pieces};
    for (size_t i = 0; i < count; i++)
        walk.left += pieces[i].size;
    if (walk.left == 0)
        return;
    if (self->block_size != 0) {
        size_t room = LEAF - leaf_size(self);
        walk_into_leaf(kernel, self, &walk, walk.left < room ? walk.left : room);
        if (walk.left == 0)
            return;
        leaf_close(kernel, self);
    }
    while (walk.left > LEAF) {
        uint8_t scratch[STRADDLERS][LEAF];
        const uint8_t *leaves[GROUP];
        size_t n = 0, scattered = 0;
        while (n < GROUP && scattered < STRADDLERS && walk.left >= LEAF) {
            bool here;
            leaves[n++] = walk_leaf(&walk, scratch[scattered], &here);
            scattered += here;
        }
        absorb_leaves(kernel, self, leaves, n);
    }
    if (walk.left != 0)
        stack_merge(kernel, self);
    walk_into_leaf(kernel, self, &walk, walk.left);
}

/* The topmost node of all that was added, its own compression still to be done. */
static void node_top(const struct armi_blake3_kernel *kernel,
                     const struct armi_blake3 *self, struct node *node)
{
    size_t left = self->stack_count;
    bool has_right = self->block_size != 0 || left == 0;
    if (has_right)
        leaf_node(self, node);
    while (left > 0) {
        size_t from_stack =
            has_right ? 1 : 2; /* without a leaf the two newest subtrees begin */
        if (has_right)
            node_chain(kernel, node, 0, node->block + 32);
        left -= from_stack;
        memcpy(node->block, &self->stack[left], 32 * from_stack);
        memcpy(node->cv, self->key, sizeof node->cv);
        node->counter = 0;
        node->size = BLOCK;
        node->flags = self->flags | BLAKE3_PARENT;
        has_right = true;
    }
}

void armi_blake3_finalize(const struct armi_blake3 *self, struct armi_hash *out)
{
    const struct armi_blake3_kernel *kernel = armi_blake3_kernel();
    struct node node;
    assert(self->first_leaf == 0);
    node_top(kernel, self, &node);
    node_chain(kernel, &node, BLAKE3_ROOT, out->bytes);
}

void armi_blake3_finalize_seek(const struct armi_blake3 *self, uint64_t seek, uint8_t *out,
                               size_t size)
{
    const struct armi_blake3_kernel *kernel = armi_blake3_kernel();
    struct node node;
    assert(self->first_leaf == 0);
    node_top(kernel, self, &node);
    while (size > 0) {
        uint8_t bytes[BLOCK];
        size_t skip = (size_t)(seek % BLOCK),
               take = BLOCK - skip < size ? BLOCK - skip : size;
        kernel->expand(node.cv, node.block, node.size, seek / BLOCK,
                       node.flags | BLAKE3_ROOT, bytes);
        memcpy(out, bytes + skip, take);
        out += take;
        size -= take;
        seek += take;
    }
}

void armi_blake3_subtree_finalize(const struct armi_blake3 *self, struct armi_hash *cv)
{
    const struct armi_blake3_kernel *kernel = armi_blake3_kernel();
    struct node node;
    assert(self->block_size != 0 || self->stack_count != 0);
    node_top(kernel, self, &node);
    node_chain(kernel, &node, 0, cv->bytes);
}

/* At most a leaf of plain hashing: no state to set up. */
static void hash_small(const uint8_t *data, size_t size, struct armi_hash *out)
{
    const struct armi_blake3_kernel *kernel = armi_blake3_kernel();
    uint32_t cv[8], flags = BLAKE3_LEAF_START;
    uint8_t last[BLOCK] = {0};
    memcpy(cv, iv, sizeof cv);
    for (; size > BLOCK; data += BLOCK, size -= BLOCK) {
        kernel->compress(cv, data, BLOCK, 0, flags);
        flags = 0;
    }
    flags |= BLAKE3_LEAF_END | BLAKE3_ROOT;
    if (size == BLOCK) {
        kernel->compress(cv, data, BLOCK, 0, flags);
    } else {
        if (size != 0)
            memcpy(last, data, size);
        kernel->compress(cv, last, (uint32_t)size, 0, flags);
    }
    memcpy(out, cv, sizeof cv);
}

void armi_blake3_hash(const void *data, size_t size, struct armi_hash *out)
{
    struct armi_blake3 self;
    if (size <= LEAF) {
        hash_small(data, size, out);
        return;
    }
    init(&self, iv, 0, 0);
    armi_blake3_update(&self, data, size);
    armi_blake3_finalize(&self, out);
}

void armi_blake3_derive(const char *context, const void *data, size_t size,
                        struct armi_hash *out)
{
    struct armi_blake3 self;
    armi_blake3_init_derive_key(&self, context);
    armi_blake3_update(&self, data, size);
    armi_blake3_finalize(&self, out);
}

/* Inputs of the same number of blocks, waiting to be hashed side by side. */
struct crowd {
    size_t count;
    size_t members[CROWD];
};

static void crowd_hash(struct crowd *crowd, size_t blocks, const struct armi_slice *inputs,
                       struct armi_hash *out)
{
    uint8_t padded[CROWD * LEAF];
    const uint8_t *starts[CROWD];
    uint32_t last_sizes[CROWD];
    struct armi_hash hashes[CROWD];
    size_t size = blocks * BLOCK;
    if (crowd->count < 3) { /* lanes have more latency than a single block */
        for (size_t i = 0; i < crowd->count; i++)
            hash_small(inputs[crowd->members[i]].data, inputs[crowd->members[i]].size,
                       &out[crowd->members[i]]);
        crowd->count = 0;
        return;
    }
    for (size_t i = 0; i < crowd->count; i++) {
        struct armi_slice input = inputs[crowd->members[i]];
        uint8_t *at = padded + i * size;
        if (input.size != 0)
            memcpy(at, input.data, input.size);
        memset(at + input.size, 0, size - input.size);
        starts[i] = at;
        last_sizes[i] = (uint32_t)(input.size - (blocks - 1) * BLOCK);
    }
    struct armi_blake3_lanes job = {
        .inputs = starts,
        .count = crowd->count,
        .blocks = blocks,
        .key = iv,
        .flags_first = BLAKE3_LEAF_START,
        .flags_last = BLAKE3_LEAF_END | BLAKE3_ROOT,
        .last_sizes = last_sizes,
    };
    armi_blake3_kernel()->hash_lanes(&job, hashes->bytes);
    for (size_t i = 0; i < crowd->count; i++)
        out[crowd->members[i]] = hashes[i];
    crowd->count = 0;
}

void armi_blake3_hash_many(const struct armi_slice *inputs, size_t count,
                           struct armi_hash *out)
{
    struct crowd crowds[LEAF / BLOCK];
    for (size_t i = 0; i < LEAF / BLOCK; i++)
        crowds[i].count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = inputs[i].size;
        if (size > LEAF) {
            armi_blake3_hash(inputs[i].data, size, &out[i]);
            continue;
        }
        size_t blocks = size <= BLOCK ? 1 : (size - 1) / BLOCK + 1;
        struct crowd *crowd = &crowds[blocks - 1];
        crowd->members[crowd->count++] = i;
        if (crowd->count == CROWD)
            crowd_hash(crowd, blocks, inputs, out);
    }
    for (size_t blocks = 1; blocks <= LEAF / BLOCK; blocks++)
        crowd_hash(&crowds[blocks - 1], blocks, inputs, out);
}

void armi_blake3_parent(const struct armi_hash *left, const struct armi_hash *right,
                        bool root, struct armi_hash *out)
{
    struct node node = {.size = BLOCK, .flags = BLAKE3_PARENT};
    memcpy(node.cv, iv, sizeof node.cv);
    memcpy(node.block, left, 32);
    memcpy(node.block + 32, right, 32);
    node_chain(armi_blake3_kernel(), &node, root ? BLAKE3_ROOT : 0, out->bytes);
}

void armi_blake3_combine(struct armi_hash *values, size_t count, struct armi_hash *root)
{
    assert(count >= 2);
    reduce(armi_blake3_kernel(), iv, 0, values->bytes, count);
    armi_blake3_parent(&values[0], &values[1], true, root);
}

struct parts {
    const uint8_t *data;
    size_t size;
    struct armi_hash *values;
};

static enum armi_status part_hash(void *ctx, size_t index, unsigned worker,
                                  struct armi_error *err)
{
    const struct parts *parts = ctx;
    struct armi_blake3 self;
    size_t from = index * PART, size = parts->size - from;
    (void)worker;
    (void)err;
    armi_blake3_subtree_init(&self, from / LEAF);
    armi_blake3_update(&self, parts->data + from, size < PART ? size : PART);
    armi_blake3_subtree_finalize(&self, &parts->values[index]);
    return ARMI_OK;
}

enum armi_status armi_blake3_hash_parallel(const struct armi_parallel *parallel,
                                           const void *data, size_t size,
                                           struct armi_hash *out, struct armi_error *err)
{
    size_t count = size / PART + (size % PART != 0);
    if (count < 2) {
        armi_blake3_hash(data, size, out);
        return ARMI_OK;
    }
    struct parts parts = {data, size, armi_alloc_array(count, sizeof *parts.values)};
    if (parts.values == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = armi_pool_run(parallel, count, part_hash, &parts, err);
    if (status == ARMI_OK)
        armi_blake3_combine(parts.values, count, out);
    armi_free(parts.values);
    return status;
}
