#include "io/csv_fit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arrow/builder.h"
#include "arrow/schema_text.h"
#include "base/alloc.h"

void armi_csv_fit_type(struct armi_csv_type *type, const struct armi_field *want)
{
    const struct armi_field *value = armi_field_value(want);
    if (type->kind == ARMI_CSV_NONE)
        return;
    if (armi_type_is_utf8(value->type))
        type->kind = ARMI_CSV_TEXT;
    else if (value->type == ARMI_TYPE_FLOAT64 && type->kind == ARMI_CSV_INT &&
             (type->traits & ARMI_CSV_INEXACT_INT) == 0)
        type->kind = ARMI_CSV_FLOAT;
}

bool armi_csv_fit_converts(const struct armi_csv_type *type, const struct armi_field *have,
                           const struct armi_field *want)
{
    if (type->kind == ARMI_CSV_NONE)
        return true;
    if (have->type == ARMI_TYPE_INT64)
        return armi_type_is_integer(want->type) && want->type != ARMI_TYPE_INT64;
    if (have->type == ARMI_TYPE_TIMESTAMP && want->type == ARMI_TYPE_TIMESTAMP)
        return want->unit != have->unit &&
               (have->timezone == NULL) == (want->timezone == NULL);
    return false;
}

static int64_t per_second(enum armi_unit unit)
{
    static const int64_t steps[] = {1, 1000, 1000000, 1000000000};
    return steps[unit];
}

/* Row i in the wanted unit; false if it is not a whole number of them, or too many. */
static bool time_convert(const struct armi_field *have, const struct armi_field *want,
                         int64_t v, int64_t *out)
{
    int64_t from = per_second(have->unit), to = per_second(want->unit);
    if (to >= from)
        return !__builtin_mul_overflow(v, to / from, out);
    *out = v / (from / to);
    return v % (from / to) == 0;
}

static enum armi_status no_fit(const char *file, uint64_t row, int64_t value,
                               const struct armi_field *have, const struct armi_field *want,
                               struct armi_error *err)
{
    char *type = NULL;
    ARMI_TRY(armi_type_text(want, &type, err));
    enum armi_status st =
        have->type == ARMI_TYPE_TIMESTAMP
            ? armi_error_object(err, ARMI_INVALID, "column", want->name,
                                "%s: row %" PRIu64
                                ": the time does not fit column \"%s\" (%s)",
                                file, row, want->name, type)
            : armi_error_object(err, ARMI_INVALID, "column", want->name,
                                "%s: row %" PRIu64 ": %" PRId64
                                " does not fit column \"%s\" (%s)",
                                file, row, value, want->name, type);
    armi_free(type);
    return st;
}

static enum armi_status value_add(struct armi_builder *builder, const char *file,
                                  uint64_t row, const struct armi_field *have,
                                  const struct armi_field *want,
                                  const struct armi_array *view, int64_t i,
                                  struct armi_error *err)
{
    if (armi_array_is_null(view, i))
        return armi_builder_append_null(builder, err);
    int64_t value = armi_array_int(view, i), fitted = value;
    bool fits =
        have->type != ARMI_TYPE_TIMESTAMP || time_convert(have, want, value, &fitted);
    enum armi_status st =
        fits ? armi_builder_append_int(builder, fitted, err) : ARMI_INVALID;
    return st == ARMI_INVALID ? no_fit(file, row, value, have, want, err) : st;
}

enum armi_status armi_csv_fit_array(const char *file, uint64_t row,
                                    const struct armi_field *have,
                                    const struct armi_field *want, struct ArrowArray *array,
                                    struct armi_error *err)
{
    struct armi_builder *builder = NULL;
    struct armi_array view = ARMI_ARRAY_INIT;
    struct ArrowArray fitted = {0};
    enum armi_status st = armi_array_init(have, array, ARMI_VALIDATE_NONE, &view, err);
    if (st == ARMI_OK)
        st = armi_builder_new(want, &builder, err);
    for (int64_t i = 0; i < view.length && st == ARMI_OK; i++)
        st = value_add(builder, file, row + (uint64_t)i, have, want, &view, i, err);
    if (st == ARMI_OK)
        st = armi_builder_finish(builder, &fitted, err);
    armi_builder_free(builder);
    armi_array_release(&view);
    if (st != ARMI_OK)
        return st;
    armi_arrow_array_release(array);
    *array = fitted;
    return ARMI_OK;
}
