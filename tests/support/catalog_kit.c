#include "catalog_kit.h"

#include <string.h>

#include "test.h"

void catalog_kit_open(struct catalog_kit *kit, const struct armi_catalog_options *options)
{
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t id[ARMI_REPO_ID_SIZE];

    temp_dir_make(kit->dir);
    ok(armi_catalog_create(kit->dir, options, id, &err));
    ok(armi_catalog_open(kit->dir, options, &kit->catalog, &err));
}

void catalog_kit_reopen(struct catalog_kit *kit, const struct armi_catalog_options *options)
{
    struct armi_error err = ARMI_ERROR_INIT;
    armi_catalog_close(kit->catalog);
    kit->catalog = NULL;
    ok(armi_catalog_open(kit->dir, options, &kit->catalog, &err));
}

void catalog_kit_close(struct catalog_kit *kit)
{
    armi_catalog_close(kit->catalog);
    temp_dir_remove(kit->dir);
}

enum armi_status catalog_kit_node(uint64_t number, struct armi_buf *bytes,
                                  struct armi_hash *name, struct armi_error *err)
{
    struct armi_slice payload = {(const uint8_t *)&number, sizeof number};
    enum armi_status status = armi_node_wrap(ARMI_NODE_PENDING, 1, payload, bytes, err);
    if (status == ARMI_OK)
        armi_node_name(ARMI_NODE_PENDING, armi_buf_slice(bytes), name);
    return status;
}

enum armi_status catalog_kit_publish(struct armi_catalog *catalog, const char *branch,
                                     const struct armi_hash *parents, size_t parents_count,
                                     uint64_t number, struct armi_publish_result *result,
                                     struct armi_error *err)
{
    char message[32];
    struct armi_buf bytes = {0};
    struct armi_node_set nodes;
    struct armi_hash name;
    struct armi_ref_change ref = {.action = ARMI_REF_MOVE,
                                  .kind = ARMI_REF_BRANCH,
                                  .name = branch,
                                  .expect =
                                      parents_count != 0 ? ARMI_REF_AT : ARMI_REF_UNBORN,
                                  .to_published = true,
                                  .reason = "commit"};

    int n = snprintf(message, sizeof message, "number %llu", (unsigned long long)number);
    struct armi_commit commit = {.parents = parents, .parents_count = parents_count};
    commit.message = (struct armi_slice){(const uint8_t *)message, (size_t)n};
    commit.tables.is_inline = true;
    if (parents_count != 0)
        ref.expected = parents[0];
    armi_node_set_init(&nodes, NULL);
    enum armi_status status = catalog_kit_node(number, &bytes, &name, err);
    if (status == ARMI_OK)
        status = armi_node_set_put(&nodes, ARMI_NODE_PENDING, armi_buf_slice(&bytes), &name,
                                   err);
    if (status == ARMI_OK) {
        struct armi_publish publish = {
            .commit = &commit, .nodes = &nodes, .refs = &ref, .refs_count = 1};
        status = armi_catalog_publish(catalog, &publish, result, err);
    }
    armi_node_set_release(&nodes);
    armi_buf_release(&bytes);
    return status;
}

enum armi_status catalog_kit_commit(struct armi_catalog *catalog, const char *branch,
                                    uint64_t number, struct armi_hash *out,
                                    struct armi_error *err)
{
    for (;;) {
        struct armi_catalog_ref ref;
        struct armi_publish_result result;
        ARMI_TRY(armi_catalog_get_ref(catalog, ARMI_REF_BRANCH, branch, &ref, err));
        ARMI_TRY(catalog_kit_publish(catalog, branch, &ref.commit, ref.has_commit ? 1 : 0,
                                     number, &result, err));
        if (result.outcome == ARMI_PUBLISH_OK) {
            if (out != NULL)
                *out = result.commit;
            return ARMI_OK;
        }
    }
}
