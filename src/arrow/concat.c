/*
 * Concatenation is runs of whole pieces, handed to the engine in assemble_runs.c.
 */
#include "arrow/concat.h"

#include "arrow/assemble_internal.h"
#include "base/alloc.h"

enum armi_status armi_concat(const struct armi_field *field,
                             const struct armi_array *pieces, size_t count,
                             struct ArrowArray *out, struct armi_error *err)
{
    struct armi_run *runs = armi_alloc_array(count + 1, sizeof *runs);
    if (runs == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        assert(armi_field_equal(field, pieces[i].field, 0));
        runs[i] = (struct armi_run){&pieces[i], 0, pieces[i].length};
    }
    enum armi_status status = armi_assemble_runs(field, runs, count, field->name, out, err);
    armi_free(runs);
    return status;
}
