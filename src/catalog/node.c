/*
 * The frame and the name of nodes. The contexts below are part of the format: a changed letter gives
 * every node of that type another name.
 */
#include "catalog/node.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hash/blake3.h"

static const struct {
    const char *name;
    const char *context;
} node_types[ARMI_NODE_TYPE_MAX + 1] = {
    [ARMI_NODE_COMMIT] = {"commit", "armillaria 1 node commit"},
    [ARMI_NODE_TABLE_VERSION] = {"table version", "armillaria 1 node table version"},
    [ARMI_NODE_SCHEMA] = {"schema", "armillaria 1 node schema"},
    [ARMI_NODE_SETTINGS] = {"settings", "armillaria 1 node settings"},
    [ARMI_NODE_TREE_LEAF] = {"tree leaf", "armillaria 1 node tree leaf"},
    [ARMI_NODE_TREE_INNER] = {"tree inner", "armillaria 1 node tree inner"},
    [ARMI_NODE_PENDING] = {"pending", "armillaria 1 node pending"},
    [ARMI_NODE_DEAD_ROWS] = {"dead rows", "armillaria 1 node dead rows"},
    [ARMI_NODE_TABLES_LEAF] = {"tables leaf", "armillaria 1 node tables leaf"},
    [ARMI_NODE_TABLES_INNER] = {"tables inner", "armillaria 1 node tables inner"},
};

static bool type_is_known(unsigned type)
{
    return type >= 1 && type <= ARMI_NODE_TYPE_MAX;
}

const char *armi_node_type_name(enum armi_node_type type)
{
    return type_is_known(type) ? node_types[type].name : NULL;
}

enum armi_status armi_node_begin(enum armi_node_type type, unsigned version,
                                 struct armi_buf *out, struct armi_error *err)
{
    const uint8_t header[ARMI_NODE_HEADER_SIZE] = {'A', 'N', (uint8_t)type,
                                                   (uint8_t)version};
    return armi_buf_append(out, header, sizeof header, err);
}

enum armi_status armi_node_wrap(enum armi_node_type type, unsigned version,
                                struct armi_slice payload, struct armi_buf *out,
                                struct armi_error *err)
{
    struct armi_buf bytes = {0};
    enum armi_status status = armi_node_begin(type, version, &bytes, err);
    if (status == ARMI_OK)
        status = armi_buf_append(&bytes, payload.data, payload.size, err);
    if (status == ARMI_OK)
        armi_buf_swap(out, &bytes);
    armi_buf_release(&bytes);
    return status;
}

void armi_node_name(enum armi_node_type type, struct armi_slice bytes,
                    struct armi_hash *out)
{
    /* A type without a context cannot be asked for: it comes from this program's own constants. */
    armi_blake3_derive(node_types[type].context, bytes.data, bytes.size, out);
}

enum armi_status armi_node_peek(struct armi_slice bytes, enum armi_node_type *type,
                                struct armi_error *err)
{
    if (bytes.size < ARMI_NODE_HEADER_SIZE || bytes.data[0] != 'A' || bytes.data[1] != 'N')
        return armi_error_set(err, ARMI_CORRUPTION, "bytes are not a node");
    if (!type_is_known(bytes.data[2]))
        return armi_error_set(err, ARMI_UNSUPPORTED,
                              "node of type %u: made by a newer version of Armillaria",
                              bytes.data[2]);
    *type = (enum armi_node_type)bytes.data[2];
    return ARMI_OK;
}

enum armi_status armi_node_unwrap(const struct armi_hash *name, enum armi_node_type type,
                                  unsigned version_max, struct armi_slice bytes,
                                  struct armi_slice *payload, unsigned *version,
                                  struct armi_error *err)
{
    struct armi_hash found;
    char hex[ARMI_HASH_HEX_SIZE];

    armi_node_name(type, bytes, &found);
    armi_hash_format(name, hex);
    if (memcmp(&found, name, sizeof found) != 0)
        return armi_error_object(err, ARMI_CORRUPTION, "node", hex,
                                 "%s node %s: its bytes do not match its name",
                                 node_types[type].name, hex);
    if (bytes.size < ARMI_NODE_HEADER_SIZE || bytes.data[0] != 'A' ||
        bytes.data[1] != 'N' || bytes.data[2] != (uint8_t)type || bytes.data[3] == 0)
        return armi_error_object(err, ARMI_CORRUPTION, "node", hex,
                                 "%s node %s: bad header", node_types[type].name, hex);
    if (bytes.data[3] > version_max)
        return armi_error_object(
            err, ARMI_UNSUPPORTED, "node", hex,
            "%s node %s has version %u: made by a newer version of Armillaria",
            node_types[type].name, hex, bytes.data[3]);
    if (version != NULL)
        *version = bytes.data[3];
    *payload = (struct armi_slice){bytes.data + ARMI_NODE_HEADER_SIZE,
                                   bytes.size - ARMI_NODE_HEADER_SIZE};
    return ARMI_OK;
}
