#include "test.h"

#include "base/slab.h"

#define MIB ((size_t)1 << 20)

static struct armi_error err = ARMI_ERROR_INIT;

static struct armi_slab *take(size_t size)
{
    struct armi_slab *slab;
    ok(armi_slab_take_buffer(size, &slab, &err));
    assert_true(slab->size >= size);
    return slab;
}

static void what_is_given_back_is_taken_again(void **state)
{
    (void)state;
    static const size_t sizes[] = {5 << 10,   8 << 10,         33 << 10, 100 << 10,
                                   300 << 10, (2 << 20) - 100, 2 << 20,  5 << 20};
    armi_slab_trim();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct armi_slab *first = take(sizes[i]), *second = take(sizes[i]);
        uint8_t *newest = second->data, *oldest = first->data;
        memset(newest, 1, sizes[i]);
        armi_slab_give(first);
        armi_slab_give(second);
        first = take(sizes[i]);
        second = take(sizes[i]);
        assert_ptr_equal(first->data, newest);
        assert_ptr_equal(second->data, oldest);
        first->next = second;
        armi_slab_give(first);
    }
    armi_slab_trim();
}

/* Small pages that nobody touched take nothing, but those of a buffer used before are all there. */
static void a_buffer_has_little_more_than_was_asked_for(void **state)
{
    (void)state;
    for (size_t size = 8 << 10; size < 2 * MIB; size += 1000) {
        struct armi_slab *slab = take(size);
        assert_true(slab->size <= size + size / 4);
        armi_slab_give(slab);
    }
    armi_slab_trim();
}

static void a_slab_far_larger_than_wanted_is_left_for_others(void **state)
{
    (void)state;
    armi_slab_trim();
    struct armi_slab *large = take(64 * MIB);
    uint8_t *data = large->data;
    armi_slab_give(large);
    struct armi_slab *small = take(4 * MIB), *fitting = take(40 * MIB);
    assert_ptr_not_equal(small->data, data);
    assert_ptr_equal(fitting->data, data);
    armi_slab_give(small);
    armi_slab_give(fitting);
    armi_slab_trim();
}

/* 256 MiB are kept. Nothing of them is touched here. */
static void the_oldest_goes_where_too_much_is_kept(void **state)
{
    (void)state;
    struct armi_slab *large[3], *slabs[20];
    uint8_t *data[20];
    armi_slab_trim();
    for (size_t i = 0; i < 3; i++)
        large[i] = take((80 + i) * MIB);
    for (size_t i = 0; i < 20; i++)
        slabs[i] = take(2 * MIB);
    uint8_t *newest = large[2]->data, *middle = large[1]->data;
    for (size_t i = 0; i < 3; i++)
        armi_slab_give(large[i]); /* 243 MiB */
    for (size_t i = 0; i < 20; i++) {
        data[i] = slabs[i]->data;
        armi_slab_give(slabs[i]);
    }
    for (size_t i = 20; i-- > 0;) {
        slabs[i] = take(2 * MIB);
        assert_ptr_equal(slabs[i]->data, data[i]);
    }
    large[2] = take(82 * MIB);
    large[1] = take(81 * MIB);
    assert_ptr_equal(large[2]->data, newest);
    assert_ptr_equal(large[1]->data, middle);
    for (size_t i = 0; i < 20; i++)
        armi_slab_give(slabs[i]);
    armi_slab_give(large[1]);
    armi_slab_give(large[2]);
    armi_slab_trim();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_back_is_taken_again),
        cmocka_unit_test(a_buffer_has_little_more_than_was_asked_for),
        cmocka_unit_test(a_slab_far_larger_than_wanted_is_left_for_others),
        cmocka_unit_test(the_oldest_goes_where_too_much_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
