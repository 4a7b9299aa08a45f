#include "test.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "codec/codec.h"

static const enum armi_codec_id written[] = {
    ARMI_CODEC_NONE,   ARMI_CODEC_SNAPPY, ARMI_CODEC_GZIP,
    ARMI_CODEC_BROTLI, ARMI_CODEC_ZSTD,   ARMI_CODEC_LZ4_RAW,
};
#define WRITTEN (sizeof written / sizeof written[0])

static struct armi_codec_context *context;

static int setup(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    return armi_codec_context_new(&context, &err);
}

static int teardown(void **state)
{
    (void)state;
    armi_codec_context_free(context);
    return 0;
}

static void fill(uint8_t *data, size_t size)
{
    srand(3);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)((unsigned)rand() % 7 + (i & 0x30));
}

static void every_codec_gives_back_what_it_took(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const size_t sizes[] = {1, 2, 17, 1000, 65536, 300000};
    for (size_t c = 0; c < WRITTEN; c++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            struct armi_codec codec = {written[c], 0};
            size_t size = sizes[s], bound = armi_codec_bound(codec, size), got = 0;
            uint8_t *in = armi_alloc(size), *packed = armi_alloc(bound),
                    *out = armi_alloc(size);
            fill(in, size);
            ok(armi_codec_compress(context, codec, (struct armi_slice){in, size}, packed,
                                   bound, &got, &err));
            assert_true(got > 0 && got <= bound);
            struct armi_slice bytes = {packed, got};
            ok(armi_codec_decompress(context, (int)codec.id, bytes, out, size, &err));
            assert_memory_equal(in, out, size);
            fails(ARMI_CORRUPTION, armi_codec_decompress(context, (int)codec.id, bytes, out,
                                                         size - 1, &err));
            bytes.size--;
            fails(ARMI_CORRUPTION,
                  armi_codec_decompress(context, (int)codec.id, bytes, out, size, &err));
            armi_free(in);
            armi_free(packed);
            armi_free(out);
        }
    }
}

static void what_does_not_fit_is_size_zero(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t noise[5000], out[5000];
    srand(11);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(rand() >> 7);
    for (size_t c = 0; c < WRITTEN; c++) {
        size_t got = 99;
        ok(armi_codec_compress(context, (struct armi_codec){written[c], 0},
                               (struct armi_slice){noise, sizeof noise}, out,
                               sizeof noise - 1, &got, &err));
        assert_int_equal(got, 0);
    }
}

static void names_and_levels_are_strict(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_codec codec;
    ok(armi_codec_parse("zstd:3", &codec, &err));
    assert_int_equal(codec.id, ARMI_CODEC_ZSTD);
    assert_int_equal(codec.level, 3);
    ok(armi_codec_parse("lz4", &codec, &err));
    assert_int_equal(codec.id, ARMI_CODEC_LZ4_RAW);
    ok(armi_codec_parse("uncompressed", &codec, &err));
    assert_int_equal(codec.id, ARMI_CODEC_NONE);
    static const char *const bad[] = {"",         "ZSTD",    "zstd:",   "zstd:0",
                                      "zstd:23",  "zstd:1x", "gzip:13", "lzo",
                                      "snappy:1", "lz4:1",   "none:1",  "zstd:-1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        fails(ARMI_INVALID, armi_codec_parse(bad[i], &codec, &err));
}

static void several_gzip_members_are_one_page(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t packed[256], out[10];
    size_t first, second;
    struct armi_codec gzip = {ARMI_CODEC_GZIP, 0};
    ok(armi_codec_compress(context, gzip, (struct armi_slice){(const uint8_t *)"fungus", 6},
                           packed, 128, &first, &err));
    ok(armi_codec_compress(context, gzip, (struct armi_slice){(const uint8_t *)"ring", 4},
                           packed + first, 128, &second, &err));
    ok(armi_codec_decompress(context, ARMI_CODEC_GZIP,
                             (struct armi_slice){packed, first + second}, out, 10, &err));
    assert_memory_equal(out, "fungusring", 10);
}

static void the_old_lz4_number_takes_hadoop_frames_and_raw_blocks(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t packed[128], out[6];
    size_t size;
    ok(armi_codec_compress(context, (struct armi_codec){ARMI_CODEC_LZ4_RAW, 0},
                           (struct armi_slice){(const uint8_t *)"fungus", 6}, packed + 8,
                           100, &size, &err));
    const uint8_t head[8] = {0, 0, 0, 6, 0, 0, 0, (uint8_t)size};
    memcpy(packed, head, 8);
    ok(armi_codec_decompress(context, ARMI_CODEC_LZ4, (struct armi_slice){packed, size + 8},
                             out, 6, &err));
    assert_memory_equal(out, "fungus", 6);
    memset(out, 0, 6);
    ok(armi_codec_decompress(context, ARMI_CODEC_LZ4, (struct armi_slice){packed + 8, size},
                             out, 6, &err));
    assert_memory_equal(out, "fungus", 6);
    packed[3] = 7;
    fails(ARMI_CORRUPTION,
          armi_codec_decompress(context, ARMI_CODEC_LZ4,
                                (struct armi_slice){packed, size + 8}, out, 6, &err));
}

static void a_codec_that_is_not_carried_is_refused_by_name(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t out[4];
    fails(ARMI_UNSUPPORTED,
          armi_codec_decompress(context, ARMI_CODEC_LZO,
                                (struct armi_slice){(const uint8_t *)"abcd", 4}, out, 4,
                                &err));
    assert_non_null(strstr(err.message, "lzo"));
    fails(ARMI_UNSUPPORTED,
          armi_codec_decompress(context, -1, (struct armi_slice){out, 4}, out, 4, &err));
    fails(ARMI_UNSUPPORTED,
          armi_codec_decompress(context, 99, (struct armi_slice){out, 4}, out, 4, &err));
}

static void noise_is_corruption_to_every_codec(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t noise[64], out[512];
    srand(5);
    for (size_t round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)(rand() >> 5);
        for (int id = 1; id < ARMI_CODEC_COUNT; id++)
            if (id != ARMI_CODEC_LZO)
                (void)armi_codec_decompress(
                    context, id, (struct armi_slice){noise, 1 + round % sizeof noise}, out,
                    round % sizeof out, &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_gives_back_what_it_took),
        cmocka_unit_test(what_does_not_fit_is_size_zero),
        cmocka_unit_test(names_and_levels_are_strict),
        cmocka_unit_test(several_gzip_members_are_one_page),
        cmocka_unit_test(the_old_lz4_number_takes_hadoop_frames_and_raw_blocks),
        cmocka_unit_test(a_codec_that_is_not_carried_is_refused_by_name),
        cmocka_unit_test(noise_is_corruption_to_every_codec),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
