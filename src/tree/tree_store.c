#include "tree/tree_store.h"

#include <string.h>

void armi_tree_store_init(struct armi_tree_store *self,
                          const struct armi_node_source *source)
{
    *self = (struct armi_tree_store){.source = *source};
}

void armi_tree_store_init_set(struct armi_tree_store *self, struct armi_node_set *set)
{
    *self = (struct armi_tree_store){.source = armi_node_set_source(set), .set = set};
}

/* The source proved the bytes against the name; only the frame comes off here. */
static enum armi_status get_node(void *ctx, unsigned type, const struct armi_hash *hash,
                                 struct armi_buf *out, struct armi_error *err)
{
    const struct armi_tree_store *self = ctx;
    enum armi_node_type found;
    char hex[ARMI_HASH_HEX_SIZE];
    ARMI_TRY(armi_node_get(&self->source, (enum armi_node_type)type, hash, out, err));
    ARMI_TRY(armi_node_peek(armi_buf_slice(out), &found, err));
    if ((unsigned)found != type || out->data[3] != ARMI_TREE_VERSION) {
        armi_hash_format(hash, hex);
        if ((unsigned)found != type)
            return armi_error_object(err, ARMI_CORRUPTION, "node", hex,
                                     "tree node %s has another type", hex);
        return armi_error_object(
            err, ARMI_UNSUPPORTED, "node", hex,
            "tree node %s has version %u: made by a newer version of Armillaria", hex,
            out->data[3]);
    }
    out->size -= ARMI_NODE_HEADER_SIZE;
    memmove(out->data, out->data + ARMI_NODE_HEADER_SIZE, out->size);
    return ARMI_OK;
}

static enum armi_status put_node(void *ctx, unsigned type, struct armi_slice bytes,
                                 struct armi_hash *hash, struct armi_error *err)
{
    struct armi_tree_store *self = ctx;
    struct armi_buf framed;
    if (self->set == NULL)
        return armi_error_set(err, ARMI_MISUSE,
                              "a tree opened for reading cannot be changed");
    armi_buf_init(&framed, 0);
    enum armi_status st =
        armi_node_wrap((enum armi_node_type)type, ARMI_TREE_VERSION, bytes, &framed, err);
    if (st == ARMI_OK)
        st = armi_node_set_put(self->set, (enum armi_node_type)type,
                               armi_buf_slice(&framed), hash, err);
    armi_buf_release(&framed);
    return st;
}

static struct armi_tree make_tree(struct armi_tree_store *self, bool keyed)
{
    return (struct armi_tree){
        .store = {get_node, put_node, self},
        .leaf_type = keyed ? ARMI_NODE_TABLES_LEAF : ARMI_NODE_TREE_LEAF,
        .inner_type = keyed ? ARMI_NODE_TABLES_INNER : ARMI_NODE_TREE_INNER,
        .keyed = keyed,
    };
}

struct armi_tree armi_tree_store_ranges(struct armi_tree_store *self)
{
    return make_tree(self, false);
}

struct armi_tree armi_tree_store_tables(struct armi_tree_store *self)
{
    return make_tree(self, true);
}
