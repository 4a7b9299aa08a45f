#include "test.h"

#include <errno.h>

#include "arrow/stream.h"
#include "arrow_gen.h"
#include "base/alloc.h"
#include "fault_alloc.h"

/* Gives `left` batches of four rows, then the end or an error. */
struct source {
    struct armi_field schema;
    int left;
    enum armi_status last;
    int calls, freed;
};

static enum armi_status source_next(void *ctx, struct ArrowArray *out,
                                    struct armi_error *err)
{
    struct source *s = ctx;
    s->calls++;
    if (s->left-- > 0)
        return arrow_gen_array(&s->schema, 4, 3, (uint64_t)s->left, out, err);
    if (s->last == ARMI_OK)
        return ARMI_OK;
    return armi_error_object(err, s->last, "column", "c", "the third batch is bad");
}

static void source_free(void *ctx)
{
    struct source *s = ctx;
    s->freed++;
}

static struct source source_make(int left, enum armi_status last)
{
    return (struct source){arrow_gen_field("struct<a: int64, b: string>"), left, last, 0,
                           0};
}

static void source_stream(struct source *s, struct ArrowArrayStream *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_stream_callbacks callbacks = {source_next, source_free, s};
    ok(armi_stream_make(&s->schema, 0, &callbacks, out, &err));
}

static void what_callbacks_give_comes_out_once(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct source s = source_make(3, ARMI_OK);
    struct ArrowArrayStream stream;
    source_stream(&s, &stream);
    struct armi_field schema;
    ok(armi_stream_schema(&stream, &schema, &err));
    assert_true(armi_field_equal(&schema, &s.schema, ARMI_EQUAL_IDS | ARMI_EQUAL_METADATA));
    armi_field_release(&schema);
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    ok(armi_stream_collect(&stream, &list, &err));
    assert_int_equal(list.count, 3);
    assert_int_equal(s.calls, 4);
    /* At the end it stays at the end, without asking again. */
    struct ArrowArray array;
    ok(armi_stream_next(&stream, &array, &err));
    assert_null(array.release);
    assert_int_equal(s.calls, 4);
    armi_stream_release(&stream);
    assert_int_equal(s.freed, 1);
    fails(ARMI_INVALID, armi_stream_next(&stream, &array, &err));
    armi_stream_release(&stream);
    armi_array_list_release(&list);
    armi_field_release(&s.schema);
}

static void an_error_comes_through_whole_and_stays(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct source s = source_make(2, ARMI_CONSTRAINT);
    struct ArrowArrayStream stream;
    source_stream(&s, &stream);
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    for (int i = 0; i < 2; i++) {
        fails(ARMI_CONSTRAINT, armi_stream_collect(&stream, &list, &err));
        assert_string_equal(err.message, "the third batch is bad");
        assert_string_equal(err.name, "c");
        assert_int_equal(list.count, 2);
        assert_int_equal(s.calls, 3);
    }
    assert_string_equal(stream.get_last_error(&stream), "the third batch is bad");
    armi_array_list_release(&list);
    armi_stream_release(&stream);
    armi_field_release(&s.schema);
}

static void a_list_of_batches_is_a_stream(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = arrow_gen_field("struct<a: int64>");
    struct ArrowArray arrays[3];
    for (size_t i = 0; i < 3; i++)
        ok(arrow_gen_array(&schema, (int64_t)(i % 2) * 5, 0, i, &arrays[i], &err));
    struct ArrowArrayStream stream;
    ok(armi_stream_from_arrays(&schema, arrays, 3, &stream, &err));
    assert_null(arrays[0].release);
    struct ArrowArray first;
    ok(armi_stream_next(&stream, &first, &err));
    assert_int_equal(first.length, 0);
    first.release(&first);
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    ok(armi_stream_collect(&stream, &list, &err));
    assert_int_equal(list.count, 1); /* the one without rows is dropped */
    armi_array_list_release(&list);
    armi_stream_release(&stream);
    /* Released unread, it frees what it holds. */
    ok(arrow_gen_array(&schema, 5, 0, 1, &arrays[0], &err));
    ok(armi_stream_from_arrays(&schema, arrays, 1, &stream, &err));
    armi_stream_release(&stream);
    armi_field_release(&schema);
}

/* ---- foreign streams ---- */

static int foreign_errno;
static const char *foreign_text;

static int foreign_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    (void)stream;
    (void)out;
    return foreign_errno;
}

static int foreign_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    (void)stream;
    (void)out;
    return foreign_errno;
}

static const char *foreign_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return foreign_text;
}

static void foreign_release(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

static void a_foreign_error_keeps_its_text(void **state)
{
    (void)state;
    static const struct {
        int errnum;
        const char *text, *message;
        enum armi_status status;
    } cases[] = {
        {EINVAL, "bad\nline", "the input stream failed: bad?line", ARMI_INVALID},
        {EIO, "", "the input stream failed: Input/output error", ARMI_STORAGE},
        {ENOMEM, NULL, "the input stream failed: Cannot allocate memory", ARMI_NO_MEMORY},
        {EINTR, "stop", "the input stream failed: stop", ARMI_INTERRUPTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct ArrowArrayStream stream = {foreign_schema, foreign_next, foreign_error,
                                          foreign_release, NULL};
        foreign_errno = cases[i].errnum;
        foreign_text = cases[i].text;
        struct ArrowArray array;
        struct armi_field schema;
        fails(cases[i].status, armi_stream_next(&stream, &array, &err));
        assert_string_equal(err.message, cases[i].message);
        fails(cases[i].status, armi_stream_schema(&stream, &schema, &err));
        stream.get_last_error = NULL;
        fails(cases[i].status, armi_stream_next(&stream, &array, &err));
        armi_stream_release(&stream);
    }
}

static enum armi_status pull_all(struct armi_field *schema, struct armi_error *err)
{
    struct ArrowArray arrays[2] = {{0}};
    struct ArrowArrayStream stream = {0};
    struct armi_field seen = ARMI_FIELD_INIT;
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    enum armi_status status = ARMI_OK;
    for (size_t i = 0; status == ARMI_OK && i < 2; i++)
        status = arrow_gen_array(schema, 4, 3, i, &arrays[i], err);
    if (status == ARMI_OK)
        status = armi_stream_from_arrays(schema, arrays, 2, &stream, err);
    if (status == ARMI_OK)
        status = armi_stream_schema(&stream, &seen, err);
    if (status == ARMI_OK)
        status = armi_stream_collect(&stream, &list, err);
    for (size_t i = 0; i < 2; i++)
        armi_arrow_array_release(&arrays[i]);
    armi_array_list_release(&list);
    armi_field_release(&seen);
    armi_stream_release(&stream);
    return status;
}

static void no_failed_allocation_leaks(void **state)
{
    (void)state;
    struct armi_field schema = arrow_gen_field("struct<a: int64, b: string>");
    for (size_t n = 1;; n++) {
        struct armi_error err = ARMI_ERROR_INIT;
        fault_alloc_begin(n, n % 2);
        enum armi_status status = pull_all(&schema, &err);
        if (!fault_alloc_end()) {
            assert_int_equal(status, ARMI_OK);
            break;
        }
        assert_int_equal(status, ARMI_NO_MEMORY);
    }
    armi_field_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_callbacks_give_comes_out_once),
        cmocka_unit_test(an_error_comes_through_whole_and_stays),
        cmocka_unit_test(a_list_of_batches_is_a_stream),
        cmocka_unit_test(a_foreign_error_keeps_its_text),
        cmocka_unit_test(no_failed_allocation_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
