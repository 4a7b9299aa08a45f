/*
 * Block values: the worked examples of the specification, its pitfalls, and hostile keys. A "file" here
 * is a pattern, then a footer that holds the key alone; nothing before decoding parses Thrift.
 */
#include "test.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/text.h"
#include "hash/block_values.h"

#include "fault_alloc.h"

#define B ARMI_BLOCK_SIZE

struct file {
    struct armi_buf bytes;
    size_t footer_start;
    struct armi_hash name;
};

static struct armi_error err = ARMI_ERROR_INIT;

static void put(struct armi_buf *buf, const void *data, size_t size)
{
    ok(armi_buf_append(buf, data, size, &err));
}

static void put_pattern(struct armi_buf *buf, size_t size)
{
    uint8_t *at;
    ok(armi_buf_extend(buf, size, &at, &err));
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(i % 251);
}

static void put_key(struct armi_buf *buf, struct armi_slice text)
{
    put(buf, "\x18\x0b" ARMI_BLOCK_KEY "\x18", 14);
    ok(armi_buf_append_varint(buf, text.size, &err));
    put(buf, text.data, text.size);
    put(buf, "", 1);
}

static void put_trailer(struct file *file)
{
    ok(armi_buf_append_u32(&file->bytes, (uint32_t)(file->bytes.size - file->footer_start),
                           &err));
    put(&file->bytes, "PAR1", 4);
}

/* The values of the first footer_start >> log2 blocks as text. */
static void make_text(const struct file *file, unsigned log2, struct armi_buf *text)
{
    size_t count = file->footer_start >> log2, size = (size_t)1 << log2;
    struct armi_hash *values = calloc(count + 1, sizeof *values);
    char head[8], *base64 = malloc(armi_base64_size(32 * count) + 1);
    for (size_t i = 0; i < count && (i + 1) * size <= file->bytes.size; i++) {
        struct armi_blake3 self;
        armi_blake3_subtree_init(&self, i * size / 1024);
        armi_blake3_update(&self, file->bytes.data + i * size, size);
        armi_blake3_subtree_finalize(&self, &values[i]);
    }
    snprintf(head, sizeof head, "b3-%u:", log2);
    put(text, head, 6);
    armi_base64_encode(values->bytes, 32 * count, base64);
    put(text, base64, armi_base64_size(32 * count));
    free(values);
    free(base64);
}

/* As a writer does it, the pieces being cut at random-ish places. */
static void file_make(struct file *file, size_t footer_start, size_t before_key,
                      size_t behind_key)
{
    struct armi_block_hasher hasher;
    struct armi_buf text;
    armi_buf_init(&file->bytes, 0);
    armi_buf_init(&text, 0);
    armi_block_hasher_init(&hasher);
    put_pattern(&file->bytes, footer_start);
    file->footer_start = footer_start;
    for (size_t at = 0, step = 1; at < footer_start; step = step * 7 % 65537) {
        struct armi_slice pieces[3];
        for (size_t i = 0; i < 3; i++) {
            size_t take = i == 1 ? step % 100 : step;
            take = take < footer_start - at ? take : footer_start - at;
            pieces[i] = (struct armi_slice){file->bytes.data + at, take};
            at += take;
        }
        ok(armi_block_hasher_update(&hasher, pieces, 3, &err));
    }
    ok(armi_block_hasher_text(&hasher, &text, &err));
    put_pattern(&file->bytes, before_key);
    if (text.size != 0)
        put_key(&file->bytes, armi_buf_slice(&text));
    put_pattern(&file->bytes, behind_key);
    put_trailer(file);
    struct armi_slice rest = {file->bytes.data + footer_start,
                              file->bytes.size - footer_start};
    ok(armi_block_hasher_update(&hasher, &rest, 1, &err));
    armi_block_hasher_finalize(&hasher, &file->name);
    armi_block_hasher_release(&hasher);
    armi_buf_release(&text);
    struct armi_hash whole;
    armi_blake3_hash(file->bytes.data, file->bytes.size, &whole);
    assert_memory_equal(&whole, &file->name, sizeof whole);
}

static void file_rename(struct file *file)
{
    armi_blake3_hash(file->bytes.data, file->bytes.size, &file->name);
}

static enum armi_block_answer file_open(const struct file *file, size_t from,
                                        struct armi_block_values *values)
{
    enum armi_block_answer answer;
    uint64_t offset = 0;
    /* A copy of its own, so that a read outside is seen by sanitizers. */
    size_t size = file->bytes.size - from;
    uint8_t *copy = malloc(size + 1);
    memcpy(copy, file->bytes.data + from, size);
    ok(armi_block_values_open((struct armi_slice){copy, size}, file->bytes.size,
                              &file->name, values, &answer, &offset, &err));
    free(copy);
    if (answer == ARMI_BLOCK_MORE) {
        assert_true(offset < from);
        return file_open(file, (size_t)offset, values);
    }
    return answer;
}

static size_t file_tail(const struct file *file)
{
    size_t footer_size = file->bytes.size - 8 - file->footer_start;
    return (size_t)armi_block_tail_offset(file->bytes.size, footer_size);
}

static void assert_proved(const struct file *file)
{
    static const size_t cuts[] = {8, 100, B, SIZE_MAX};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0] + 1; i++) {
        struct armi_block_values values;
        size_t from = i < 4 ? cuts[i] < file->bytes.size ? file->bytes.size - cuts[i] : 0
                            : file_tail(file);
        assert_int_equal(file_open(file, from, &values), ARMI_BLOCK_PROVED);
        for (size_t b = 0; b < values.count; b++)
            assert_true(armi_block_values_verify(&values, b,
                                                 file->bytes.data + (b << values.log2)));
        assert_true(values.tail_offset == (uint64_t)values.count << values.log2);
        assert_true(values.tail_offset <= file->footer_start);
        armi_block_values_release(&values);
    }
}

static void assert_whole(const struct file *file)
{
    struct armi_block_values values;
    assert_int_equal(file_open(file, file_tail(file), &values), ARMI_BLOCK_WHOLE);
    assert_int_equal(file_open(file, 0, &values), ARMI_BLOCK_WHOLE);
}

static void assert_hash(const struct armi_hash *hash, const char *hex)
{
    char text[ARMI_HASH_HEX_SIZE];
    armi_hash_format(hash, text);
    text[strlen(hex)] = '\0';
    assert_string_equal(text, hex);
}

static void value_of(const uint8_t *data, size_t size, size_t index, struct armi_hash *out)
{
    struct armi_blake3 self;
    armi_blake3_subtree_init(&self, index * B / 1024);
    armi_blake3_update(&self, data + index * B,
                       size - index * B < B ? size - index * B : B);
    armi_blake3_subtree_finalize(&self, out);
}

static void worked_example_of_the_tree(void **state)
{
    (void)state;
    static const char *const want[] = {
        "9776ca1d775bf31fe48f4a16b59664dee3fc44930de332ba401db785580d3a8f",
        "dda0c82efd20c735a30dba4905c4d6cb94d5cc1dbc91f1f02c494672bb127041",
        "f4f5c305229092b75944e59db8b706c1dd86e5e80f79c04fecd910ef73a1a7fb",
        "6d76238b8ec598a96bbf4639d47af5afd7f7aaa6ee06dd9070240cc4059a7800",
    };
    struct armi_buf data;
    struct armi_hash v[4], left, right, root;
    armi_buf_init(&data, 0);
    put_pattern(&data, 394216);
    for (size_t i = 0; i < 4; i++) {
        value_of(data.data, data.size, i, &v[i]);
        assert_hash(&v[i], want[i]);
    }
    armi_blake3_parent(&v[0], &v[1], false, &left);
    armi_blake3_parent(&v[2], &v[3], false, &right);
    armi_blake3_parent(&left, &right, true, &root);
    assert_hash(&left, "69febc864103726f98eba5f7437ed4da193c9d6cb02d46036729c1ea9dc3ffad");
    assert_hash(&right, "37f8ef4b618258ba668cb3a91a501d538f42bcf50a5aa801273c848e14f4236a");
    assert_hash(&root, "27781cbf78a2be014798e185940e0d1591795a355d575d7bb3ead9e4aee70bd5");
    armi_blake3_combine(v, 4, &root);
    assert_hash(&root, "27781cbf78a2be014798e185940e0d1591795a355d575d7bb3ead9e4aee70bd5");
    armi_buf_release(&data);
}

static void worked_example_of_opening(void **state)
{
    (void)state;
    static const char text[] = "b3-17:l3bKHXdb8x/"
                               "kj0oWtZZk3uP8RJMN4zK6QB23hVgNOo/doMgu/"
                               "SDHNaMNukkFxNbLlNXMHbyR8fAsSUZyuxJwQQ";
    struct file file;
    struct armi_block_values values;
    struct armi_hash tail;
    file_make(&file, 267144, 0, 0);
    assert_int_equal(file.bytes.size, 267260);
    assert_memory_equal(file.bytes.data + 267144,
                        "\x18\x0b"
                        "armi.blake3\x18\x5c",
                        15);
    assert_memory_equal(file.bytes.data + 267144 + 15, text, 92);
    assert_memory_equal(file.bytes.data + 267144 + 107, "\0\x6c\0\0\0PAR1", 9);
    assert_hash(&file.name,
                "d058743208c70f5adbb5227410fc3210bb33ec3674d3432339f3895b4fea3c05");
    assert_int_equal(file_tail(&file), 2 * B);
    assert_int_equal(file_open(&file, 2 * B, &values), ARMI_BLOCK_PROVED);
    assert_int_equal(values.count, 2);
    value_of(file.bytes.data, file.bytes.size, 2, &tail);
    assert_hash(&tail, "b72eba01a0f952ace11497be66679a723bc6173fb4e60122c31e7715315cc25b");
    armi_block_values_release(&values);
    assert_proved(&file);
    armi_buf_release(&file.bytes);
}

static void worked_examples_of_the_edges(void **state)
{
    (void)state;
    static const struct {
        size_t size, count;
        const char *last, *root;
    } edges[] = {
        {131072, 1, "9776ca1d775bf31f", "306baba93b1a393c"},
        {131073, 2, "4627a3d546e81cc2", "f837d4254d24ba3d"},
        {262144, 2, "dda0c82efd20c735", "d57dc906e20d3fd3"},
        {262145, 3, "e5db161255c04def", "531c319935cf78f3"},
        {393216, 3, "f4f5c305229092b7", "5718c2d37769a5cb"},
        {524288, 4, "f698ba5db0aefac4", "b467afa334cd7ded"},
        {524289, 5, "edf3bd6c3b8e810f", "7978ac1ee80f7f7c"},
        {655361, 6, "b39ca60a19a9bece", "349f6ebf5d2e1ff5"},
    };
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        struct armi_buf data;
        struct armi_hash last, name;
        armi_buf_init(&data, 0);
        put_pattern(&data, edges[i].size);
        value_of(data.data, data.size, edges[i].count - 1, &last);
        assert_hash(&last, edges[i].last);
        for (int parallel = 0; parallel < 2; parallel++) {
            struct armi_block_hasher hasher;
            struct armi_slice all = armi_buf_slice(&data);
            armi_block_hasher_init(&hasher);
            if (parallel)
                ok(armi_block_hasher_update_parallel(&hasher, NULL, &all, 1, &err));
            else
                ok(armi_block_hasher_update(&hasher, &all, 1, &err));
            armi_block_hasher_finalize(&hasher, &name);
            armi_block_hasher_release(&hasher);
            assert_hash(&name, edges[i].root);
        }
        armi_buf_release(&data);
    }
}

/* Pitfall 1: f and S on and around block ends, and footers longer than a block. */
static void ends_of_blocks_and_long_footers(void **state)
{
    (void)state;
    static const size_t starts[] = {B,     B + 1, 2 * B - 1,   2 * B,
                                    3 * B, 4 * B, 5 * B + 777, 9 * B};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t key = 14 + 6 + 1 + armi_base64_size(starts[i] / B * 32) + 8;
        key += starts[i] / B * 43 + 6 > 127 ? 2 : 1;
        size_t to_end = (2 * B - (starts[i] + key) % B) % B; /* S on a block end */
        size_t pads[] = {0, 1, to_end, to_end + 1, to_end + B - 1, to_end + B, 3 * B + 5};
        for (size_t j = 0; j < sizeof pads / sizeof pads[0]; j++) {
            struct file file;
            file_make(&file, starts[i], pads[j] / 2, pads[j] - pads[j] / 2);
            if (j == 2)
                assert_int_equal(file.bytes.size % B, 0);
            assert_proved(&file);
            armi_buf_release(&file.bytes);
        }
    }
}

/* Pitfall 9: no block before the footer, no key. */
static void a_small_file_is_hashed_whole(void **state)
{
    (void)state;
    static const size_t starts[] = {0, 1, 4, B / 2, B - 1};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct file file;
        file_make(&file, starts[i], 10, 0);
        if (starts[i] >= 4)
            assert_whole(&file);
        armi_buf_release(&file.bytes);
    }
}

/* Pitfall 5: k follows from f; a text of one value more or less is not believed. */
static void a_text_of_another_length_is_not_believed(void **state)
{
    (void)state;
    for (int delta = -1; delta <= 1; delta++) {
        struct file file;
        struct armi_buf text;
        armi_buf_init(&file.bytes, 0);
        armi_buf_init(&text, 0);
        put_pattern(&file.bytes, 5 * B + 100);
        file.footer_start = (size_t)((int)(5 * B) + delta * (int)B);
        make_text(&file, 17, &text);
        file.footer_start = 5 * B + 100;
        put_key(&file.bytes, armi_buf_slice(&text));
        put_trailer(&file);
        file_rename(&file);
        if (delta == 0)
            assert_proved(&file);
        else
            assert_whole(&file);
        armi_buf_release(&file.bytes);
        armi_buf_release(&text);
    }
}

/* Pitfall 6: the last occurrence counts, and the name decides. */
static void the_last_key_counts_and_the_name_decides(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct file file;
        struct armi_buf right, wrong;
        armi_buf_init(&file.bytes, 0);
        armi_buf_init(&right, 0);
        armi_buf_init(&wrong, 0);
        put_pattern(&file.bytes, 3 * B + 9);
        file.footer_start = file.bytes.size;
        make_text(&file, 17, &right);
        put(&wrong, right.data, right.size);
        wrong.data[20] = wrong.data[20] == 'A' ? 'B' : 'A';
        put_key(&file.bytes, armi_buf_slice(order ? &right : &wrong));
        put_key(&file.bytes, armi_buf_slice(order ? &wrong : &right));
        /* A head alone, and heads cut off by the end, are no keys. */
        put(&file.bytes, "\x18\x0b" ARMI_BLOCK_KEY "\x18", 14);
        put_trailer(&file);
        file_rename(&file);
        if (order == 0)
            assert_proved(&file);
        else
            assert_whole(&file);
        armi_buf_release(&file.bytes);
        armi_buf_release(&right);
        armi_buf_release(&wrong);
    }
}

/* Every other text is hostile until it combines. */
static void base64_is_strict_and_canonical(void **state)
{
    (void)state;
    struct file file;
    file_make(&file, 2 * B + 50, 0, 0);
    uint8_t *text = file.bytes.data + file.footer_start + 15;
    for (size_t i = 0; i < 92; i++) {
        uint8_t saved = text[i];
        static const uint8_t bad[] = {'=', '-', '_', ' ', 0, 0xff, '1', ':'};
        for (size_t j = 0; j < sizeof bad; j++) {
            struct armi_hash name = file.name;
            if (bad[j] == saved)
                continue;
            text[i] = bad[j];
            assert_whole(&file);
            file_rename(&file); /* a name of the damaged bytes does not help */
            if (i >= 6)
                assert_whole(&file);
            file.name = name;
        }
        text[i] = saved;
    }
    /* 64 bytes leave four unused bits in the last character. */
    text[91]++;
    file_rename(&file);
    assert_whole(&file);
    armi_buf_release(&file.bytes);
}

/* Section 6: any changed byte of the tail is refused at open, any of a block when it is verified. */
static void damage_is_found_where_it_lies(void **state)
{
    (void)state;
    struct file file;
    struct armi_block_values values;
    file_make(&file, 3 * B + 5000, 100, 100);
    for (size_t at = 3 * B; at < file.bytes.size;
         at += at + 300 < file.bytes.size ? 97 : 1) {
        file.bytes.data[at] ^= 4;
        assert_int_equal(file_open(&file, 3 * B, &values), ARMI_BLOCK_WHOLE);
        file.bytes.data[at] ^= 4;
    }
    assert_int_equal(file_open(&file, 3 * B, &values), ARMI_BLOCK_PROVED);
    for (size_t at = 0; at < 3 * B; at += 9973) {
        file.bytes.data[at] ^= 1;
        for (size_t b = 0; b < 3; b++)
            assert_int_equal(armi_block_values_verify(&values, b, file.bytes.data + b * B),
                             b != at / B);
        file.bytes.data[at] ^= 1;
    }
    /* A value is valid at its own position only: pitfall 3. */
    assert_false(armi_block_values_verify(&values, 1, file.bytes.data));
    armi_block_values_release(&values);
    armi_buf_release(&file.bytes);
}

/* A name that was combined from wrong values opens, and the block that is touched fails. */
static void a_forged_name_fails_at_the_block(void **state)
{
    (void)state;
    struct file file;
    struct armi_block_values values;
    struct armi_hash v[3];
    file_make(&file, 2 * B + 5, 0, 0);
    file.bytes.data[B + 7] ^= 1;
    char *text = (char *)file.bytes.data + file.footer_start + 15 + 6;
    assert_true(armi_base64_decode(text, 86, v->bytes, 64));
    value_of(file.bytes.data, file.bytes.size, 2, &v[2]);
    armi_blake3_combine(v, 3, &file.name);
    assert_int_equal(file_open(&file, 2 * B, &values), ARMI_BLOCK_PROVED);
    assert_true(armi_block_values_verify(&values, 0, file.bytes.data));
    assert_false(armi_block_values_verify(&values, 1, file.bytes.data + B));
    armi_block_values_release(&values);
    armi_buf_release(&file.bytes);
}

/* Shape and length: a block removed, a byte added or cut. */
static void another_length_is_refused(void **state)
{
    (void)state;
    struct file file;
    struct armi_block_values values;
    file_make(&file, 4 * B + 100, 0, 0);
    memmove(file.bytes.data, file.bytes.data + B, file.bytes.size - B);
    file.bytes.size -= B;
    file.footer_start -= B;
    assert_whole(&file);
    armi_buf_release(&file.bytes);
    file_make(&file, 4 * B + 100, 0, 0);
    put(&file.bytes, "x", 1);
    assert_int_equal(file_open(&file, 4 * B, &values), ARMI_BLOCK_WHOLE);
    file.bytes.size -= 2;
    assert_int_equal(file_open(&file, 4 * B, &values), ARMI_BLOCK_WHOLE);
    armi_buf_release(&file.bytes);
}

/* Pitfall 10 and sizes that make no sense. */
static void foreign_ends_are_hashed_whole(void **state)
{
    (void)state;
    struct file file;
    struct armi_block_values values;
    static const uint32_t sizes[] = {0, 1, 0xffffffff, 0x80000000, 3 * (uint32_t)B};
    file_make(&file, 2 * B + 100, 0, 0);
    file.bytes.data[file.bytes.size - 1] = 'E';
    assert_int_equal(file_open(&file, 2 * B, &values), ARMI_BLOCK_WHOLE);
    file.bytes.data[file.bytes.size - 1] = '1';
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        armi_store32(file.bytes.data + file.bytes.size - 8, sizes[i]);
        for (int renamed = 0; renamed < 2; renamed++) {
            assert_int_equal(file_open(&file, 2 * B, &values), ARMI_BLOCK_WHOLE);
            assert_int_equal(file_open(&file, file.bytes.size - 8, &values),
                             ARMI_BLOCK_WHOLE);
            file_rename(&file);
        }
    }
    for (size_t from = file.bytes.size - 7; from <= file.bytes.size; from++)
        assert_int_equal(file_open(&file, from, &values), ARMI_BLOCK_WHOLE);
    armi_buf_release(&file.bytes);
}

static void readers_take_other_block_sizes(void **state)
{
    (void)state;
    for (unsigned log2 = 12; log2 <= 25; log2++) {
        struct file file;
        struct armi_buf text;
        armi_buf_init(&file.bytes, 0);
        armi_buf_init(&text, 0);
        put_pattern(&file.bytes, ((size_t)1 << log2) * 2 + 5000);
        file.footer_start = file.bytes.size;
        make_text(&file, log2, &text);
        put_key(&file.bytes, armi_buf_slice(&text));
        put_trailer(&file);
        file_rename(&file);
        if (log2 >= ARMI_BLOCK_LOG2_MIN && log2 <= ARMI_BLOCK_LOG2_MAX) {
            struct armi_block_values values;
            assert_int_equal(file_open(&file, file.footer_start, &values),
                             ARMI_BLOCK_PROVED);
            assert_int_equal(values.log2, log2);
            assert_int_equal(values.count, 2);
            for (size_t b = 0; b < 2; b++)
                assert_true(
                    armi_block_values_verify(&values, b, file.bytes.data + (b << log2)));
            armi_block_values_release(&values);
        } else {
            assert_whole(&file);
        }
        armi_buf_release(&file.bytes);
        armi_buf_release(&text);
    }
}

static void parallel_writers_give_the_same(void **state)
{
    (void)state;
    struct armi_buf data;
    armi_buf_init(&data, 0);
    put_pattern(&data, 20 * B + 12345);
    for (size_t turn = 0; turn < 40; turn++) {
        struct armi_block_hasher one, two;
        struct armi_buf text_one, text_two;
        struct armi_hash name_one, name_two;
        size_t step = turn % 4 == 0 ? 5 * B : 3000 + turn * 40009,
               size = data.size - turn * 5000;
        armi_buf_init(&text_one, 0);
        armi_buf_init(&text_two, 0);
        armi_block_hasher_init(&one);
        armi_block_hasher_init(&two);
        for (size_t at = 0; at < size;) {
            struct armi_slice pieces[8];
            for (size_t i = 0; i < 8; i++) {
                size_t take = i % 3 == 2 ? i % 2 * 7 : step;
                take = take < size - at ? take : size - at;
                pieces[i] = (struct armi_slice){data.data + at, take};
                at += take;
            }
            ok(armi_block_hasher_update(&one, pieces, 8, &err));
            ok(armi_block_hasher_update_parallel(&two, NULL, pieces, 8, &err));
        }
        ok(armi_block_hasher_text(&one, &text_one, &err));
        ok(armi_block_hasher_text(&two, &text_two, &err));
        assert_int_equal(text_one.size, text_two.size);
        assert_memory_equal(text_one.data, text_two.data, text_one.size);
        armi_block_hasher_finalize(&one, &name_one);
        armi_block_hasher_finalize(&two, &name_two);
        assert_memory_equal(&name_one, &name_two, sizeof name_one);
        armi_blake3_hash(data.data, size, &name_one);
        assert_memory_equal(&name_one, &name_two, sizeof name_one);
        armi_block_hasher_release(&one);
        armi_block_hasher_release(&two);
        armi_buf_release(&text_one);
        armi_buf_release(&text_two);
    }
    armi_buf_release(&data);
}

/* Every allocation fails once: a clear status, nothing leaked, nothing half filled. */
static enum armi_status write_and_open(const struct file *file)
{
    struct armi_block_hasher hasher;
    struct armi_buf text;
    struct armi_block_values values = {0};
    enum armi_block_answer answer;
    uint64_t offset;
    struct armi_slice all = armi_buf_slice(&file->bytes);
    armi_buf_init(&text, 0);
    armi_block_hasher_init(&hasher);
    enum armi_status status = armi_block_hasher_update(&hasher, &all, 1, &err);
    if (status == ARMI_OK)
        status = armi_block_hasher_update_parallel(&hasher, NULL, &all, 1, &err);
    if (status == ARMI_OK)
        status = armi_block_hasher_text(&hasher, &text, &err);
    if (status == ARMI_OK)
        status = armi_block_values_open(all, all.size, &file->name, &values, &answer,
                                        &offset, &err);
    if (status == ARMI_OK)
        assert_int_equal(answer, ARMI_BLOCK_PROVED);
    else
        assert_null(values.values);
    armi_block_values_release(&values);
    armi_block_hasher_release(&hasher);
    armi_buf_release(&text);
    return status;
}

static void a_failed_allocation_is_told(void **state)
{
    (void)state;
    struct file file;
    size_t failures = 0;
    file_make(&file, 3 * B + 5, 0, 0);
    for (size_t n = 1;; n++) {
        fault_alloc_begin(n, n % 2);
        enum armi_status status = write_and_open(&file);
        if (!fault_alloc_end()) {
            assert_int_equal(status, ARMI_OK);
            break;
        }
        assert_int_equal(status, ARMI_NO_MEMORY);
        failures++;
    }
    assert_true(failures >= 5);
    armi_buf_release(&file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example_of_the_tree),
        cmocka_unit_test(worked_example_of_opening),
        cmocka_unit_test(worked_examples_of_the_edges),
        cmocka_unit_test(ends_of_blocks_and_long_footers),
        cmocka_unit_test(a_small_file_is_hashed_whole),
        cmocka_unit_test(a_text_of_another_length_is_not_believed),
        cmocka_unit_test(the_last_key_counts_and_the_name_decides),
        cmocka_unit_test(base64_is_strict_and_canonical),
        cmocka_unit_test(damage_is_found_where_it_lies),
        cmocka_unit_test(a_forged_name_fails_at_the_block),
        cmocka_unit_test(another_length_is_refused),
        cmocka_unit_test(foreign_ends_are_hashed_whole),
        cmocka_unit_test(readers_take_other_block_sizes),
        cmocka_unit_test(parallel_writers_give_the_same),
        cmocka_unit_test(a_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
