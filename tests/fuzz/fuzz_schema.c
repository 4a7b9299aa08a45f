/*
 * Any bytes as a stored schema: refused, or canonical and alive in every other form.
 */
#include "fuzz.h"

#include <string.h>

#include "arrow/array_make.h"
#include "arrow/schema_codec.h"
#include "arrow/schema_text.h"
#include "base/alloc.h"

/* Out to another library and back. */
static void check_export(const struct armi_field *field)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowSchema schema;
    struct armi_field back;
    FUZZ_CHECK(armi_field_export(field, 0, &schema, &err) == ARMI_OK);
    /* Level 0 is a schema's only, so that a field at the very limit is refused here. */
    enum armi_status status = armi_field_import(&schema, &back, &err);
    FUZZ_CHECK(status == ARMI_OK || status == ARMI_LIMIT);
    if (status == ARMI_OK) {
        FUZZ_CHECK(armi_field_equal(field, &back, 0));
        armi_field_release(&back);
    }
    schema.release(&schema);
}

/* Names may hold what ends a name, so the text need not parse; if it does, its text is
 * the same. */
static void check_text(const struct armi_field *field)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field back;
    char *text, *again;
    FUZZ_CHECK(armi_type_text(field, &text, &err) == ARMI_OK);
    if (armi_type_parse(text, &back, &err) == ARMI_OK) {
        FUZZ_CHECK(armi_type_text(&back, &again, &err) == ARMI_OK);
        armi_free(again);
        armi_field_release(&back);
    }
    armi_free(text);
}

static void check_empty(const struct armi_field *field)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArray array;
    struct armi_array view;
    FUZZ_CHECK(armi_arrow_array_empty(field, &array, &err) == ARMI_OK);
    FUZZ_CHECK(armi_array_init(field, &array, ARMI_VALIDATE_FULL, &view, &err) == ARMI_OK);
    armi_array_release(&view);
    array.release(&array);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field;
    if (armi_schema_decode((struct armi_slice){data, size}, &field, &err) != ARMI_OK)
        return 0;
    struct armi_buf buf;
    armi_buf_init(&buf, 0);
    FUZZ_CHECK(armi_schema_encode(&field, &buf, &err) == ARMI_OK);
    FUZZ_CHECK(buf.size == size && memcmp(buf.data, data, size) == 0);
    check_export(&field);
    check_text(&field);
    check_empty(&field);
    armi_buf_release(&buf);
    armi_field_release(&field);
    return 0;
}
